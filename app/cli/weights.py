"""`swinlite weights`: which models there are, whether their files are right, and how to add or prepare one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import OutputError, WeightsError
from .say import say

if TYPE_CHECKING:
    from ..weights.manifest import WeightsFile
    from ..weights.publish import Dtype


@click.group()
def weights() -> None:
    """List, verify, import and prepare model weights."""


@weights.command("list")
def list_models() -> None:
    """List the models of the manifest; the default one is marked with a star."""
    from ..weights.manifest import Manifest

    manifest = Manifest.read()
    default = manifest.find(None).name
    for entry in manifest.entries:
        place = f"package {entry.package.name} {entry.package.version}" if entry.package else entry.file
        click.echo(f"{'*' if entry.name == default else ' '} {entry.name}  ({entry.architecture}, {place})")
        click.echo(f"    sha256   {entry.sha256}")
        click.echo(f"    licences code {entry.code_licence}; weights {entry.weights_licence}")
        click.echo(f"    source   {entry.source}")


@weights.command()
def verify() -> int:
    """Check the hashes of the manifest's files and of graphs made of them; exit code 2 where one is missing or altered.

    Graphs are those that came with the weights and those in the cache, for the OpenVINO that is installed.
    """
    from ..weights.manifest import Manifest

    manifest = Manifest.read()
    wrong = 0
    for entry in manifest.entries:
        try:
            found = manifest.weights(entry.name)
            found.check()
            click.echo(f"{entry.name}: as the manifest says")
            for folder in _check_graphs(found):
                click.echo(f"{entry.name}: as it was made: {folder}")
        except WeightsError as error:
            wrong += 1
            say(f"{entry.name}: {error}")
    return WeightsError.exit_code if wrong else 0


def _check_graphs(found: WeightsFile) -> list[Path]:
    """The folders of graphs of these weights, each checked. Raises WeightsError."""
    try:
        from ..engines.graphs import kept_folders
        from ..engines.kept import read_facts
    except ImportError:  # without OpenVINO there is nothing that reads them
        return []
    folders = kept_folders(found)
    for folder in folders:
        read_facts(folder)
    return folders


@weights.command()
@click.option("--model", "models", multiple=True, metavar="NAME", help="A model; default: the one marked in the list.")
@click.option("--folder", type=click.Path(path_type=Path), help="Default: graphs, in the weights folder in use.")
def export(models: tuple[str, ...], folder: Path | None) -> None:
    """Make OpenVINO's graphs of models, so that no run has to; a container has them from its build."""
    from ..engines.graphs import graphs_name, make_graphs, shipped_folder, write_graphs
    from ..weights.manifest import find_weights

    for model in models or (None,):
        found = find_weights(model)
        target = (folder or shipped_folder()) / graphs_name(found)
        if not target.is_dir():
            try:
                write_graphs(make_graphs(found), target)
            except OSError as error:
                raise OutputError(f"{target}: cannot be written: {error.strerror}; choose another --folder") from error
        click.echo(f"{found.name}: {target}")


@weights.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Name of the model; default: the file's name without its ending.")
@click.option("--dtype", type=click.Choice(["float16", "float32"]), default="float16", show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Weights folder; default: the one in use.")
@click.option("--code-licence", default="not stated", show_default=True, help="Licence of the code it came with.")
@click.option("--weights-licence", default="not stated", show_default=True, help="Licence of the weights themselves.")
@click.option("--source", help="Where the model comes from; default: the file's name and hash.")
@click.option("--encoder-from", metavar="MODEL", help="Leave the image encoder out, as it is this other model's.")
def import_file(
    file: Path,
    name: str | None,
    dtype: Dtype,
    folder: Path | None,
    code_licence: str,
    weights_licence: str,
    source: str | None,
    encoder_from: str | None,
) -> None:
    """Bring in a checkpoint, published or of one's own training, as safetensors.

    FILE is a .pth (a state dict, bare or under `model`) or a .safetensors. Nothing but tensors is ever
    unpickled. Parameters that no forward pass reads are dropped.
    """
    from ..weights.manifest import weights_folder
    from ..weights.publish import Origin, import_checkpoint

    name = name or file.stem
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        message = f"{name!r}: use letters, digits, dots, dashes and underscores, 64 at most"
        raise click.BadParameter(message, param_hint="--name")
    origin = Origin(code_licence, weights_licence, source)
    entry = import_checkpoint(file, folder or weights_folder(), name, dtype, origin, encoder_from)
    click.echo(f"{entry.name}: {entry.architecture}, {dtype}, sha256 {entry.sha256}")
