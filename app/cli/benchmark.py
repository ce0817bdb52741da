"""`swinlite benchmark`: seconds of one case at a time, each by a fresh process, as the challenge times it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import InputError, OutputError
from .say import say

if TYPE_CHECKING:
    from ..benchmark.records import Setting
    from ..benchmark.rounds import Bench, CaseTimes
    from ..benchmark.runtime import RuntimeChoice

SOME_RUN_FAILED = 1

_FILE_OR_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("cases", nargs=-1, type=_FILE_OR_FOLDER)
@click.option(
    "-o", "--output", "output_folder", required=True, type=_FILE_OR_FOLDER, metavar="DIR",
    help="Folder for NAME_running_time.csv and the label maps of each system.",
)  # fmt: skip
@click.option(
    "--suite", type=click.Choice(["standard"]),
    help="Instead of CASES: synthetic ones shaped as fourteen whose seconds have been published; kept in DIR/cases.",
)  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME", help="Only this case; may be given again.")
@click.option(
    "--peer", "peer_commands", multiple=True, metavar="CMD",
    help="Time this program too, in turn: a command with {inputs} and {outputs} for its folders, and {timing} for a "
    "table of its parts if it writes one as predict --timing does. May be given again.",
)  # fmt: skip
@click.option(
    "--runtime", type=click.Choice(["auto", "docker", "podman", "process"]), default="auto", show_default=True,
    help="What swinlite runs in; auto: a container where docker or podman has the image, else a process.",
)  # fmt: skip
@click.option("--image", default="swinlite:latest", show_default=True, metavar="NAME", help="The container's image.")
@click.option(
    "--warm-up", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
    help="Runs of each system on the smallest case that do not count.",
)  # fmt: skip
@click.option(
    "--repeats", type=click.IntRange(min=1), default=3, show_default=True, metavar="N", help="Runs of each case."
)
@click.option("--json", "json_file", type=_FILE_OR_FOLDER, metavar="FILE", help="Write every run's numbers here.")
def benchmark(
    cases: tuple[Path, ...],
    output_folder: Path,
    suite: str | None,
    only: tuple[str, ...],
    peer_commands: tuple[str, ...],
    runtime: RuntimeChoice,
    image: str,
    warm_up: int,
    repeats: int,
    json_file: Path | None,
) -> int:
    """Time CASES, challenge .npz files or folders of them.

    Each run is a new container or process with one case, from its start to its end. Prints medians over the repeats,
    their range, where the time went, the peak of memory, and DSC where a case has `gts`; table and files grow case by
    case. Exit codes: 0 all done, 1 some run failed, 2 wrong usage or set-up, 130 interrupted.
    """
    from ..benchmark.memory_group import memory_group
    from ..benchmark.records import Setting
    from ..benchmark.rounds import Bench
    from ..benchmark.runtime import choose_runtime
    from ..benchmark.systems import MEMORY_LIMIT, limit_in_words, peers, swinlite
    from ..cases.discover import prepare_output_folder

    chosen = choose_runtime(runtime, image)
    systems = (swinlite(chosen, image), *peers(peer_commands))
    files = _gather(cases, suite, only, output_folder)
    for folder in (*(output_folder / system.name for system in systems), *([json_file.parent] if json_file else [])):
        prepare_output_folder(folder, files)
    with memory_group(MEMORY_LIMIT) as group:
        where = f"{chosen.engine or 'a process'}: {chosen.why}"
        setting = Setting(systems, where, limit_in_words(systems, group), warm_up, repeats)
        _announce(setting, files)
        bench = Bench(systems, output_folder, group, _tell)
        bench.warm_up(min(files, key=lambda file: file.stat().st_size), warm_up)
        times = _time(bench, files, setting, output_folder, json_file)
    return _summarise(times)


def _gather(cases: tuple[Path, ...], suite: str | None, only: tuple[str, ...], output_folder: Path) -> list[Path]:
    """Case files in name order; those of a suite are made."""
    from ..benchmark.standard import STANDARD
    from ..cases.discover import find_cases

    if bool(cases) == (suite is not None):
        raise click.UsageError("Give either CASES or --suite standard.")
    files = [Path(f"{kind.name}.npz") for kind in STANDARD] if suite else find_cases(cases)
    if unknown := set(only) - {file.stem for file in files}:
        listed = ", ".join(file.stem for file in files)
        raise InputError(f"--only {', '.join(sorted(unknown))}: no such case; there are {listed}")
    chosen = [file for file in files if not only or file.stem in only]
    return _make_suite(chosen, output_folder / "cases") if suite else chosen


def _make_suite(files: list[Path], folder: Path) -> list[Path]:
    """Make the standard suite's cases of these names."""
    from ..benchmark.phantoms import write_case
    from ..benchmark.standard import STANDARD
    from ..cases.discover import prepare_output_folder
    from ..processes import apart

    prepare_output_folder(folder, ())
    names = {file.stem for file in files}
    say(f"making {len(files)} synthetic cases in {folder}")
    try:
        return [apart(write_case, kind, folder) for kind in STANDARD if kind.name in names]
    except OSError as error:
        raise OutputError(f"{folder}: the cases cannot be written: {error.strerror}; free some space") from error


def _announce(setting: Setting, files: list[Path]) -> None:
    """How it is measured, and what the figures beside it are."""
    from ..benchmark.standard import PUBLISHED, PUBLISHED_MEANS
    from ..run.record import machine_facts

    machine = machine_facts()
    click.echo(f"{machine['processor']}, {machine['cores']} processors, {machine['memory_gib']} GiB")
    click.echo(f"swinlite in {setting.where}")
    click.echo(f"memory: {setting.limit}")
    for peer in setting.systems[1:]:
        click.echo(f"{peer.name}: {shlex.join(peer.command)}")
    if any(file.stem in PUBLISHED for file in files):
        click.echo("PyTorch, ONNX, OpenVINO: published for an i7-12700 with 20 threads; Rep-MedSAM: its README's.")
        click.echo("WARNING: processors differ; so do cases, if these are synthetic: their DSC is of phantoms, too.")
        for mean in PUBLISHED_MEANS:
            click.echo(f"published: {mean}")


def _tell(case: str, system: str, outcome: str) -> None:
    say(f"  {case}, {system}: {outcome}")


def _time(
    bench: Bench, files: list[Path], setting: Setting, output_folder: Path, json_file: Path | None
) -> list[CaseTimes]:
    """Print and write each case when it is done."""
    from ..benchmark.records import table_head, table_lines, write_json, write_running_times
    from ..benchmark.standard import PUBLISHED

    published = any(file.stem in PUBLISHED for file in files)
    click.echo(f"\n{table_head(published=published)}")
    times: list[CaseTimes] = []
    for file in files:
        times.append(bench.time(file, setting.repeats))
        click.echo(table_lines(times[-1], published=published))
        try:
            write_running_times(output_folder, times)
            if json_file is not None:
                write_json(json_file, setting, times)
        except OSError as error:
            raise OutputError(f"{error.filename or output_folder}: cannot be written: {error.strerror}") from error
    return times


def _summarise(times: list[CaseTimes]) -> int:
    """Name what failed, and give the exit code."""
    faults = [(case.name, one.system, one.fault) for case in times for one in case.outcomes if one.fault]
    for name, system, fault in faults:
        say(f"swinlite: {name}, {system}: {fault}")
    return SOME_RUN_FAILED if faults else 0
