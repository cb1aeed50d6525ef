"""Build hook: what a wheel has and a checkout has not. Same sources, same bytes.

What it is made of, in a CycloneDX file (PEP 770), and the words of concepts/ packed, so that the first answer waits for
no reading of them.
"""

import json
import re
import runpy
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODEL = "pkg:huggingface/sentence-transformers/all-MiniLM-L6-v2"
ADDRESS = "https://cyclonedx.org/schema/bom-1.6.schema.json"


class WheelHook(BuildHookInterface):
    """Adds both files to every wheel but an editable one."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them, and name them to the builder."""
        if self.target_name != "wheel" or version == "editable":
            return
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        bom, words = folder / f"{self.metadata.name}.cdx.json", folder / "concepts.bin"
        bom.write_text(json.dumps(sbom(self.metadata), indent=1) + "\n", "utf-8")
        words.write_bytes(packed_words(Path(self.root)))
        build_data["sbom_files"].append(str(bom))
        build_data["force_include"][str(words)] = "dbt_schema_embed/match/concepts.bin"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Leave nothing behind."""
        shutil.rmtree(self._folder(), ignore_errors=True)

    def _folder(self) -> Path:
        return Path(self.directory).resolve() / "added"


def packed_words(root: Path) -> bytes:
    """The words, by the module that reads them; its room would ask for numpy."""
    sys.path.insert(0, str(root))
    try:
        return bytes(runpy.run_path(str(root / "dbt_schema_embed" / "match" / "knowledge.py"))["packed"]())
    finally:
        sys.path.remove(str(root))


def sbom(metadata: Any) -> dict[str, Any]:
    """The wheel holds our code and a table made of a model; what it asks for is listed as asked, extras as optional."""
    name, version, core = metadata.name, metadata.version, metadata.core
    own = f"pkg:pypi/{name}@{version}"
    asked: dict[str, dict[str, Any]] = {}
    for scope, wanted in (
        ("required", core.dependencies),
        *(("optional", v) for k, v in core.optional_dependencies.items() if k != "dev"),
    ):
        for requirement in wanted:
            package = re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")
            if package != name:
                purl = f"pkg:pypi/{package}"
                said = {"type": "library", "name": package, "bom-ref": purl, "purl": purl}
                asked.setdefault(package, {**said, "scope": scope, "description": requirement})
    model = {"type": "machine-learning-model", "name": "all-MiniLM-L6-v2", "bom-ref": MODEL, "purl": MODEL,
             "licenses": [{"license": {"id": "Apache-2.0"}}],
             "description": "embed/static.npz is distilled from its vectors"}  # fmt: skip
    component = {"type": "library", "name": name, "version": version, "bom-ref": own, "purl": own,
                 "licenses": [{"license": {"id": core.license_expression or "Apache-2.0"}}]}  # fmt: skip
    return {
        "$schema": ADDRESS,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own)}",
        "version": 1,
        "metadata": {"component": component},
        "components": [*(asked[package] for package in sorted(asked)), model],
        "dependencies": [{"ref": own, "dependsOn": [*(f"pkg:pypi/{package}" for package in sorted(asked)), MODEL]}],
    }
