"""swinlite: promptable medical image segmentation on a laptop's CPU.

    import swinlite

    segmenter = swinlite.load_segmenter()
    picture = segmenter.set_image(image)        # (H, W) or (H, W, 3), any number type
    labels = picture.segment([[30, 40, 90, 120]])   # (H, W), 1 where the box's object is

The names in `__all__` are the public ones. They are imported when first used, so that the command line
can print its help without loading a network.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cases.case import Case as Case
    from .cases.challenge import read_case as read_case
    from .cases.challenge import write_segmentation as write_segmentation
    from .engines.engine import Engine as Engine
    from .engines.engine import EngineInfo as EngineInfo
    from .errors import CaseError as CaseError
    from .errors import InputError as InputError
    from .errors import OutputError as OutputError
    from .errors import SwinliteError as SwinliteError
    from .errors import WeightsError as WeightsError
    from .prompts.rules import PromptStyle as PromptStyle
    from .segment.segmenter import PreparedImage as PreparedImage
    from .segment.segmenter import Segmenter as Segmenter
    from .segment.segmenter import load_segmenter as load_segmenter

__version__ = "0.1.0"

_HOMES = {
    "Case": "cases.case",
    "read_case": "cases.challenge",
    "write_segmentation": "cases.challenge",
    "Engine": "engines.engine",
    "EngineInfo": "engines.engine",
    "CaseError": "errors",
    "InputError": "errors",
    "OutputError": "errors",
    "SwinliteError": "errors",
    "WeightsError": "errors",
    "PromptStyle": "prompts.rules",
    "PreparedImage": "segment.segmenter",
    "Segmenter": "segment.segmenter",
    "load_segmenter": "segment.segmenter",
}

__all__ = [*sorted(_HOMES), "__version__"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
