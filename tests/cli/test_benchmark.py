"""`swinlite benchmark` as its user meets it, with shell commands in the place of programs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from app.benchmark.systems import System
from app.cli import main
from tests.conftest import CaseWriter

COPY = "cp {inputs}/*.npz {outputs}"
FAKE_ENGINE = """#!/bin/sh
[ "$1" = image ] && { [ "$3" = swinlite:latest ] && exit 0; echo "no image $3" >&2; exit 1; }
for word; do
    case $word in
        *:/workspace/inputs) inputs=${word%%:*} ;;
        *:/workspace/outputs) outputs=${word%%:*} ;;
    esac
done
printf '%s\\n' "$@" "$(ls "$inputs")" | sed "s|$inputs|IN|; s|$outputs|OUT|" >> "$0.said"
cp "$inputs"/*.npz "$outputs"
"""


def benchmark(*arguments: str | Path) -> int:
    return main(["benchmark", *map(str, arguments)])


def table(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def cases(write_case: CaseWriter) -> Path:
    """A folder of two pictures whose files hold a label map too, so that a copy is an output; DSC 1 and 2/3."""
    whole = np.zeros((48, 64), np.uint8)
    whole[10:22, 10:22] = 1
    half = whole.copy()
    half[:, 16:] = 0
    write_case("a", gts=whole, segs=whole)
    return write_case("b", gts=whole, segs=half).parent


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """In swinlite's place a copy; a file that gets a letter for each of its runs."""
    order = tmp_path / "order"
    command = ("sh", "-c", f"{COPY}; printf s >> {order}")
    monkeypatch.setattr("app.benchmark.systems.swinlite", lambda *_: System("swinlite", command))
    return order


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only docker and podman on PATH; it has one image and writes down how it is run."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for engine in ("docker", "podman"):
        (folder / engine).write_text(FAKE_ENGINE)
        (folder / engine).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "docker"


def test_systems_take_turns_and_each_gets_its_csv(
    cases: Path, process: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    peer = f"sh -c '{COPY}; printf p >> {process}'"
    options = ("--runtime", "process", "--peer", peer, "--repeats", "2", "--json", report)
    assert benchmark(cases, "-o", out, *options) == 0
    assert process.read_text() == "sp" + "spps" * 2
    for system in ("swinlite", "peer1"):
        header, *rows = table(out / f"{system}_running_time.csv")
        assert header == ["CaseName", "RunningTime"]
        assert [name for name, _ in rows] == ["a.npz", "b.npz"]
        assert (out / system / "a.npz").read_bytes() == (cases / "a.npz").read_bytes()
    printed = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    found = [(row[0], row[1], row[2], row[3], row[12]) for row in printed if len(row) == 13 and row[0] in {"a", "b"}]
    assert found == [
        ("a", "48x64x3", "1", "swinlite", "1.0000"),
        ("a", "48x64x3", "1", "peer1", "1.0000"),
        ("b", "48x64x3", "1", "swinlite", "0.6667"),
        ("b", "48x64x3", "1", "peer1", "0.6667"),
    ]
    written = json.loads(report.read_text())
    assert written["setting"]["systems"][1]["command"][0] == "sh"
    assert [len(outcome["runs"]) for case in written["cases"] for outcome in case["outcomes"]] == [2] * 4


def test_the_parts_of_a_run_are_read_from_its_timing_table(cases: Path, process: Path, tmp_path: Path) -> None:
    line = "CaseName,RunningTime,read,encode,prompt,decode,write\\na.npz,0.9,0.1,0.2,0.1,0.2,0.1"
    peer = f"sh -c '{COPY}; printf \"{line}\" > {{timing}}'"
    report = tmp_path / "report.json"
    options = ("--runtime", "process", "--only", "a", "--warm-up", "0", "--repeats", "1", "--json", report)
    assert benchmark(cases, "-o", tmp_path / "out", "--peer", peer, *options) == 0
    (case,) = json.loads(report.read_text())["cases"]
    (run,) = case["outcomes"][1]["runs"]
    assert run["parts"]["encode"] == 0.2
    assert run["parts"]["rest"] == pytest.approx(0.9 - 0.7)
    assert sum(run["parts"].values()) == pytest.approx(run["seconds"])


def test_a_peer_that_fails_is_named_and_the_rest_goes_on(
    cases: Path, process: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks = "sh -c 'cp {inputs}/a.npz {outputs}'"
    idles = "sh -c 'true {inputs} {outputs}'"
    options = ("--runtime", "process", "--peer", breaks, "--peer", idles, "--repeats", "2")
    assert benchmark(cases, "-o", tmp_path / "out", *options) == 1
    assert process.read_text() == "s" * 5
    lengths = [len(table(tmp_path / "out" / f"{name}_running_time.csv")) for name in ("swinlite", "peer1", "peer2")]
    assert lengths == [3, 2, 1]
    closing = capsys.readouterr().err.splitlines()[-3:]
    assert closing[0] == "swinlite: a, peer2: ended well, but wrote no a.npz"
    assert closing[1].startswith("swinlite: b, peer1: ended with exit code 1; it said last: cp: cannot stat")


def test_an_interrupt_ends_the_run_and_keeps_what_is_done(
    interruptible: None, cases: Path, process: Path, tmp_path: Path
) -> None:
    peer = f"sh -c '{COPY}; test -e {{inputs}}/a.npz || {{ kill -INT $PPID; exec sleep 5; }}'"
    options = ("--runtime", "process", "--peer", peer, "--warm-up", "0", "--repeats", "1")
    assert benchmark(cases, "-o", tmp_path / "out", *options) == 130
    assert [row[0] for row in table(tmp_path / "out" / "peer1_running_time.csv")] == ["CaseName", "a.npz"]


def test_a_container_is_run_as_the_challenge_runs_it(
    cases: Path, docker: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--only", "b", "--warm-up", "0", "--repeats", "1")
    assert benchmark(cases, "-o", tmp_path / "out", *options) == 0
    assert Path(f"{docker}.said").read_text().splitlines() == [
        "container", "run", "--rm", "-m", "8G", "-v", "IN:/workspace/inputs", "-v", "OUT:/workspace/outputs",
        "swinlite:latest", "/bin/bash", "-c", "sh predict.sh", "b.npz",
    ]  # fmt: skip
    said = capsys.readouterr().out
    assert "swinlite in docker: it has the image swinlite:latest" in said
    assert "memory: 8 GiB by docker" in said


def test_what_is_not_to_be_had_is_said_before_any_work(
    cases: Path, docker: Path, process: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, message in (
        ((cases, "--runtime", "podman", "--image", "other"), "found podman: no image other; docker build -t other ."),
        ((cases, "--suite", "standard"), "either CASES or --suite"),
        ((), "either CASES or --suite"),
        ((cases, "--only", "c"), "--only c: no such case; there are a, b"),
        ((cases, "--peer", "cp {inputs}"), "expected {inputs} and {outputs}"),
        ((cases, "--peer", "nothing_of_this_name {inputs} {outputs}"), "no program nothing_of_this_name is found"),
        ((cases, "--peer", "sh -c 'cp {inputs} {outputs}"), "close its quotes"),
    ):
        assert benchmark(*arguments, "-o", tmp_path / "out") == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not process.exists()


def test_without_an_image_swinlite_is_a_process_and_says_why(
    cases: Path, docker: Path, process: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--image", "other", "--only", "a", "--warm-up", "0", "--repeats", "1")
    assert benchmark(cases, "-o", tmp_path / "out", *options) == 0
    assert (
        "a process: no container can be had: docker: no image other; podman: no image other" in capsys.readouterr().out
    )


def test_the_suite_is_made_and_stands_beside_published_seconds(
    process: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ("--runtime", "process", "--only", "2DBox_US_0525", "--warm-up", "0", "--repeats", "1")
    assert benchmark("--suite", "standard", "-o", out, *options) == 1
    said = capsys.readouterr()
    assert "has no segs; it holds: imgs, boxes, gts" in said.err
    assert "WARNING: processors differ" in said.out
    assert said.out.splitlines()[-1].split("|")[-5:-2] == [" 3.62    ", " 2.04   ", " 1.13     "]
    assert np.load(out / "cases" / "2DBox_US_0525.npz")["imgs"].shape == (256, 256, 3)
