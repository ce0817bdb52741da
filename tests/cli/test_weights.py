"""`swinlite weights` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from app.cli import main
from app.networks.models import ARCHITECTURES


def test_list_and_verify_name_the_default_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    assert "* " in capsys.readouterr().out
    assert main(["weights", "verify"]) == 0
    assert "litemedsam: as the manifest says" in capsys.readouterr().out


def test_verify_names_what_is_wrong_and_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    described = dict.fromkeys(("code_licence", "weights_licence", "source"), "?")
    model = described | {"name": "mine", "architecture": "litemedsam", "sha256": "0" * 64, "file": "mine.safetensors"}
    (tmp_path / "manifest.json").write_text(json.dumps({"models": [model]}))
    (tmp_path / "mine.safetensors").write_bytes(b"altered")
    monkeypatch.setattr("app.weights.manifest._FOLDERS", (tmp_path,))
    assert main(["weights", "verify"]) == 2
    assert f"expected sha256 {'0' * 64}, got" in capsys.readouterr().err


def test_import_writes_safetensors_and_a_manifest_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(ARCHITECTURES["litemedsam"].build().state_dict(), tmp_path / "lite.pth")
    folder = tmp_path / "weights"
    assert main(["weights", "import", str(tmp_path / "lite.pth"), "--folder", str(folder), "--dtype", "float16"]) == 0
    assert "lite: litemedsam, float16, sha256" in capsys.readouterr().out
    [model] = json.loads((folder / "manifest.json").read_text())["models"]
    assert model["file"] == "lite.safetensors"
    assert (folder / "lite.safetensors").exists()
    assert main(["weights", "import", str(tmp_path / "lite.pth"), "--folder", str(folder)]) == 2
    assert "has a model lite already; choose another name" in capsys.readouterr().err
    assert main(["weights", "import", str(tmp_path / "lite.pth"), "--name", "../evil", "--folder", str(folder)]) == 2
    assert "letters, digits" in capsys.readouterr().err


def test_export_writes_graphs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[Path] = []

    def write(_: object, folder: Path) -> None:
        folder.mkdir()
        written.append(folder)

    monkeypatch.setattr("app.engines.graphs.make_graphs", lambda _: None)
    monkeypatch.setattr("app.engines.graphs.write_graphs", write)
    for _ in range(2):
        assert main(["weights", "export", "--model", "litemedsam", "--folder", str(tmp_path)]) == 0
        assert capsys.readouterr().out == f"litemedsam: {written[0]}\n"
    assert len(written) == 1
    assert written[0].parent == tmp_path


def test_export_to_a_folder_that_cannot_be_written_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.engines.graphs.make_graphs", lambda _: None)
    (tmp_path / "file").touch()
    assert main(["weights", "export", "--model", "litemedsam", "--folder", str(tmp_path / "file")]) == 2
    assert "cannot be written: Not a directory; choose another --folder" in capsys.readouterr().err
