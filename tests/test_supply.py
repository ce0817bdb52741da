"""What is installed is pinned with hashes, and the bill of materials says what that is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from scripts.bill_of_materials import bill

ROOT = Path(__file__).parents[1]
REQUIREMENT = re.compile(r"^([a-z0-9-]+)==([^ ]+)")


def pins(*names: str) -> set[tuple[str, str]]:
    """(name, version) of each line that is no comment; a line that pins nothing fails."""
    lines = [line for name in names for line in requirement_lines(name)]
    found = [REQUIREMENT.match(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    return {(match[1], match[2]) for match in found if match}


def requirement_lines(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_the_lock_holds_what_is_required_and_each_line_has_a_hash() -> None:
    locked = pins("requirements.lock", "requirements-torch.txt")
    assert pins("requirements.txt", "requirements-weights.txt") <= locked
    for line in requirement_lines("requirements.lock") + requirement_lines("requirements-torch.txt"):
        assert re.search(r" --hash=sha256:[0-9a-f]{64}", line), line


def test_torch_on_linux_is_a_cpu_build_of_the_version_that_is_required() -> None:
    [required] = [version for name, version in pins("requirements.txt") if name == "torch"]
    assert {version for name, version in pins("requirements-torch.txt")} == {required, f"{required}+cpu"}


def test_neither_cuda_nor_telemetry_is_locked() -> None:
    unwanted = ("cuda-", "nvidia-", "triton", "openvino-telemetry")
    assert not [name for name, _ in pins("requirements.lock") if name.startswith(unwanted)]


def test_the_bill_of_materials_lists_the_lock_and_the_weights() -> None:
    listed = json.loads((ROOT / "sbom.cdx.json").read_text(encoding="utf-8"))["components"]
    packages = {(one["name"], one["version"]) for one in listed if one["type"] == "library"}
    assert packages == pins("requirements.lock", "requirements-torch.txt")
    assert all(one["hashes"] for one in listed)
    models = json.loads((ROOT / "weights" / "manifest.json").read_text(encoding="utf-8"))["models"]
    described = {one["name"]: one for one in listed if one["type"] == "machine-learning-model"}
    assert described.keys() == {model["name"] for model in models}
    for model in models:
        assert described[model["name"]]["hashes"] == [{"alg": "SHA-256", "content": model["sha256"]}]
        assert described[model["name"]]["licenses"] == [{"license": {"name": model["weights_licence"]}}]


def test_a_package_is_listed_with_its_hashes_its_condition_and_its_licence() -> None:
    digest = {"alg": "SHA-256", "content": "0" * 64}
    locked = {
        "$schema": "schema", "bomFormat": "CycloneDX", "specVersion": "1.6",
        "components": [{
            "name": "Tool", "version": "1.0", "purl": "pkg:pypi/tool@1.0",
            "description": f"requirements line 1: Tool==1.0 ; os_name == 'nt'  --hash=sha256:{'0' * 64}",
            "externalReferences": [{"hashes": [digest]}],
        }],
    }  # fmt: skip
    installed = {"components": [{"name": "tool", "licenses": [{"license": {"id": "MIT"}}]}]}
    [tool] = bill(locked, installed, [])["components"]
    assert tool["hashes"] == [digest]
    assert tool["description"] == "where os_name == 'nt'"
    assert tool["licenses"] == [{"license": {"id": "MIT"}}]
