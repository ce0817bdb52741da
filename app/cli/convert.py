"""`swinlite convert`: files of any kind to the challenge's cases, and label maps back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .case_options import case_options, read_request
from .limit_options import limit_options
from .say import say

if TYPE_CHECKING:
    from ..cases.limits import Limits

SOME_CASE_FAILED = 1

_PATH = click.Path(path_type=Path)
_FILE_OR_FOLDER = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=_PATH)
@click.option(
    "-o", "--output", "output_folder", required=True, type=_PATH, metavar="DIR",
    help="Folder for what is written, each under the name of its input.",
)  # fmt: skip
@case_options
@limit_options
@click.option(
    "--truth", type=_FILE_OR_FOLDER, metavar="FILE|DIR",
    help="Label map that becomes `gts`, or a folder of them, named as the cases; boxes are taken from it if need be.",
)  # fmt: skip
@click.option(
    "--like", type=_FILE_OR_FOLDER, metavar="FILE|DIR",
    help="INPUTS are label maps: write them as those of this image, or of the images of their names in a folder.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("-v", "--verbose", is_flag=True, help="Print traces of faults.")
def convert(
    inputs: tuple[Path, ...],
    output_folder: Path,
    box_options: tuple[str, ...],
    box_path: Path | None,
    modality: str | None,
    window: str | None,
    limits: Limits,
    truth: Path | None,
    like: Path | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Write INPUTS, files or folders of any kind, as challenge .npz with `imgs`, `boxes`, `spacing` and `gts`.

    With --like the way back: label maps, `segs` say, become those of their original image, in its kind and its
    orientation. A file that fails harms no other. Exit codes: 0 all done, 1 some failed, 2 wrong usage or set-up.
    """
    from ..cases.convert import like_original, to_challenge
    from ..cases.discover import find_cases, prepare_output_folder
    from ..cases.formats import KINDS, NPZ

    if verbose:
        import logging

        logging.basicConfig(level=logging.DEBUG, format="%(message)s")
    if like is not None and (box_options or box_path or modality or window or truth):
        raise click.UsageError("--like takes none of --box, --boxes, --modality, --window and --truth")
    request = read_request(box_options, box_path, modality, window, limits)
    cases = find_cases(inputs, KINDS)
    prepare_output_folder(output_folder, () if like else cases, NPZ)
    if like is None:
        results = to_challenge(cases, output_folder, request, truth)
    else:
        results = like_original(cases, output_folder, like, limits)
    failed = 0
    for result in results:
        failed += result.error is not None
        for line in () if quiet else result.notes:
            say(f"  {result.name}: {line}")
        if result.error:
            say(f"swinlite: {result.error}")
    if not quiet:
        say(f"{len(cases) - failed} written, {failed} failed of {len(cases)}; in {output_folder}")
    return SOME_CASE_FAILED if failed else 0
