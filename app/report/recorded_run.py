"""A run report, read again: what ran, on what, with which prompts, and how long each case took."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cases.formats import NPZ, Kind
from ..cases.limits import DEFAULT_LIMITS, Limits
from ..cases.text_files import read_json
from ..errors import InputError
from ..prompts.rules import PromptStyle

_KEYS = {"swinlite", "models", "settings", "machine", "versions", "cases"}


@dataclass(frozen=True)
class RecordedCase:
    """What became of one case. outcome: done, skipped or failed. seconds: its running time, 0 unless done.

    style: of the prompts that its model was given.
    """

    outcome: str
    error: str | None
    seconds: float
    stages: dict[str, float]
    style: PromptStyle


@dataclass(frozen=True)
class Asked:
    """What a run was asked about all its cases, as the options of `swinlite predict` have it."""

    box_options: tuple[str, ...] = ()
    box_path: Path | None = None
    modality: str | None = None
    window: str | None = None
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True)
class RecordedRun:
    """One run of `swinlite predict`. written: the kind of its label maps, None for that of each input.

    facts: for the reader, what is said of the run by what it is about.
    """

    inputs: tuple[Path, ...]
    asked: Asked
    written: Kind | None
    facts: dict[str, str]
    cases: dict[str, RecordedCase]

    def drawn_style(self, case: str) -> PromptStyle | None:
        """How the points and scribbles of a case were drawn, where they can be drawn again without the model."""
        recorded = self.cases.get(case)
        if recorded is None or recorded.outcome != "done":
            return None
        style = recorded.style
        return style if style.parts != "box" and style.guide == "image" else None


def find_run(folder: Path) -> Path | None:
    """The run report in a folder, or None. Raises InputError where there is more than one."""
    found = [path for path in sorted(folder.glob("*.json")) if _is_run_report(path)]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise InputError(f"{folder}: expected one run report, found {names}; name the right one with --run")
    return found[0] if found else None


def read_run(path: Path) -> RecordedRun:
    """Read what `swinlite predict --timing` wrote. Raises InputError, naming the file."""
    try:
        report = read_json(path)
        settings = report["settings"]
        styles = {model["model"]: PromptStyle(**model["prompts"]) for model in report["models"]}
        return RecordedRun(
            inputs=tuple(Path(text) for text in settings["inputs"]),
            asked=_asked(settings),
            written=NPZ if settings["format"] == "npz" else None,
            facts=_facts(report),
            cases={case["name"]: _case(case, styles) for case in report["cases"]},
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: expected the run report that `swinlite predict --timing` writes, found another file ({error!r})"
        ) from error


def _is_run_report(path: Path) -> bool:
    try:
        report = read_json(path)
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and report.keys() >= _KEYS


def _asked(settings: dict[str, Any]) -> Asked:
    boxes, limits = settings["boxes"], Limits(**settings["limits"])
    listed, path = ((), Path(boxes)) if isinstance(boxes, str) else (tuple(boxes), None)
    return Asked(listed, path, settings["modality"], settings["window"], limits)


def _case(case: dict[str, Any], styles: dict[str, PromptStyle]) -> RecordedCase:
    style = styles[case["model"]]
    return RecordedCase(case["outcome"], case["error"], case["running_time"], case["stages"], style)


def _facts(report: dict[str, Any]) -> dict[str, str]:
    models, machine, versions = report["models"], report["machine"], report["versions"]
    outcomes = [case["outcome"] for case in report["cases"]]
    counts = [f"{outcomes.count(outcome)} {outcome}" for outcome in ("done", "skipped", "failed")]
    engines = [f"{model['engine']}, {model['precision']}, threads: {model['threads']}" for model in models]
    return {
        "Cases": ", ".join(counts),
        "Model": _each([f"{model['model']}, sha256 {model['weights_sha256'][:12]}" for model in models]),
        "Engine": _each(engines),
        "Prompts": _each([_in_words(PromptStyle(**model["prompts"])) for model in models]),
        "Machine": f"{machine['processor']}, cores: {machine['cores']}, {machine['memory_gib']} GiB",
        "System": machine["system"],
        "Start-up": f"{report['startup_seconds']:.2f} s",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "swinlite": report["swinlite"],
    }


def _each(of_models: list[str]) -> str:
    """What is said of each model, once where it is the same."""
    return "; ".join(dict.fromkeys(of_models))


def _in_words(style: PromptStyle) -> str:
    parts = {"box": "box alone", "points": "box and points", "scribble": "box, points and scribble"}[style.parts]
    drawn = f", on the {style.guide}, rule {style.rule}, seed {style.seed}"
    return parts + ("" if style.parts == "box" else drawn)
