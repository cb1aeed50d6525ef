"""Make the documentation's site: README, how-tos, a page for each command, the reference, results. In build/site.

    make docs        or, where zensical is on PATH: python docs/site.py

Fails on anything the generator warns of, and on a link that leads nowhere.
"""

import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PAGES, SITE = ROOT / "build" / "docs", ROOT / "build" / "site"
HOW_TOS = (
    "new-source", "names", "agent", "ci", "dbt", "sharing", "scale", "gpu", "privacy", "security", "tuning", "python",
    "metrics", "editors", "completion",
)  # fmt: skip
MOVED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/RESULTS.md": "results.md",
    "example_project/README.md": "example.md",
}
"""Files outside of docs/ -> their pages."""


def lay_out() -> None:
    """Every page as Markdown, in build/docs."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(HERE / "pictures", PAGES / "pictures", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name in HOW_TOS:
        (PAGES / f"{name}.md").write_text(moved((HERE / f"{name}.md").read_text("utf-8"), HERE), "utf-8")
    for source, page in MOVED.items():
        (PAGES / page).write_text(moved((ROOT / source).read_text("utf-8"), (ROOT / source).parent), "utf-8")
    generate = runpy.run_path(str(HERE / "generate.py"))
    (PAGES / "commands").mkdir()
    for name, text in generate["command_pages"]().items():
        (PAGES / "commands" / f"{name}.md").write_text(text, "utf-8")
    (PAGES / "reference.md").write_text(generate["reference"](commands=False), "utf-8")


def moved(text: str, folder: Path) -> str:
    """Links and pictures of a page that stands in ``folder``, as they lead from the site's top."""
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]

    def target(found: re.Match[str]) -> str:
        path, hash_, place = found[2].partition("#")
        if "://" in path or not path:
            return found[0]
        inside = (folder / path).resolve().relative_to(ROOT).as_posix()
        readme = f"{inside}/README.md"
        page = MOVED.get(inside) or MOVED.get(readme) or (inside[5:] if inside.startswith("docs/") else "")
        return f"{found[1]}{page or f'{repository}/blob/main/{inside}'}{hash_}{place}{found[3]}"

    return re.sub(r"""(\]\(|(?:src|srcset)=")([^)"\s]+)(\)|")""", target, text)


def navigation() -> str:
    """The site's order, for the generator's configuration."""
    commands = ", ".join(f'"commands/{path.name}"' for path in sorted((PAGES / "commands").glob("*.md")))
    how_tos = ", ".join(f'"{name}.md"' for name in HOW_TOS)
    rest = '"example.md", "results.md", "contributing.md", "changelog.md"'
    return (
        f'nav = [{{ "Start" = "index.md" }}, {{ "How to" = [{how_tos}] }}, {{ "Commands" = [{commands}] }}, '
        f'"reference.md", {{ "More" = [{rest}] }}]\n'
    )


class Links(HTMLParser):
    """What a page refers to, and the places in it that can be referred to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Note the attributes that link."""
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            elif name in ("href", "src", "srcset") and value:
                self.targets.append(value.split()[0])


def dead_links() -> Iterator[str]:
    """ "page: target" for every link within the site that leads nowhere."""
    pages = {path.resolve(): Links(path.read_text("utf-8")) for path in SITE.rglob("*.html") if path.name != "404.html"}
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = place / "index.html" if place.is_dir() else place
            known = pages[place].places if place in pages else set()
            if not place.exists() or (parts.fragment and place in pages and unquote(parts.fragment) not in known):
                yield f"{path.relative_to(SITE.resolve())}: {target}"


def main() -> int:
    """Make the site; 1 where a link is dead or the generator complains."""
    lay_out()
    configuration = ROOT / "build" / "zensical.toml"
    said = (HERE / "zensical.toml").read_text("utf-8")
    configuration.write_text(said.replace("[project]\n", f"[project]\n{navigation()}", 1), "utf-8")
    shutil.rmtree(SITE, ignore_errors=True)
    command = shutil.which("zensical")
    if command is None:
        sys.exit("zensical is not on PATH: make docs")
    done = subprocess.run([command, "build", "--strict", "--clean", "--config-file", str(configuration)])
    dead = sorted(set(dead_links())) if done.returncode == 0 else []
    for line in dead:
        sys.stderr.write(f"dead link: {line}\n")
    return done.returncode or int(bool(dead))


if __name__ == "__main__":
    sys.exit(main())
