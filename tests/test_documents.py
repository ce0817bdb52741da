"""What documents name is real: commands parse, make targets, files and links exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from app.cli import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
SHELL_LINES = [
    line
    for document in (README, CONTRIBUTING)
    for block in re.findall(r"```sh\n(.*?)```", document, re.DOTALL)
    for line in block.splitlines()
]
COMMANDS = [line for line in SHELL_LINES if line.startswith("swinlite ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_a_document_parses(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoint.pth").touch()
    for folder in ("cases", "outputs", "outputs-before", "scans", "masks", "shards", "pictures", "val"):
        (tmp_path / folder).mkdir()
    for run in ("stage1", "decoder", "run1", "run2"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "student.safetensors").touch()
    command: click.Command = cli
    arguments = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]
    with command.make_context("swinlite", arguments) as context:
        assert context.params.keys() == {parameter.name for parameter in command.params}


def test_every_option_of_predict_is_in_the_readme() -> None:
    assert len(COMMANDS) >= 6
    for parameter in cli.commands["predict"].params:
        if isinstance(parameter, click.Option):
            short_or_long = [name for name in parameter.opts if f"`{name}" in README]
            assert short_or_long, f"{parameter.opts} is not described"


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [line.split()[1] for line in SHELL_LINES if line.startswith("make ")]
    assert {"predict", "check", "bench"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_links_and_rooms_exist() -> None:
    linked = {ROOT / link for link in re.findall(r"\]\(((?!https?:)[^)#]+)\)", README + CONTRIBUTING + ARCHITECTURE)}
    rooms = {ROOT / "app" / room for room in re.findall(r"`(\w+/\w+\.py)`", ARCHITECTURE)}
    assert len(rooms) > 10
    assert not [path for path in linked | rooms if not path.exists()]
