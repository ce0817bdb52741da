"""Join what cyclonedx-py says of the lock and of an installed environment with the weights of the manifest.

    python -m scripts.bill_of_materials LOCKED.json INSTALLED.json > sbom.cdx.json

Of the lock come versions and hashes, of the environment licences. Equal inputs give equal bytes.
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

MANIFEST = Path(__file__).parents[1] / "weights" / "manifest.json"

Component = dict[str, Any]  # as CycloneDX 1.6 has it


def bill(locked: Component, installed: Component, models: list[dict[str, Any]]) -> Component:
    """One CycloneDX document of two, and of the manifest's models."""
    licences = {component["name"].lower(): component.get("licenses", []) for component in installed["components"]}
    packages = [package(component, licences) for component in locked["components"]]
    components = sorted(packages, key=lambda one: one["bom-ref"]) + [weights(model) for model in models]
    subject = {
        "type": "application",
        "bom-ref": "swinlite",
        "name": "swinlite",
        "version": metadata.version("swinlite"),
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    return {
        "$schema": locked["$schema"],
        "bomFormat": locked["bomFormat"],
        "specVersion": locked["specVersion"],
        "version": 1,
        "metadata": {"component": subject},
        "components": components,
        "dependencies": [{"ref": "swinlite", "dependsOn": [one["bom-ref"] for one in components]}],
    }


def package(component: Component, licences: dict[str, list[Any]]) -> Component:
    """A package of the lock: its hashes are those of every file that may be installed for some Python and processor."""
    requirement = component["description"].partition("--hash")[0]
    where = requirement.partition(";")[2].strip()
    name = component["name"].lower()
    return {
        "type": "library",
        "bom-ref": f"{name}@{component['version']}",
        "name": name,
        "version": component["version"],
        **({"description": f"where {where}"} if where else {}),
        "hashes": [one for reference in component["externalReferences"] for one in reference.get("hashes", [])],
        "licenses": licences.get(name, []),
        "purl": component["purl"],
    }


def weights(model: dict[str, Any]) -> Component:
    """A model of the manifest: the hash is that of its file."""
    return {
        "type": "machine-learning-model",
        "bom-ref": f"weights/{model['name']}",
        "name": model["name"],
        "description": model["source"],
        "hashes": [{"alg": "SHA-256", "content": model["sha256"]}],
        "licenses": [{"license": {"name": model["weights_licence"]}}],
    }


def main(locked: str, installed: str) -> None:
    read = [json.loads(Path(path).read_text(encoding="utf-8")) for path in (locked, installed, MANIFEST)]
    print(json.dumps(bill(read[0], read[1], read[2]["models"]), indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
