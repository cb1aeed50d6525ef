"""Make the pictures of README.md anew: the real tool on example_project, on a terminal of 80 by 24 and in a browser.

make pictures        or, where pyte is installed: python docs/pictures/make.py [FOLDER]
"""

import base64
import io
import os
import pty
import select
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from fcntl import ioctl
from itertools import groupby
from pathlib import Path

import pyte
from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from tests.shop import copy_of_example  # noqa: E402
from tests.show.browser import Browser, find_browser  # noqa: E402

TOOL = (sys.executable, "-c", "from dbt_schema_embed.cli import main; main()")
PREPARE = ("evaluate", "suggest --write", "accept --source stripe.charges --min-confidence 0.95")
"""What was done before the pictures were taken."""

REVIEW = ("review", "--select", "shopkeep.ord_ln")
WIDTH, HEIGHT = 80, 24
QUIET = 2.0
"""Seconds without output after which a screen is complete."""

_ON_WHITE = "24292f c11f2b 1a7f37 8a5a00 0550ae 8250df 0f766e 6e7781"
_ON_BLACK = "484f58 ff7b72 3fb950 d29922 79b8ff d2a8ff 39c5cf b1bac4"


def _theme(ground: str, text: str, colors: str) -> TerminalTheme:
    """Of colours in hexadecimal; the eight are black, red, green, yellow, blue, magenta, cyan, white."""
    back, front, *eight = ((int(c[:2], 16), int(c[2:4], 16), int(c[4:], 16)) for c in (ground, text, *colors.split()))
    return TerminalTheme(back, front, eight)


THEMES = {"light": _theme("ffffff", "1b1f24", _ON_WHITE), "dark": _theme("0d1117", "e6edf3", _ON_BLACK)}
SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, Menlo, "DejaVu Sans Mono", monospace }}
.{unique_id}-title {{ font: bold 18px sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def screen_of(args: tuple[str, ...], folder: Path) -> pyte.Screen:
    """What stands on the terminal when the tool waits for a key; then it is stopped."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")} | {"TERM": "xterm"}
    process = subprocess.Popen(
        [*TOOL, *args], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    )
    os.close(theirs)
    complete = False
    while select.select([ours], [], [], QUIET if complete else 60)[0]:
        data = os.read(ours, 65536)
        stream.feed(data)
        complete = complete or b"quit" in data
    process.kill()
    process.wait()
    os.close(ours)
    return screen


def svg_of(screen: pyte.Screen, title: str, theme: TerminalTheme) -> str:
    """The screen as SVG, with the colours it has."""
    console = Console(record=True, width=screen.columns, file=io.StringIO())
    for row in range(screen.lines):
        line = Text(no_wrap=True)
        cells = [screen.buffer[row][column] for column in range(screen.columns)]
        for style, alike in groupby(cells, key=_style):
            line.append("".join(cell.data for cell in alike), style)
        console.print(line)
    return console.export_svg(title=title, theme=theme, code_format=SVG, unique_id="t")


def _style(cell: Char) -> Style:
    color = {"default": None, "brown": "yellow"}.get(cell.fg, cell.fg)
    return Style(color=color, bold=cell.bold, reverse=cell.reverse)


def photograph(browser: Browser, page: Path, target: Path, *, dark: bool) -> None:
    """The window of 1280 by 800 with ``page`` in it."""
    browser.open(page, dark=dark)
    browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    target.write_bytes(base64.b64decode(browser.call("Page.captureScreenshot", format="png")["data"]))


def main(folder: Path) -> None:
    """Write the pictures into ``folder``."""
    program = find_browser()
    if program is None:
        sys.exit("no chromium or chrome is installed")
    with tempfile.TemporaryDirectory() as scratch:
        shop = copy_of_example(ROOT, Path(scratch) / "shop")
        for command in PREPARE:
            subprocess.run([*TOOL, *shlex.split(command)], cwd=shop, check=True, capture_output=True)
        subprocess.run([*TOOL, "report", "--output", "report.html"], cwd=shop, check=True, capture_output=True)
        screen = screen_of(REVIEW, shop)
        for name, theme in THEMES.items():
            text = svg_of(screen, f"dbt-schema-embed {shlex.join(REVIEW)}", theme)
            (folder / f"review-{name}.svg").write_text(text, "utf-8")
        with Browser(program, Path(scratch) / "browser") as browser:
            for name in THEMES:
                photograph(browser, shop / "report.html", folder / f"report-{name}.png", dark=name == "dark")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
