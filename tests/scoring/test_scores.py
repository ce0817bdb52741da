"""DSC and NSD: by hand, against the published evaluator's numbers, and against the package surface-distance."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from app.arrays import BoolArray, DoubleArray, LabelArray
from app.cases.challenge import read_spacing, read_truth
from app.scoring.metrics import dsc, mean_dice, nsd
from app.scoring.protocols import CaseScore, score_challenge, score_honest
from app.scoring.surface import areas_by_code, corner_codes

HALF_DIAGONAL = math.sqrt(0.5)


def block(shape: tuple[int, ...], *extent: tuple[int, int]) -> BoolArray:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*ends) for ends in extent)] = True
    return mask


def oracle_nsd(truth: BoolArray, found: BoolArray, spacing_mm: tuple[float, ...], tolerance_mm: float) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it uses old names of scipy
        from surface_distance import metrics

        distances = metrics.compute_surface_distances(truth, found, spacing_mm)
    return float(metrics.compute_surface_dice_at_tolerance(distances, tolerance_mm))


def oracle_areas(spacing_mm: tuple[float, ...]) -> DoubleArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from surface_distance import lookup_tables as tables
    if len(spacing_mm) == 2:
        return np.array(tables.create_table_neighbour_code_to_contour_length(spacing_mm))
    return np.array(tables.create_table_neighbour_code_to_surface_area(spacing_mm))


def test_a_rectangle_is_outlined_with_cut_corners() -> None:
    mask = block((9, 9), (2, 5), (2, 7))  # 3 x 5 pixels of 2 mm x 1 mm
    corner = math.hypot(2, 1) / 2
    outline = areas_by_code((2.0, 1.0))[corner_codes(mask)].sum()
    assert outline == pytest.approx(2 * (3 - 1) * 2 + 2 * (5 - 1) * 1 + 4 * corner)


def test_a_cube_has_faces_with_cut_edges_and_corners() -> None:
    mask = block((4, 4, 4), (0, 4), (0, 4), (0, 4))
    face, edge, corner = 9, 3 * HALF_DIAGONAL, math.sqrt(3) / 8
    surface = areas_by_code((1.0, 1.0, 1.0))[corner_codes(mask)].sum()
    assert surface == pytest.approx(6 * face + 12 * edge + 8 * corner)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (3.0, 0.7), (1.0, 1.0, 1.0), (3.0, 0.7, 1.3)])
def test_every_code_has_the_area_that_surface_distance_gives(spacing: tuple[float, ...]) -> None:
    np.testing.assert_allclose(areas_by_code(spacing), oracle_areas(spacing), rtol=1e-12)


def test_nsd_counts_the_contour_within_the_tolerance() -> None:
    truth, found = block((1, 30), (0, 1), (0, 20)), block((1, 30), (0, 1), (0, 30))
    # Both sides of 19 and of 29 inner corners, and four ends each; 7 inner corners and the ends lie 3 to 10 away.
    whole = 2 * 19 + 2 * 29 + 8 * HALF_DIAGONAL
    far = 2 * 7 + 2 * HALF_DIAGONAL
    assert nsd(truth, found, (1.0, 1.0), 2.0) == pytest.approx(1 - far / whole)
    assert nsd(truth, found, (1.0, 1.0), 9.9) == pytest.approx(1 - 2 * HALF_DIAGONAL / whole)
    assert nsd(truth, found, (1.0, 1.0), 10.0) == 1


def test_an_empty_mask_scores_0_and_two_of_them_nothing() -> None:
    full, empty = block((3, 3), (0, 3), (0, 3)), np.zeros((3, 3), bool)
    assert dsc(full, empty) == nsd(full, empty, (1.0, 1.0), 2.0) == nsd(empty, full, (1.0, 1.0), 2.0) == 0
    assert math.isnan(dsc(empty, empty))
    assert math.isnan(nsd(empty, empty, (1.0, 1.0), 2.0))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.4, 0.3), (0.02, 0.03), (5.0, 0.8, 0.8), (0.1, 0.2, 0.2)])
def test_nsd_is_that_of_surface_distance(spacing: tuple[float, ...]) -> None:
    rng = np.random.default_rng(len(spacing))
    shape = (24,) * len(spacing)
    smooth = [sum(np.roll(rng.random(shape), n, axis=0) for n in range(3)) for _ in range(2)]
    truth, found = (np.asfortranarray(field > 2.2) for field in smooth)
    for tolerance in (0.0, spacing[-1], 5 * spacing[-1], 2.0):
        expected = oracle_nsd(truth, found, spacing, tolerance)
        assert nsd(truth, found, spacing, tolerance) == pytest.approx(expected, rel=1e-12)


def test_nsd_is_that_of_surface_distance_on_real_shapes(validation: Path) -> None:
    for path in [*sorted(validation.glob("3D*.npz"))[::6], *sorted(validation.glob("2D*.npz"))[::12]][:20]:
        labels = read_truth(path)
        assert labels is not None
        truth = labels == labels.max()
        found = np.roll(truth, 3, axis=-1) | np.roll(truth, -1, axis=0)
        spacing = read_spacing(path) if truth.ndim == 3 else (1.0, 1.0)
        assert nsd(truth, found, spacing, 2.0) == pytest.approx(oracle_nsd(truth, found, spacing, 2.0), rel=1e-12)


def labels(*values: int) -> LabelArray:
    """A picture (4, 4 n) of n squares with these labels, one beside the other."""
    return np.kron(np.array([values]), np.ones((4, 4), int)).astype(np.uint16)


def outcome(score: CaseScore) -> dict[int, float]:
    return {label.label: label.dsc for label in score.labels}


def test_honest_means_run_over_the_labels_that_exist() -> None:
    gap = score_honest(labels(1, 0, 3), labels(1, 0, 3))
    assert (outcome(gap), gap.dsc, gap.nsd) == ({1: 1.0, 3: 1.0}, 1.0, 1.0)
    false_object = score_honest(labels(1, 0, 0), labels(1, 0, 70))
    assert (outcome(false_object), false_object.dsc, false_object.nsd) == ({1: 1.0, 70: 0.0}, 0.5, 0.5)
    lost = score_honest(labels(1, 2), labels(1, 0))
    assert (outcome(lost), lost.dsc, lost.nsd) == ({1: 1.0, 2: 0.0}, 0.5, 0.5)
    nothing = score_honest(labels(0), labels(0))
    assert nothing.labels == ()
    assert math.isnan(nothing.dsc)
    assert math.isnan(nothing.nsd)


def test_honest_pictures_are_judged_by_their_contours_without_a_gate() -> None:
    truth, found = np.zeros((60, 60), np.uint8), np.zeros((60, 60), np.uint8)
    truth[:] = 1
    found[5:55, 5:55] = 1
    assert score_honest(truth, found).nsd == 0
    assert score_challenge(truth, found).nsd == pytest.approx(0.897282, abs=1e-6)
    truth[:], found[:] = 0, 0
    truth[30, 30], found[30, 31] = 1, 1
    assert score_honest(truth, found).nsd == 1
    assert score_challenge(truth, found).nsd == 0


def test_a_volumes_spacing_follows_its_axes() -> None:
    truth, found = np.zeros((12, 8, 8), np.uint8), np.zeros((12, 8, 8), np.uint8)
    truth[2:8], found[3:9] = 1, 1
    assert score_honest(truth, found, (1.0, 1.0, 5.0)).nsd == 1
    assert score_honest(truth, found, (5.0, 1.0, 1.0)).nsd < 1


def test_mean_dice_leaves_out_labels_that_neither_has() -> None:
    a, b = np.array([[1, 1, 0, 3]], np.uint8), np.array([[1, 0, 0, 3]], np.uint8)
    assert mean_dice(a, b) == (2 / 3 + 1) / 2
