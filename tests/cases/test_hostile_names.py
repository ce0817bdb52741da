"""Names that would leave a folder, break a line, be too long or be taken for another's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from app.cases.challenge import write_segmentation
from app.cases.discover import find_cases, prepare_output_folder
from app.cases.formats import KINDS, NPZ, base_name, kind_of, output_name
from app.cases.given_boxes import boxes_from_path
from app.cases.open_case import Request, open_case
from app.errors import CaseError, InputError
from app.plain import plain
from tests.cases.test_given_boxes import PICTURE, placed
from tests.conftest import CaseWriter
from tests.dicom_files import write_series

LABELS = np.zeros((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Leber_\u00e4\u65e5\u672c 1.npz", "Leber_\u00e4\u65e5\u672c 1.npz"),
        ("a\nb\r\t.npz", r"a\nb\r\t.npz"),
        ("\x1b[2J\x9bm", r"\x1b[2J\x9bm"),
        ("\u202egpj.npz\u2028", r"\u202egpj.npz\u2028"),
        (os.fsdecode(b"\xff\xe4.npz"), r"\udcff\udce4.npz"),
    ],
)
def test_what_moves_a_cursor_or_is_no_character_is_escaped(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_the_name_of_a_folder_given_by_dots_is_the_folders_own(tmp_path: Path) -> None:
    write_series(tmp_path / "scan", np.zeros((2, 4, 5), np.int16))
    (tmp_path / "scan" / "inner").mkdir()
    [case] = find_cases([tmp_path / "scan" / "inner" / ".."], KINDS)
    assert base_name(case) == "scan"
    assert output_name(case) == "scan.dcm"


@pytest.mark.parametrize(
    ("name", "output"),
    [
        (".npz", ".npz.npz"),
        (".hidden.npz", ".hidden.npz"),
        ("-x.npz", "-x.npz"),
        ("a/../../b.npz", "b.npz"),
        ("a\\..\\b.npz", "a\\..\\b.npz"),
        ("...nii.gz", "...nii.gz"),
    ],
)
def test_an_output_lies_in_its_folder_under_a_name_that_is_not_empty(name: str, output: str, tmp_path: Path) -> None:
    assert output_name(tmp_path / name) == output
    assert (tmp_path / "out" / output).resolve().parent == tmp_path / "out"


def test_a_link_in_the_place_of_an_output_is_replaced_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    for name, target in (("a.npz", elsewhere), ("b.npz", tmp_path / "nowhere")):
        (tmp_path / name).symlink_to(target)
        write_segmentation(tmp_path / name, LABELS)
        assert not (tmp_path / name).is_symlink()
    assert elsewhere.read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


def test_links_are_cases_under_their_own_names_but_a_file_named_twice_is_one(
    write_case: CaseWriter, tmp_path: Path
) -> None:
    case = write_case("a")
    (case.parent / "b.npz").symlink_to(case)
    assert [path.name for path in find_cases([case.parent, case])] == ["a.npz", "b.npz"]


def test_a_link_to_itself_fails_alone(write_case: CaseWriter, tmp_path: Path) -> None:
    link = write_case("a").with_name("b.npz")
    link.symlink_to(link)
    cases = find_cases([link.parent])
    assert [path.name for path in cases] == ["a.npz", "b.npz"]
    prepare_output_folder(tmp_path / "out", cases)
    with pytest.raises(CaseError, match=r"^b\.npz: cannot be read: Too many levels of symbolic links"):
        open_case(link, Request())


def test_an_output_never_replaces_an_input_even_through_a_link(write_case: CaseWriter, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    read = tmp_path / "out" / "a.npz"
    read.write_bytes(write_case("a").read_bytes())
    (tmp_path / "in" / "b.npz").symlink_to(read)
    with pytest.raises(InputError, match="would overwrite the input"):
        prepare_output_folder(tmp_path / "out", find_cases([tmp_path / "in"]))


@pytest.mark.parametrize(("one", "other"), [("Case", "case"), ("stra\u00dfe", "STRASSE"), ("\u00e4", "a\u0308")])
def test_names_that_some_file_systems_take_for_one_are_refused(tmp_path: Path, one: str, other: str) -> None:
    cases = [tmp_path / f"{one}.npz", tmp_path / f"{other}.png"]
    with pytest.raises(InputError, match="differ in upper and lower case alone"):
        prepare_output_folder(tmp_path / "out", cases)
    assert not (tmp_path / "out").exists()


def test_the_longest_names_are_written_and_longer_outputs_refused(tmp_path: Path) -> None:
    whole = tmp_path / f"{'ä' * 125}b.npz"
    assert len(os.fsencode(whole.name)) == 255
    prepare_output_folder(tmp_path, [tmp_path / "in" / whole.name])
    write_segmentation(whole, LABELS)
    without_ending = tmp_path / "in" / ("x" * 252)
    with pytest.raises(InputError, match="would have 256 bytes"):
        prepare_output_folder(tmp_path, [without_ending], NPZ)
    with pytest.raises(InputError, match="no such file"):
        find_cases([tmp_path / ("x" * 300)])


def test_a_pipe_is_of_no_kind_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert kind_of(tmp_path / "pipe") is None


@pytest.mark.parametrize("case", ["/etc/a.png", "../a.npz", "a" * 300, "\0", "\ud800"])
def test_the_case_of_a_box_is_a_name_and_never_a_path(tmp_path: Path, case: str) -> None:
    table = tmp_path / "boxes.json"
    listed = [{"box": [1, 2, 3, 4], "case": "a"}, {"box": [5, 6, 7, 8], "case": case}]
    table.write_text(json.dumps({"boxes": listed}))
    boxes, _, _ = placed(boxes_from_path(table))
    assert boxes == [[1, 2, 3, 4], *([[5, 6, 7, 8]] if Path(case).stem == PICTURE.name else [])]
