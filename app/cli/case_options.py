"""Options that say what images are and where their boxes lie, for every command that reads cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from ..cases.limits import Limits
    from ..cases.open_case import Request

_Command = TypeVar("_Command", bound=Callable[..., object])
_FILE_OR_FOLDER = click.Path(path_type=Path)
_OPTIONS = (
    click.option(
        "--box",
        "box_options",
        multiple=True,
        metavar="X0,Y0,X1,Y1[,LABEL]",
        help="A box in pixels, or six numbers X0,Y0,Z0,X1,Y1,Z1 in a volume, and its label; may come more than once.",
    ),
    click.option(
        "--boxes",
        "box_path",
        type=_FILE_OR_FOLDER,
        metavar="FILE|DIR",
        help="Boxes in a .json or .csv, or around the labels of a mask; or a folder of such files, named as the cases.",
    ),
    click.option(
        "--modality",
        metavar="CT|MR|...",
        help="What the images are, where their files do not say; sets the grey levels.",
    ),
    click.option(
        "--window",
        metavar="NAME|LEVEL,WIDTH",
        help="What of a CT is seen: abdomen, bone, brain, lung, mediastinum, or numbers in Hounsfield units.",
    ),
)


def case_options(command: _Command) -> _Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_request(
    box_options: tuple[str, ...], box_path: Path | None, modality: str | None, window: str | None, limits: Limits
) -> Request:
    """What the options ask of every case."""
    from ..cases.given_boxes import boxes_from_options, boxes_from_path
    from ..cases.intensities import GreyScale, parse_window
    from ..cases.open_case import Request

    if box_options and box_path is not None:
        raise click.UsageError("--box and --boxes cannot go together")
    boxes = boxes_from_path(box_path, limits) if box_path else boxes_from_options(box_options) if box_options else None
    grey = GreyScale(modality.upper() if modality else None, parse_window(window) if window else None)
    return Request(grey, boxes, limits)
