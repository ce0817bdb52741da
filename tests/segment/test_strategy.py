"""The map from modality to model and views: what it gives, and what it says of its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import InputError
from app.segment.strategy import Treatment, read_strategy
from app.weights.manifest import Manifest

CASES = [Path("3DBox_PET_0001.npz"), Path("2DBox_X-Ray_0002.npz"), Path("2DBox_US_0003.npz")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "strategy.json"


def test_each_modality_gets_its_model_and_views_and_every_other_the_default(file: Path) -> None:
    file.write_text('{"pet": {"views": "all"}, "X-Ray": {"model": "litemedsam"}, "default": {}}')
    strategy = read_strategy(file)
    default = Manifest.read().find(None).name
    pet, x_ray, plain = Treatment(default, "all"), Treatment("litemedsam", "axial"), Treatment(default, "axial")
    assert strategy.treat(CASES, None) == [pet, x_ray, plain]
    assert strategy.treat(CASES, "Pet") == [pet, pet, pet]
    assert strategy.treat([Path("scan.npz")], "MR") == [plain]


def test_a_modality_that_is_not_in_the_map_or_not_in_the_name_is_an_error(file: Path) -> None:
    file.write_text('{"PET": {}, "CT": {}}')
    with pytest.raises(InputError, match=r'json: has no "X-RAY", of which 2DBox_X-Ray_0002.npz is.* it has PET, CT'):
        read_strategy(file).treat(CASES, None)
    with pytest.raises(InputError, match=r"scan_1.npz: its name holds no modality.* give --modality"):
        read_strategy(file).treat([Path("scan_1.npz")], None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: No such file"),
        ('{"PET": {}', "is no JSON (Expecting ',' delimiter: line 1 column 11"),
        ("\xff", "is no JSON"),
        ("[1]", "holds [1], expected a map such as"),
        ('{"PET": "all"}', '"PET" is "all", expected an object'),
        ('{"PET": {"view": "all"}}', '"PET" has "view", expected "model" and "views" alone'),
        ('{"PET": {"views": "three"}}', '"PET": "views" is "three", expected one of axial, all'),
        ('{"PET": {"views": []}}', '"PET": "views" is [], expected one of'),
        ('{"PET": {"model": "sam"}}', '"PET": "model": no model sam in'),
        ('{"PET": {"model": ["sam"]}}', '"PET": "model": no model [\'sam\'] in'),
        ('{"PET": {}, "pet": {}}', "names a modality twice"),
    ],
)
def test_a_bad_map_is_named_with_its_key_and_what_was_expected(file: Path, text: str | None, message: str) -> None:
    if text is not None:
        file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as raised:
        read_strategy(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert message in str(raised.value)
