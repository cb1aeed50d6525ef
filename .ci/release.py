"""What a release must keep.

python .ci/release.py v1.2.3          whether package, dbt package and CHANGELOG.md all are of the version in the tag
python .ci/release.py --build FOLDER  wheel and sdist of the last commit, twice: equal, with an SBOM and packed words
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def versions() -> dict[str, str]:
    """Place -> the version that stands there."""
    places = {
        "dbt_schema_embed/__init__.py": r'^__version__ = "(.+)"$',
        "dbt_project.yml": r"^version: (\S+)$",
    }
    found = {}
    for place, pattern in places.items():
        line = re.search(pattern, (ROOT / place).read_text("utf-8"), re.MULTILINE)
        found[place] = line[1] if line else "nothing"
    return found


def disagreements(tag: str) -> list[str]:
    """What is wrong with releasing ``tag``, a line each."""
    wanted = tag.removeprefix("v")
    wrong = [f"{place} says {said}, the tag {wanted}" for place, said in versions().items() if said != wanted]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## {re.escape(wanted)} - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
        wrong.append(f'CHANGELOG.md has no heading "## {wanted} - <date>"')
    return wrong


def build(folder: Path) -> dict[str, str]:
    """Wheel and sdist of the last commit in ``folder``: name -> SHA-256."""
    with tempfile.TemporaryDirectory() as apart:
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", apart], input=archive, check=True)
        command = [sys.executable, "-m", "build", "--outdir", str(folder.resolve()), apart]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def has_sbom(wheel: Path) -> bool:
    """Whether the wheel says what it is made of, in the version that it is."""
    with zipfile.ZipFile(wheel) as file:
        names = [name for name in file.namelist() if re.search(r"\.dist-info/sboms/[^/]+\.json$", name)]
        said = [json.loads(file.read(name))["metadata"]["component"]["version"] for name in names]
    return said == [versions()["dbt_schema_embed/__init__.py"]]


def has_words(wheel: Path) -> bool:
    """Whether the words of concepts/ are in it as they are read at once."""
    with zipfile.ZipFile(wheel) as file:
        return "dbt_schema_embed/match/concepts.bin" in file.namelist()


def main(words: list[str]) -> int:
    """0 where all is well."""
    if words[0] != "--build":
        wrong = disagreements(words[0])
        print("\n".join(wrong) or f"{words[0]} can be released")
        return int(bool(wrong))
    with tempfile.TemporaryDirectory() as again:
        first, second = build(Path(words[1])), build(Path(again))
    for name, digest in first.items():
        print(digest, name, "" if second.get(name) == digest else "DIFFERS")
    (wheel,) = Path(words[1]).glob("*.whl")
    return int(first != second or not has_sbom(wheel) or not has_words(wheel))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
