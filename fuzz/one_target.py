"""The process that fuzzes one target: `python -m fuzz.one_target NAME SECONDS`.

Ends with libFuzzer's own exit code. Crashes that are Python exceptions are kept, one input a kind, and the run goes
on; after a crash of the process, a hang or too much memory libFuzzer keeps the input and ends.
"""

from __future__ import annotations

import inspect
import sys
import tempfile
import traceback
from pathlib import Path
from types import ModuleType

import atheris

from .folders import corpus_of, crashes_of

# Python code of libraries that readers run; all of such a library would take a minute to instrument.
_LIBRARIES = (
    "csv", "json.decoder", "nibabel.arrayproxy", "nibabel.nifti1", "nibabel.spatialimages", "nibabel.volumeutils",
    "numpy.lib.format", "numpy.lib._npyio_impl", "pydicom.dataelem", "pydicom.dataset", "pydicom.filereader",
    "pydicom.pixels.common", "pydicom.pixels.decoders.base", "pydicom.pixels.utils", "pydicom.values",
    "highdicom.seg.sop", "highdicom._module_utils", "tarfile", "torch._weights_only_unpickler", "zipfile",
)  # fmt: skip
_SECONDS_AN_INPUT, _MEMORY_MIB = 10, 2048

with atheris.instrument_imports(include=["app"]):
    from .targets import TARGETS, Target
    from .watch import crashes, name_of


def main(name: str, seconds: int) -> None:
    """Fuzz until the time is over; the corpus begins with the seeds."""
    target = next(target for target in TARGETS if target.name == name)
    corpus, found = corpus_of(name), crashes_of(name)
    with atheris.instrument_imports(include=["app"]):  # of what readers import when they are called
        _write_seeds(target, corpus)
    for library in _LIBRARIES:
        if library in sys.modules:
            _instrument(sys.modules[library])
    options: dict[str, object] = {
        "max_total_time": seconds,
        "max_len": target.longest,
        "timeout": _SECONDS_AN_INPUT,
        "rss_limit_mb": _MEMORY_MIB,
        "print_final_stats": 1,
        "artifact_prefix": f"{found}/",
    }
    if target.words:  # libFuzzer takes no empty dictionary
        options["dict"] = corpus.with_suffix(".dict")
        corpus.with_suffix(".dict").write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
    arguments = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], lambda data: _try(target, data, found))
    atheris.Fuzz()


def _try(target: Target, data: bytes, found: Path) -> None:
    for crash in crashes(target, data):
        kept = found / name_of(crash)
        if not kept.exists():
            kept.write_bytes(data)
            kept.with_suffix(".txt").write_text("".join(traceback.format_exception(crash)))


def _write_seeds(target: Target, corpus: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds(Path(folder))):
            (corpus / f"seed-{number}").write_bytes(seed)
            for _ in crashes(target, seed):
                pass


def _instrument(module: ModuleType) -> None:
    """Every function and method that a module defines."""
    ours = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    classes = [value for value in ours if inspect.isclass(value)]
    for value in (*ours, *(member for class_ in classes for member in vars(class_).values())):
        if inspect.isfunction(value):
            atheris.instrument_func(value)


def _escaped(word: str) -> str:
    """As libFuzzer's dictionaries have it."""
    return word.replace("\\", "\\\\").replace('"', '\\"')


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
