"""What several rooms' tests need: the shared reference data, a fake engine, and small cases."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.arrays import AnyArray
from app.segment.segmenter import Segmenter
from tests.fakes import ThresholdEngine

SHARED = Path(__file__).parents[2] / "shared"

CaseWriter = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Graphs are made once for all tests, and never in the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWINLITE_CACHE", str(folder))
        yield folder


@pytest.fixture
def reference() -> Path:
    """Folder of parity numbers, which lies beside the checkout and not in it."""
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference numbers at {folder}; they are kept beside the checkout")
    return folder


@pytest.fixture
def validation() -> Path:
    """Folder of real cases with truth, which lies beside the checkout and not in it."""
    folder = SHARED / "data" / "val"
    if not folder.is_dir():
        pytest.skip(f"no validation cases at {folder}; they are kept beside the checkout")
    return folder


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Interrupts reach this process, even where it was started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def engine() -> ThresholdEngine:
    return ThresholdEngine()


@pytest.fixture
def segmenter(engine: ThresholdEngine) -> Segmenter:
    return Segmenter(engine)


@pytest.fixture
def write_case(tmp_path: Path) -> CaseWriter:
    """Writes `name.npz` into an input folder with the arrays given, by default a small sound picture."""
    folder = tmp_path / "in"
    folder.mkdir()

    def write(name: str = "2DBox_US_0001", **arrays: AnyArray) -> Path:
        content: dict[str, AnyArray] = {"imgs": two_squares(), "boxes": np.array([[5, 5, 25, 25]])}
        path = folder / f"{name}.npz"
        np.savez(path, allow_pickle=True, **(content | arrays))
        return path

    return write


def two_squares(height: int = 48, width: int = 64) -> AnyArray:
    """Dark grey (H, W, 3) picture with two bright squares at (10, 10) and (10, 40), 12 pixels each."""
    picture = np.full((height, width, 3), 20, np.uint8)
    picture[10:22, 10:22] = 220
    picture[10:22, 40:52] = 220
    return picture
