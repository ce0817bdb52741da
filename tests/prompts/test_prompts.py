"""Points and scribbles: where they lie, and what they depend on."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.arrays import BoolArray, IntArray
from app.prompts.points import draw_points
from app.prompts.prompt import Prompt, PromptMaker, box_around
from app.prompts.rules import PROMPT_PARTS, PromptRule, PromptStyle, point_shift, scribble_shift
from app.prompts.scribble import draw_scribble

ALL_VISIBLE = np.ones((256, 256), bool)

coordinates = st.integers(0, 256)
boxes = st.tuples(coordinates, coordinates, coordinates, coordinates).map(
    lambda c: np.array([min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3])])
)
rules = st.sampled_from(get_args(PromptRule))
seeds = st.integers(0, 2**32)


@st.composite
def visibilities(draw: st.DrawFn) -> BoolArray:
    share = draw(st.sampled_from([0.0, 0.01, 0.5, 1.0]))
    return np.random.default_rng(draw(seeds)).random((256, 256)) < share


@given(boxes, visibilities(), rules, seeds)
def test_points_lie_on_visible_pixels_of_the_box_or_at_its_centre(
    box: IntArray, visible: BoolArray, rule: PromptRule, seed: int
) -> None:
    points = draw_points(box, visible, rule, np.random.default_rng(seed))
    assert points.shape == (4, 2)
    assert points.dtype == np.float32
    centre = [(box[0] + box[2]) // 2, (box[1] + box[3]) // 2]
    for x, y in points.astype(int).tolist():
        inside = box[0] <= x <= box[2] and box[1] <= y <= box[3]
        assert inside
        assert [x, y] == centre or visible[y, x]


@given(boxes, visibilities(), rules, seeds)
def test_a_scribble_is_one_connected_visible_stroke_inside_the_box(
    box: IntArray, visible: BoolArray, rule: PromptRule, seed: int
) -> None:
    scribble = draw_scribble(box, visible, rule, np.random.default_rng(seed))
    assert scribble.shape == (256, 256)
    if scribble.any():
        rows, columns = np.nonzero(scribble)
        assert box[0] <= columns.min()
        assert columns.max() < box[2]
        assert box[1] <= rows.min()
        assert rows.max() < box[3]
        assert visible[scribble].all()
        assert scribble.sum() >= 6
        assert reachable_from_one_pixel(scribble) == scribble.sum()


def reachable_from_one_pixel(mask: BoolArray) -> int:
    """Pixels that an 8-neighbour flood fill from any pixel of the mask reaches."""
    todo = [tuple(np.argwhere(mask)[0].tolist())]
    seen = set(todo)
    while todo:
        row, column = todo.pop()
        for r in range(max(row - 1, 0), min(row + 2, 256)):
            for c in range(max(column - 1, 0), min(column + 2, 256)):
                if mask[r, c] and (r, c) not in seen:
                    seen.add((r, c))
                    todo.append((r, c))
    return len(seen)


# inference.md section 4.1's table: side -> smallest and largest shift of the published code
CODE_SHIFTS = {
    3: ((0, 0), (0, 0)), 5: ((0, 0), (0, 0)), 6: ((1, 1), (0, 0)), 8: ((1, 2), (0, 0)), 10: ((2, 3), (0, 0)),
    15: ((3, 5), (1, 1)), 20: ((4, 8), (2, 2)), 30: ((6, 13), (3, 4)), 50: ((10, 23), (6, 7)),
    100: ((20, 48), (12, 15)), 200: ((40, 98), (25, 32)),
}  # fmt: skip


@pytest.mark.parametrize("side", CODE_SHIFTS)
def test_shift_ranges_of_the_published_code(side: int) -> None:
    rng = np.random.default_rng(0)
    for shift, (low, high) in zip((point_shift, scribble_shift), CODE_SHIFTS[side], strict=True):
        drawn = {shift(side, "code", rng) for _ in range(2000)}
        assert drawn == set(range(low, high + 1))


def test_shift_ranges_of_the_paper() -> None:
    rng = np.random.default_rng(0)
    assert {point_shift(100, "paper", rng) for _ in range(2000)} == set(range(20, 40))
    assert {scribble_shift(100, "paper", rng) for _ in range(2000)} == set(range(12, 17))


def test_scribbles_have_the_published_size() -> None:
    # inference.md section 4.2, all pixels visible; its sample and its rasteriser are not ours, hence a third of slack
    for side, median in ((40, 78), (200, 382)):
        box = np.array([20, 20, 20 + side, 20 + side])
        rngs = (np.random.default_rng(seed) for seed in range(400))
        sizes = [draw_scribble(box, ALL_VISIBLE, "code", rng).sum() for rng in rngs]
        assert median * 2 / 3 < np.median(sizes) < median * 4 / 3


def test_a_prompt_depends_on_seed_case_object_and_slice_alone() -> None:
    box = np.array([40, 40, 200, 180])

    def prompt(seed: int = 1, case: str = "a", label: int = 1, z: int = 0) -> bytes:
        made = PromptMaker(case, PromptStyle(seed)).complete(Prompt(label, z, box), ALL_VISIBLE)
        assert made.points is not None
        assert made.scribble is not None
        return made.points.tobytes() + made.scribble.tobytes()

    assert prompt() == prompt()
    others = {prompt(), prompt(seed=2), prompt(case="b"), prompt(label=2), prompt(z=1)}
    assert len(others) == 5


def test_a_prompt_has_the_parts_that_are_asked_for() -> None:
    given = Prompt(1, 0, np.array([40, 40, 200, 180]))
    made = {parts: PromptMaker("a", PromptStyle(parts=parts)).complete(given, ALL_VISIBLE) for parts in PROMPT_PARTS}
    present = {parts: (one.points is not None, one.scribble is not None) for parts, one in made.items()}
    assert present == {"box": (False, False), "points": (True, False), "scribble": (True, True)}
    np.testing.assert_array_equal(made["points"].points, made["scribble"].points)


def test_the_box_around_a_mask_is_wider_by_three_and_stays_in_the_frame() -> None:
    mask = np.zeros((256, 256), bool)
    assert box_around(mask) is None
    mask[10, 20] = True
    np.testing.assert_array_equal(box_around(mask), [17, 7, 23, 13])
    mask[255, 255] = mask[0, 0] = True
    np.testing.assert_array_equal(box_around(mask), [0, 0, 256, 256])
