"""Training pictures: from shards and cases into memory, and what augmentation makes of them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.errors import InputError
from app.frame import make_frame
from app.training.augmentation import augment, plain_frames
from app.training.picture_store import PictureStore
from app.training.shards import TrainingPicture, read_pictures
from tests.conftest import CaseWriter, two_squares

CPU = torch.device("cpu")


def write_shard(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as shard:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            shard.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("set/link.webp")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        shard.addfile(link)
    return path


def webp(height: int, width: int) -> bytes:
    red = np.zeros((height, width, 3), np.uint8)
    red[..., 2] = 200
    return cv2.imencode(".webp", red)[1].tobytes()


def png(label: int) -> bytes:
    return cv2.imencode(".png", np.full((256, 100), label, np.uint16))[1].tobytes()


def test_pictures_of_a_shard_and_slices_of_cases_are_read(tmp_path: Path, write_case: CaseWriter) -> None:
    shard = write_shard(tmp_path / "US.tar", {"set/a.webp": webp(256, 100), "set/a.png": png(300), "index.csv": b""})
    gts = np.repeat(np.arange(3)[:, None, None], 64, 1).repeat(128, 2)
    write_case("3DBox_CT_0001", imgs=np.zeros((3, 64, 128), np.uint8), boxes=np.array([[1, 1, 0, 9, 9, 2]]), gts=gts)
    (tmp_path / "in" / "readme.txt").touch()
    picture, *slices = read_pictures([shard, tmp_path / "in"])
    assert (picture.modality, picture.dataset, picture.image.shape) == ("US", "set", (256, 100, 3))
    assert abs(picture.image[128, 50].astype(int) - [200, 0, 0]).max() < 12  # red, in the order red, green, blue
    assert picture.labels is not None
    assert picture.labels[128, 50] == 300
    assert [(one.modality, one.image.shape) for one in slices] == [("CT", (128, 256))] * 3
    assert [int(one.labels[5, 5]) for one in slices if one.labels is not None] == [0, 1, 2]


def test_a_shard_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("no archive")
    broken = write_shard(tmp_path / "broken.tar", {"set/a.webp": b"no picture"})
    wide = cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes().replace(bytes([0, 0, 0, 4]), b"\x7f\0\0\0")
    endless = write_shard(tmp_path / "endless.tar", {"set/a.webp": webp(4, 4), "set/a.png": wide})
    for path, message in (
        (tmp_path / "text.tar", "text.tar: cannot be read"),
        (broken, "set/a.webp is no picture"),
        (endless, "set/a.png has 2130706432 x 2130706432 pixels, expected at most 4096 a side"),
    ):
        with pytest.raises(InputError, match=message):
            list(read_pictures([path]))
    with pytest.raises(InputError, match="no training pictures"):
        PictureStore([], CPU)


def test_a_member_of_holes_is_left_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "US.tar", "w", format=tarfile.PAX_FORMAT) as shard:
        member = tarfile.TarInfo("set/a.webp")
        member.size = 512
        stated = {"major": "1", "minor": "0", "name": member.name, "realsize": str(2**40)}
        member.pax_headers = {f"GNU.sparse.{key}": value for key, value in stated.items()}
        shard.addfile(member, io.BytesIO(b"0\n".ljust(512, b"\0")))
    with tarfile.open(tmp_path / "US.tar") as shard:
        assert [(found.name, found.size) for found in shard] == [("set/a.webp", 2**40)]
    assert list(read_pictures([tmp_path / "US.tar"])) == []


def test_a_truth_of_another_shape_is_named(write_case: CaseWriter) -> None:
    path = write_case(gts=np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match=r"gts has shape \(5, 5\), expected \(48, 64\)"):
        list(read_pictures([path]))


def test_modalities_weigh_the_same_and_data_sets_within_them_too() -> None:
    image = np.zeros((256, 256), np.uint8)
    kinds = [("CT", "a")] * 6 + [("CT", "b")] * 2 + [("MR", "c")]
    store = PictureStore((TrainingPicture(*kind, image) for kind in kinds), CPU)
    expected = [0.25 / 6] * 6 + [0.25 / 2] * 2 + [0.5]
    torch.testing.assert_close(store.share, torch.tensor(expected))
    leaning = PictureStore((TrainingPicture(*kind, image) for kind in kinds), CPU, emphasis={"CT": 3.0})
    torch.testing.assert_close(leaning.share, torch.tensor([0.375 / 6] * 6 + [0.375 / 2] * 2 + [0.25]))


def test_objects_are_numbered_anew_and_background_stays() -> None:
    labels = np.zeros((256, 256), np.uint16)
    labels[:10], labels[10:20], labels[20:30] = 65535, 7, 40000
    image = np.zeros((256, 256), np.uint8)
    store = PictureStore([TrainingPicture("CT", "a", image, np.maximum(labels, least)) for least in (0, 1)], CPU)
    assert store.labels[:, [5, 15, 25, 35], 0].tolist() == [[3, 1, 2, 0], [4, 2, 3, 1]]


def store_of(*images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> PictureStore:
    return PictureStore((TrainingPicture("CT", "a", image) for image in images), CPU)


def test_without_augmentation_frames_are_those_of_inference() -> None:
    image = cv2.resize(two_squares(), (256, 192))
    store = store_of(np.asarray(image, np.uint8), np.full((256, 30), 7, np.uint8))
    frames = plain_frames(store.pixels, store.sizes)
    torch.testing.assert_close(frames[0], torch.from_numpy(make_frame(np.asarray(image, np.uint8)).pixels))
    assert not frames[1].any()  # a constant picture is all zero


def test_augmented_frames_look_like_frames_and_depend_on_the_generator_alone() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 256, 3), dtype=np.uint8)
    store = store_of(noise)
    pixels, sizes = store.pixels.expand(64, -1, -1, -1), store.sizes.expand(64, -1)
    labels = store.labels.expand(64, -1, -1)
    frames, _ = augment(pixels, labels, sizes, torch.Generator().manual_seed(3))
    again, _ = augment(pixels, labels, sizes, torch.Generator().manual_seed(3))
    torch.testing.assert_close(frames, again, rtol=0, atol=0)
    assert frames.amin() == 0
    torch.testing.assert_close(frames.amax((1, 2, 3)), torch.ones(64))
    filled = frames.amax(1) > 0
    heights = filled.any(2).sum(1)
    widths = filled.any(1).sum(1)
    assert len({(int(h), int(w)) for h, w in zip(heights, widths, strict=True)}) > 20  # many shapes


def test_labels_move_with_their_picture() -> None:
    square = np.full((256, 256), 40, np.uint8)
    square[80:180, 60:200] = 240
    labels = (square > 100).astype(np.uint16)
    store = PictureStore([TrainingPicture("CT", "a", square, labels)], CPU)
    generator = torch.Generator().manual_seed(0)
    repeated = [part.expand(32, *part.shape[1:]) for part in (store.pixels, store.labels, store.sizes)]
    frames, moved = augment(repeated[0], repeated[1], repeated[2], generator)
    assert set(moved.flatten().tolist()) == {0, 1}
    # Where a picture's bright and dark keep their order, the label lies on the bright part.
    overlaps = []
    for frame, truth in zip(frames.mean(1), moved == 1, strict=True):
        bright = frame > 0.5
        union = (bright | truth).sum()
        overlaps.append(float((bright & truth).sum() / union) if union else 1.0)
    assert np.median(overlaps) > 0.9


def test_pictures_without_objects_are_left_out_where_masks_are_needed() -> None:
    image = np.zeros((256, 256), np.uint8)
    pictures = [
        TrainingPicture("CT", "a", image),
        TrainingPicture("CT", "a", image, np.zeros((256, 256), np.uint16)),
        TrainingPicture("CT", "a", image, np.ones((256, 256), np.uint16)),
    ]
    assert len(PictureStore(pictures, CPU)) == 3
    assert len(PictureStore(pictures, CPU, labelled_only=True)) == 1
