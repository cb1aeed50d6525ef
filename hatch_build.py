"""Build hook: the wheel says what it is made of, in a CycloneDX file (PEP 770). Same sources, same bytes."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ADDRESS = "https://cyclonedx.org/schema/bom-1.6.schema.json"


class SbomHook(BuildHookInterface):
    """Adds the file to every wheel but an editable one."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write it, and name it to the builder."""
        if self.target_name != "wheel" or version == "editable":
            return
        path = Path(self.directory) / "sbom" / f"{self.metadata.name}.cdx.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sbom(self.metadata), indent=1) + "\n", "utf-8")
        build_data["sbom_files"].append(str(path.resolve()))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Leave nothing behind."""
        for name in build_data.get("sbom_files", ()):
            path = Path(name)
            path.unlink(missing_ok=True)
            path.parent.rmdir()


def sbom(metadata: Any) -> dict[str, Any]:
    """The wheel holds our own code only; what it asks for is listed as it is asked for, extras as optional."""
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
    component = {"type": "library", "name": name, "version": version, "bom-ref": own, "purl": own,
                 "licenses": [{"license": {"id": core.license_expression or "Apache-2.0"}}]}  # fmt: skip
    return {
        "$schema": ADDRESS,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own)}",
        "version": 1,
        "metadata": {"component": component},
        "components": [asked[package] for package in sorted(asked)],
        "dependencies": [{"ref": own, "dependsOn": [f"pkg:pypi/{package}" for package in sorted(asked)]}],
    }
