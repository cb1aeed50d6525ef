"""How fast a large report opens and filters: python benchmarks/bench_report.py ../shared/cases

All projects of the cases as one: `report` writes its file, a headless browser opens it in a window of 1280 by 800 and
filters by text, by table and by confidence. Each time is the least of five, and contains the next frame on the screen.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.show.browser import Browser, find_browser  # noqa: E402

TOOL = (sys.executable, "-c", "from dbt_schema_embed.cli import main; main()")
FRAME = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))"
FILTERS = {
    "text": "f('by-text', 'customer')",
    "table": "f('by-table', '5')",
    "confidence": "f('by-most', '0.7')",
}
FILTER = """(async () => {{
  const f = (id, value) => {{
    const field = document.getElementById(id);
    field.value = value;
    field.dispatchEvent(new Event('input', {{bubbles: true}}));
  }};
  const found = document.getElementById('found');
  document.getElementById('filters').reset();
  await new Promise((done) => setTimeout(done, 300));
  const start = performance.now();
  const changed = new Promise((done) => new MutationObserver(done).observe(found, {{childList: true}}));
  {call};
  await changed;
  await {frame};
  return [performance.now() - start, found.textContent];
}})()"""
ROUNDS = 5


def union(cases: Path, folder: Path) -> None:
    """Write the artifacts of every project below ``cases`` into one project in ``folder``."""
    manifest: dict[str, Any] = {}
    catalog: dict[str, Any] = {}
    for target in [*sorted(cases.glob("full/*")), *sorted(cases.glob("dbt/*/target"))]:
        for whole, name in ((manifest, "manifest.json"), (catalog, "catalog.json")):
            for key, value in json.loads((target / name).read_text("utf-8")).items():
                if isinstance(value, dict):
                    whole.setdefault(key, {}).update(value)
    (folder / "target").mkdir(parents=True)
    (folder / "target" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "target" / "catalog.json").write_text(json.dumps(catalog), "utf-8")


def opened(browser: Browser, page: Path) -> float:
    """Seconds until the page has run its scripts and drawn a frame."""
    start = time.perf_counter()
    browser.open(page)
    browser.run(FRAME)
    return time.perf_counter() - start


def filtered(browser: Browser, call: str) -> tuple[float, str]:
    """Seconds from the change in the form to the frame that shows what it left, and what is said then."""
    milliseconds, said = browser.run(FILTER.format(call=call, frame=FRAME))
    return float(milliseconds) / 1000, str(said)


def main(cases: Path) -> None:
    """Print a line for each figure."""
    program = find_browser()
    if program is None:
        sys.exit("no chromium or chrome is installed")
    with tempfile.TemporaryDirectory() as scratch:
        folder, page = Path(scratch) / "all", Path(scratch) / "report.html"
        union(cases, folder)
        start = time.perf_counter()
        done = subprocess.run(
            [*TOOL, "report", "--targets", "all", "--output", str(page)], cwd=folder, check=True, capture_output=True
        )
        print(f"report: {time.perf_counter() - start:.1f} s, {page.stat().st_size / 1e6:.2f} MB")
        print(done.stderr.decode().splitlines()[0].replace(str(page), "report.html"))
        with Browser(program, Path(scratch) / "browser") as browser:
            print(f"open: {min(opened(browser, page) for _ in range(ROUNDS)):.2f} s")
            print(f"dots on the map: {browser.run('DATA.map.count'):,}")
            for name, call in FILTERS.items():
                seconds, said = min(filtered(browser, call) for _ in range(ROUNDS))
                print(f"filter by {name}: {seconds:.2f} s, {said}")
            print(*browser.run("DATA.notes"), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
