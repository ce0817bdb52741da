"""The table of targets: which bytes come to which reader, and through which layer.

To add one: its seeds in `seeds.py`, its reader in `readers.py`, a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import readers, seeds
from .layers import Layer, as_file, as_npz, as_sealed_png, as_sealed_shard, as_series, as_torch_archive

_OF_A_CASE = ("imgs", "boxes", "spacing", "gts")
_NPY_WORDS = ("'descr'", "'fortran_order'", "'shape'", "True", "()", "(0,)", "(1,)", "'<f8'", "'>i2'", "'|O'", "'|b1'",
              "'<U4'", "'|S3'", "'|V4'", "'<M8[s]'", "'<c8'", "'<f2'", "'<f16'", "[('a', '<f4')]")  # fmt: skip
_JSON_WORDS = ("[", "]", "{", "}", "null", "true", "1e999", "-0.5", "NaN", "9" * 24, '""', "\\ud800")
_PNG_WORDS = ("IHDR", "PLTE", "tRNS", "eXIf", "gAMA")
_TENSOR_WORDS = ("F16", "BF16", "I64", "BOOL", "F8_E4M3")
_BOX_WORDS = ("box", "boxes", "space", "label", "name", "case", "voxel", "ras_mm", "lps_mm", *_JSON_WORDS)


@dataclass(frozen=True)
class Target:
    """One kind of input.

    readers: each is called with the path that `place` gives. seeds: sound inputs; gets a folder to make them in.
    longest: bytes of an input. words: that a mutation may put in.
    """

    name: str
    place: Layer
    readers: tuple[Callable[[Path], object], ...]
    seeds: Callable[[Path], Iterator[bytes]]
    longest: int = 1 << 13
    words: tuple[str, ...] = ()


TARGETS = (
    Target("npz", as_file("case.npz"), readers.CASE_FILE, seeds.npz),
    Target("npz-arrays", as_npz(*_OF_A_CASE), readers.CASE_FILE, seeds.npy_of_case, 2048, _NPY_WORDS),
    Target("npz-labels", as_npz("segs"), readers.LABEL_FILE, seeds.npy_of_labels, 1024, _NPY_WORDS),
    Target("png", as_file("case.png"), readers.PICTURE_FILE, seeds.png, 2048),
    Target("png-sealed", as_sealed_png, readers.PICTURE_FILE, seeds.png, 2048, _PNG_WORDS),
    Target("jpeg", as_file("case.jpg"), readers.PICTURE_FILE, seeds.jpeg, 2048),
    Target("tiff", as_file("case.tif"), readers.PICTURE_FILE, seeds.tiff, 2048),
    Target("nifti", as_file("case.nii"), readers.VOLUME_FILE, seeds.nifti, 2048),
    Target("nifti-gz", as_file("case.nii.gz"), readers.VOLUME_FILE, seeds.nifti_gz, 2048),
    Target("dicom", as_file("case.dcm"), readers.PICTURE_FILE, seeds.dicom),
    Target("dicom-series", as_series, (readers.case_with_a_box,), seeds.series, 4096),
    Target("dicom-seg", as_file("seg.dcm"), (readers.labels_of_a_volume,), seeds.dicom_seg),
    Target("boxes-json", as_file("boxes.json"), readers.BOX_FILE, seeds.boxes_json, 1 << 13, _BOX_WORDS),
    Target("boxes-csv", as_file("boxes.csv"), readers.BOX_FILE, seeds.boxes_csv, 1024, _BOX_WORDS),
    Target("strategy", as_file("strategy.json"), readers.STRATEGY_FILE, seeds.strategy, 4096, _JSON_WORDS),
    Target("run-report", as_file("run.json"), readers.RUN_REPORT, seeds.run_report, 4096, _JSON_WORDS),
    Target("safetensors", as_file("a.safetensors"), readers.CHECKPOINT, seeds.safetensors, 4096, _TENSOR_WORDS),
    Target("pth", as_file("a.pth"), readers.CHECKPOINT, seeds.pth),
    Target("pth-pickle", as_torch_archive, readers.CHECKPOINT, seeds.torch_pickle, 1024),
    Target("shard", as_file("US.tar"), readers.SHARD, seeds.shard, 1 << 14),
    Target("shard-sealed", as_sealed_shard, readers.SHARD, seeds.shard, 1 << 14),
)  # fmt: skip
