"""`swinlite predict`: cases in, label maps out."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError
from ..interrupts import STOPS, exit_code, raise_if_terminated
from ..memory import available_memory
from ..prompts.rules import GUIDES, PROMPT_PARTS, PROMPT_RULES, Guide, PromptParts, PromptRule, PromptStyle
from ..threads import available_threads
from .case_options import case_options, read_request
from .limit_options import ByteSize, limit_options
from .printer import Printer

if TYPE_CHECKING:
    from ..cases.limits import Limits
    from ..engines.load import EngineChoice, PrecisionChoice
    from ..run.batch import CaseResult
    from ..segment.strategy import Views

SOME_CASE_FAILED = 1

_FILE_OR_FOLDER = click.Path(path_type=Path)


@click.command()
@click.option(
    "-i", "--input", "inputs", multiple=True, required=True, type=_FILE_OR_FOLDER, metavar="DIR|FILE...",
    help="Challenge .npz files, pictures, .nii, .nii.gz, DICOM files and folders of a series, or folders of them; "
    "more may follow, so -i *.npz works.",
)  # fmt: skip
@click.argument("more_inputs", nargs=-1, type=_FILE_OR_FOLDER, metavar="")
@click.option(
    "-o", "--output", "output_folder", required=True, type=_FILE_OR_FOLDER, metavar="DIR",
    help="Folder for the label maps, each under the name of its input and of its kind.",
)  # fmt: skip
@case_options
@limit_options
@click.option(
    "--format", "output_format", type=click.Choice(["input", "npz"]), default="input", show_default=True,
    help="Kind of the label maps: that of each input (pictures: PNG), or the challenge's.",
)  # fmt: skip
@click.option("--model", metavar="NAME", help="A model of `swinlite weights list`; default: the one marked there.")
@click.option(
    "--weights", type=_FILE_OR_FOLDER, metavar="FILE", help="Use these weights instead, .safetensors or .pth."
)
@click.option(
    "--views", type=click.Choice(["axial", "all"]),
    help="Sweep volumes along their slices (default: axial), or along all axes and keep what two sweeps agree on.",
)  # fmt: skip
@click.option(
    "--strategy", "strategy_file", type=_FILE_OR_FOLDER, metavar="JSON",
    help="Take model and views by modality from this map.",
)  # fmt: skip
@click.option(
    "--modality-from-name", is_flag=True,
    help="Let the --strategy go by each file's name, such as 3DBox_PET_0001, in place of --modality.",
)  # fmt: skip
@click.option("--seed", type=int, default=42, show_default=True, help="Seed of the random points and scribbles.")
@click.option(
    "--prompt-rule", type=click.Choice(PROMPT_RULES), default="code", show_default=True,
    help="Where in a box points and scribble may lie: as in the published code, or as in its paper.",
)  # fmt: skip
@click.option(
    "--prompt-parts", type=click.Choice(PROMPT_PARTS), default="scribble", show_default=True,
    help="What is made of a box: nothing more, four points, or points and a scribble.",
)  # fmt: skip
@click.option(
    "--guide", type=click.Choice(GUIDES), default="image", show_default=True,
    help="Draw points and scribble on visible pixels of the image, or of a first mask from the box alone.",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(["auto", "torch", "openvino"]), default="auto", show_default=True,
    help="What computes; auto: OpenVINO where it is installed, else torch.",
)  # fmt: skip
@click.option(
    "--precision", type=click.Choice(["auto", "float32", "bfloat16"]), default="auto", show_default=True,
    help="auto: bfloat16 where the processor has it and the model's masks are known to stay the same.",
)  # fmt: skip
@click.option("--threads", type=click.IntRange(min=1), help="Processor threads; default: all that may be used.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True,
    help="Processes that segment cases side by side and share the threads.",
)  # fmt: skip
@click.option(
    "--memory-limit", type=ByteSize(), metavar="SIZE",
    help="Memory for all of it, which batches and caches follow: 8GB, 1500M. Cases that need more are refused. "
    "Default: the container's limit, else 8 GB or half of the machine's.",
)  # fmt: skip
@click.option("--skip-existing", is_flag=True, help="Leave out cases whose output, and overlay if asked for, is there.")
@click.option("--overlay", "overlay_folder", type=_FILE_OR_FOLDER, metavar="DIR", help="Also draw a PNG a case here.")
@click.option(
    "--timing", "timing_csv", type=_FILE_OR_FOLDER, metavar="CSV",
    help="Write the time of each case here, and a run report beside it as .json.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("-v", "--verbose", is_flag=True, help="Print where the time of each case goes, and traces of faults.")
def predict(
    inputs: tuple[Path, ...],
    more_inputs: tuple[Path, ...],
    output_folder: Path,
    box_options: tuple[str, ...],
    box_path: Path | None,
    modality: str | None,
    window: str | None,
    limits: Limits,
    output_format: str,
    model: str | None,
    weights: Path | None,
    views: Views | None,
    strategy_file: Path | None,
    modality_from_name: bool,
    seed: int,
    prompt_rule: PromptRule,
    prompt_parts: PromptParts,
    guide: Guide,
    engine: EngineChoice,
    precision: PrecisionChoice,
    threads: int | None,
    workers: int,
    memory_limit: int | None,
    skip_existing: bool,
    overlay_folder: Path | None,
    timing_csv: Path | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Segment every box of every case.

    A case is an .npz with `imgs`, (H, W, 3) or (D, H, W), and `boxes`, (N, 4) or (N, 6), or a picture or a
    volume of another format with boxes from --box or --boxes. Its output is a label map: k the object of box k,
    or the label that the box was given. A case that fails harms no other. Exit codes: 0 all done, 1 some case
    failed, 2 wrong usage or set-up, 130 interrupted, 143 terminated.
    """
    from ..cases.discover import find_cases, prepare_output_folder
    from ..cases.formats import KINDS, NPZ
    from ..segment.strategy import Treatment, read_strategy

    start = time.perf_counter()
    if timing_csv is not None and timing_csv.suffix == ".json":
        raise click.BadParameter("ends in .json, which is the run report's; name it .csv", param_hint="--timing")
    _check_strategy_options(strategy_file, modality, modality_from_name, (model, weights, views))
    memory = (memory_limit or available_memory()) // workers
    request = read_request(box_options, box_path, modality, window, replace(limits, memory=memory))
    cases, written = find_cases((*inputs, *more_inputs), KINDS), NPZ if output_format == "npz" else None
    if strategy_file is None:
        treatments = [Treatment(model, views or "axial")] * len(cases)
    else:
        treatments = read_strategy(strategy_file).treat(cases, modality)
    prepare_output_folder(output_folder, cases, written, overlay_folder)
    for folder in (overlay_folder, timing_csv.parent if timing_csv else None):
        if folder is not None:
            prepare_output_folder(folder, ())

    from ..run.batch import Job, Models, Task, run_batch
    from ..segment.segmenter import load_segmenter

    style = PromptStyle(seed, prompt_rule, prompt_parts, guide)
    load = partial(
        load_segmenter, weights=weights, engine=engine, precision=precision,
        threads=max(1, (threads or available_threads()) // workers), memory=memory, style=style,
    )  # fmt: skip
    models = Models(load)
    infos = {name: models.get(name).info for name in dict.fromkeys(treatment.model for treatment in treatments)}
    facts = [models.get(name).facts for name in infos]
    if workers > 1:
        models = Models(load)  # each process loads its own; those of this one can go
    task = Task(output_folder, request, written, skip_existing, overlay_folder)
    jobs = [Job(path, how, infos[how.model].model, task) for path, how in zip(cases, treatments, strict=True)]
    startup = time.perf_counter() - start
    printer = Printer(len(cases), quiet, verbose)
    printer.announce(list(infos.values()))
    stop = None
    try:
        with printer.progress() as tick:
            for result in run_batch(jobs, models, workers):
                printer.results.append(result)
                tick(result)
                raise_if_terminated()
    except STOPS as error:
        stop = error
    failed = printer.summarise(output_folder, time.perf_counter() - start, stopped=stop is not None)
    if timing_csv is not None:
        settings = {
            "strategy": strategy_file and str(strategy_file.resolve()),
            "inputs": [str(path.resolve()) for path in (*inputs, *more_inputs)],
            "boxes": str(box_path.resolve()) if box_path else list(box_options),
            "modality": modality,
            "window": window,
            "limits": asdict(request.limits),
            "format": output_format,
            "workers": workers,
        }
        results = sorted(printer.results, key=lambda result: result.file)
        _write_records(timing_csv, facts, results, settings, startup)
    return exit_code(stop) if stop else SOME_CASE_FAILED if failed else 0


def _check_strategy_options(
    strategy: Path | None, modality: str | None, modality_from_name: bool, plain: tuple[object, ...]
) -> None:
    """`plain` are the options that name a model or views for all cases alike. Raises click.UsageError."""
    if strategy is None and modality_from_name:
        raise click.UsageError("--modality-from-name chooses from a --strategy; give one")
    if strategy is not None and bool(modality) == modality_from_name:
        raise click.UsageError("--strategy goes by modality; give either --modality NAME or --modality-from-name")
    if strategy is not None and any(option is not None for option in plain):
        raise click.UsageError("--strategy names models and views; leave out --model, --weights and --views")


def _write_records(
    timing_csv: Path, models: list[dict[str, Any]], results: list[CaseResult], settings: dict[str, Any], startup: float
) -> None:
    from ..run.record import write_run_report, write_timing

    try:
        write_timing(timing_csv, results)
        write_run_report(timing_csv.with_suffix(".json"), models, results, settings, startup)
    except OSError as error:
        raise OutputError(f"{timing_csv}: cannot be written: {error.strerror}; the label maps are whole") from error
