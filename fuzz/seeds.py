"""Small inputs of each target, made by code, with which the fuzzer begins: sound ones, and what it finds late."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.arrays import AnyArray
from app.cases.limits import DEFAULT_LIMITS

SHAPE = (3, 5, 6)  # of volumes
GREY = np.arange(90, dtype=np.int16).reshape(SHAPE)
PICTURE = np.arange(90, dtype=np.uint8).reshape(6, 5, 3)
LABELS = (GREY % 3).astype(np.uint8)
_DEEP = b"[" * 4000
_NAME = "mask_decoder.iou_token.weight"  # (1, 256)
_OF_PYDICOM = ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "SC_rgb_small_odd.dcm", "test-SR.dcm")


def npz(folder: Path) -> Iterator[bytes]:
    """Cases and label maps, stored and deflated."""
    boxes = {4: np.array([[0, 1, 4, 5]]), 6: np.array([[0, 1, 0, 4, 4, 2]])}
    for save in (np.savez, np.savez_compressed):
        save(folder / "a.npz", imgs=PICTURE, boxes=boxes[4], gts=PICTURE[..., 0])
        yield (folder / "a.npz").read_bytes()
        save(folder / "a.npz", imgs=GREY, boxes=boxes[6], spacing=np.array([3.0, 1, 1]), segs=LABELS)
        yield (folder / "a.npz").read_bytes()


def npy_of_case(_: Path) -> Iterator[bytes]:
    """`imgs`, `boxes`, `spacing` and `gts` of a picture and of a volume, of several number types."""
    for boxes in ([[0, 1, 4, 5]], [0.0, 1, 4, 5]):
        yield _npy(PICTURE) + _npy(boxes) + _npy([1.0]) + _npy(PICTURE[..., 0])
    for dtype in (np.int16, np.float32, np.bool_, np.uint64, np.float16):
        yield _npy(GREY.astype(dtype)) + _npy([[0, 1, 0, 4, 4, 2]]) + _npy([3.0, 1, 1]) + _npy(LABELS)


def npy_of_labels(_: Path) -> Iterator[bytes]:
    """`segs` alone."""
    for dtype in (np.uint8, np.int64, np.bool_, np.float32):
        yield _npy(LABELS.astype(dtype))


def png(_: Path) -> Iterator[bytes]:
    """Grey of 8 and 16 bit, colour, opacity."""
    for picture in (PICTURE[..., 0], GREY[0].astype(np.uint16), PICTURE, np.dstack([PICTURE, PICTURE[..., 0]])):
        yield _encoded(".png", picture)


def jpeg(_: Path) -> Iterator[bytes]:
    """Grey, colour, and one that is to be turned."""
    from tests.cases.test_pictures import EXIF_TURN_LEFT

    grey = _encoded(".jpg", PICTURE[..., 0])
    yield from (grey, _encoded(".jpg", PICTURE), grey[:2] + EXIF_TURN_LEFT + grey[2:])


def tiff(_: Path) -> Iterator[bytes]:
    """Grey of 8, 16 and 32 bit, colour."""
    for picture in (PICTURE[..., 0], GREY[0].astype(np.uint16), GREY[0].astype(np.float32), PICTURE):
        yield _encoded(".tiff", picture)


def nifti(folder: Path) -> Iterator[bytes]:
    """Of one file: NIfTI-1 scaled and not, in colour, of labels, without a place, NIfTI-2."""
    return _nifti(folder, ".nii")


def nifti_gz(folder: Path) -> Iterator[bytes]:
    """The same, packed."""
    return _nifti(folder, ".nii.gz")


def dicom(folder: Path) -> Iterator[bytes]:
    """Grey, colour, enhanced, compressed, and an object that is no picture."""
    from pydicom.data import get_testdata_file

    from tests.dicom_files import write_enhanced, write_picture

    scaled = {"RescaleSlope": 2, "RescaleIntercept": -3}
    for pixels, attributes in (
        (GREY[0], scaled),
        (GREY[0], {"PhotometricInterpretation": "MONOCHROME1"}),
        (PICTURE, {}),
    ):
        yield write_picture(folder / "a", pixels, FrameOfReferenceUID="1.2.4", **attributes).read_bytes()
    yield write_enhanced(folder / "enhanced", GREY.astype(np.uint16), (8, 0, 4), (1, 2, 0.5)).read_bytes()
    yield from (Path(str(get_testdata_file(name))).read_bytes() for name in _OF_PYDICOM)


def series(folder: Path) -> Iterator[bytes]:
    """Two slices, without preambles, one file behind the other."""
    from tests.dicom_files import write_series

    for step in ((0, 0, 2), (0, 0.5, 2)):
        files = write_series(folder / str(step), GREY[:2], step=step)
        yield b"".join(file.read_bytes()[128:] for file in files)


def dicom_seg(folder: Path) -> Iterator[bytes]:
    """Two segments on three slices, which lie as the volumes in NIfTI."""
    from app.cases import dicom as format_
    from tests.dicom_files import write_series

    write_series(folder / "in", GREY, origin=(-10, -20, 30), step=(0, 0, 3), PixelSpacing=[2, 1])
    format_.write(folder / "seg.dcm", LABELS, format_.read(folder / "in"), ())
    yield (folder / "seg.dcm").read_bytes()


def boxes_json(_: Path) -> Iterator[bytes]:
    """In pixels and in millimetres; nested deeply, a huge number, a long name, a label of many digits."""
    yield b'{"boxes": [{"box": [1, 2, 3, 4], "label": 6, "name": "liver", "case": "a"}, {"box": [0, 0, 1, 1]}]}'
    yield b'{"space": "ras_mm", "boxes": [{"box": [1, 2, 3.5, 4, 5, 6], "label": "7"}]}'
    yield _DEEP
    yield b'{"boxes": [{"box": [1, 2, 3, %s]}]}' % (b"9" * 400)
    yield b'{"boxes": [{"box": [1, 2, 3, 4], "case": "%s"}]}' % (b"a" * 300)
    yield b'{"boxes": [{"box": [1, 2, 3, 4], "label": "%s"}]}' % (b"9" * 5000)


def boxes_csv(_: Path) -> Iterator[bytes]:
    """In pixels and in millimetres."""
    yield b"x_min,y_min,x_max,y_max,label,name,case\n1,2,3,4,6,liver,\n5,6,7,8,,,b\n"
    yield b"space,x_min,y_min,z_min,x_max,y_max,z_max\nras_mm,7,16,33,9,20,36\nvoxel,1,0,1,3,2,2\n"


def strategy(_: Path) -> Iterator[bytes]:
    """As the README has it; nested deeply."""
    yield _DEEP
    yield b'{"PET": {"views": "all"}, "default": {"model": "litemedsam-skip", "views": "axial"}}'


def run_report(_: Path) -> Iterator[bytes]:
    """Of one case; nested deeply."""
    yield _DEEP
    model = {
        "model": "m", "weights_sha256": "0" * 64, "engine": "torch", "precision": "float32", "threads": 1,
        "prompts": {"seed": 42, "rule": "code", "parts": "scribble", "guide": "image"},
    }  # fmt: skip
    case = {"name": "a", "model": "m", "outcome": "done", "error": None, "running_time": 1.5, "stages": {"read": 0.1}}
    report = {
        "swinlite": "0.1.0", "startup_seconds": 0.5, "models": [model], "cases": [case],
        "settings": {"inputs": ["in"], "boxes": [], "modality": None, "window": None, "format": "input",
                     "limits": asdict(DEFAULT_LIMITS)},
        "machine": {"processor": "p", "cores": 2, "memory_gib": 8, "system": "Linux"}, "versions": {"numpy": "2.2.6"},
    }  # fmt: skip
    yield json.dumps(report).encode()


def safetensors(_: Path) -> Iterator[bytes]:
    """One tensor of a network, and a mask that is none of it."""
    from safetensors.torch import save

    yield save(_state())
    yield save({"module.a.left_right_mask": torch.zeros(2, 2)})


def pth(_: Path) -> Iterator[bytes]:
    """Bare and under `model`, as archive and in the older form of one file."""
    for content, archive in ((_state(), True), ({"model": _state(), "epoch": 3}, True), (_state(), False)):
        file = io.BytesIO()
        torch.save(content, file, _use_new_zipfile_serialization=archive)
        yield file.getvalue()


def torch_pickle(folder: Path) -> Iterator[bytes]:
    """`data.pkl` out of archives of torch, with tensors of several kinds, and pickles of plain values."""
    for tensor in _tensors_of_a_kilobyte():
        torch.save({_NAME: tensor}, folder / "a.pth")
        with zipfile.ZipFile(folder / "a.pth") as archive:
            yield archive.read("a/data.pkl")
    yield from (pickle.dumps(content, 2) for content in ([1, 2], {"model": {"a": 1}}, {3: None}))


def shard(folder: Path) -> Iterator[bytes]:
    """A picture of one data set with its label map, and a link."""
    from tests.training.test_pictures import write_shard

    picture, labels = _encoded(".webp", PICTURE), _encoded(".png", PICTURE[..., 0])
    yield write_shard(folder / "a.tar", {"set/a.webp": picture, "set/a.png": labels}).read_bytes()


def _nifti(folder: Path, ending: str) -> Iterator[bytes]:
    import nibabel

    from tests.orientations import AFFINE

    colour = np.zeros(SHAPE[::-1], [(channel, "u1") for channel in "RGB"])
    scaled = nibabel.Nifti1Image(GREY.T, AFFINE)
    scaled.header.set_slope_inter(2, -100)
    images = [scaled, nibabel.Nifti2Image(GREY.T, AFFINE)]
    images += [nibabel.Nifti1Image(*of) for of in ((colour, AFFINE), (LABELS.T, AFFINE), (GREY.T, None))]
    for image in images:
        image.to_filename(folder / f"a{ending}")
        yield (folder / f"a{ending}").read_bytes()


def _state() -> dict[str, Tensor]:
    return {_NAME: torch.zeros(1, 256)}


def _tensors_of_a_kilobyte() -> Iterator[Tensor]:
    """Ordinary, complex, without values, sparse; as long as the storages of `as_torch_archive`."""
    plain, indices = torch.zeros(1, 256), torch.zeros(2, 64, dtype=torch.int64)
    yield from (plain, torch.zeros(1, 128, dtype=torch.complex64), plain.to("meta"))
    values = torch.zeros(64, dtype=torch.complex128)
    yield torch.sparse_coo_tensor(indices, values, (1, 256), check_invariants=True)


def _npy(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values))
    return file.getvalue()


def _encoded(ending: str, picture: AnyArray) -> bytes:
    import cv2

    return cv2.imencode(ending, picture)[1].tobytes()
