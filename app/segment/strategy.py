"""Which model and which views each modality's cases get: a JSON map, asked for and never guessed.

    {"PET": {"views": "all"}, "default": {"model": "litemedsam-skip", "views": "axial"}}

A modality's name is read in any case. Its `model` is one of the manifest, by default the manifest's default; its
`views` are axial or all, by default axial. `default` is for every modality that the map does not name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ..cases.formats import base_name
from ..cases.names import modality_in_name
from ..cases.text_files import read_json
from ..errors import InputError, WeightsError
from ..weights.manifest import Manifest

# Of a volume: the slices as they are stored, or those along each of its axes.
Views = Literal["axial", "all"]
VIEWS: tuple[Views, ...] = get_args(Views)

DEFAULT = "default"
_EXAMPLE = '{"PET": {"views": "all"}, "default": {}}'


@dataclass(frozen=True)
class Treatment:
    """How a case is segmented. model: a name of the manifest, None for its default."""

    model: str | None
    views: Views


@dataclass(frozen=True)
class Strategy:
    """The treatment of each modality, in upper case, as `file` has it; None for the others where it has no default."""

    file: Path
    treatments: Mapping[str, Treatment]
    default: Treatment | None

    def treat(self, cases: Sequence[Path], modality: str | None) -> list[Treatment]:
        """Of each case file: that of `modality`, or of the one that the file's own name holds where it is None.

        Raises InputError where a name holds no modality, or the map has neither it nor a default.
        """
        return [self._treatment(modality or _modality_of(case), case) for case in cases]

    def _treatment(self, modality: str, case: Path) -> Treatment:
        treatment = self.treatments.get(modality.upper(), self.default)
        if treatment is None:
            known = ", ".join(self.treatments) or "nothing"
            raise InputError(
                f'{self.file}: has no "{modality.upper()}", of which {case.name} is, and no "{DEFAULT}"; '
                f"it has {known}; add one"
            )
        return treatment


def read_strategy(file: Path) -> Strategy:
    """Read a map. Raises InputError, naming the file and the key, also where the manifest has no such model."""
    try:
        content = read_json(file)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{file}: is no JSON ({error}); expected a map such as {_EXAMPLE}") from error
    if not isinstance(content, dict):
        raise InputError(f"{file}: holds {json.dumps(content)[:40]}, expected a map such as {_EXAMPLE}")
    manifest = Manifest.read()
    treatments = {key: _treatment(f'{file}: "{key}"', value, manifest) for key, value in content.items()}
    default = treatments.pop(DEFAULT, None)
    named = {key.upper(): treatment for key, treatment in treatments.items()}
    if len(named) < len(treatments):
        raise InputError(f"{file}: names a modality twice, in upper and lower case; leave one out")
    return Strategy(file, named, default)


def _treatment(where: str, entry: Any, manifest: Manifest) -> Treatment:
    """`entry` is what the map has at `where`, the words that begin a message."""
    if not isinstance(entry, dict):
        raise InputError(f'{where} is {json.dumps(entry)}, expected an object that may have "model" and "views"')
    if surplus := entry.keys() - {"model", "views"}:
        raise InputError(f'{where} has "{min(surplus)}", expected "model" and "views" alone')
    views = entry.get("views", "axial")
    if views not in VIEWS:
        raise InputError(f'{where}: "views" is {json.dumps(views)}, expected one of {", ".join(VIEWS)}')
    try:
        return Treatment(manifest.find(entry.get("model")).name, views)
    except WeightsError as error:
        raise InputError(f'{where}: "model": {error}') from error


def _modality_of(case: Path) -> str:
    modality = modality_in_name(base_name(case))
    if modality is None:
        raise InputError(
            f"{case.name}: its name holds no modality, expected one like 3DBox_PET_0001; rename it, or give --modality"
        )
    return modality
