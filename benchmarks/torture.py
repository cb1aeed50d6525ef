"""Kill -9 processes while they write, again and again, and look for what was lost.

    python benchmarks/torture.py --kills 200 exact chroma memo suggest apply
    python benchmarks/torture.py --kills 200 review editor crowd        no kills: rounds of several at once

The oracle is what the killed process had acknowledged: all of that must be there afterwards, whole and right, for
another process, at once and without a note about damage. What was not acknowledged may be there or not, but never in
part. Prints a line of JSON for each kind of work: losses, wrong answers and crashes must be 0.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from torture_files import Applying, Suggesting
from torture_index import Indexing
from torture_kit import Tally, Work
from torture_memo import Remembering
from torture_people import Crowd, Editing, Reviewing

from dbt_schema_embed.errors import SchemaEmbedError

WORKS: dict[str, Callable[[Path, random.Random], Work]] = {
    "exact": lambda place, rng: Indexing(place, rng, approximate=False),
    "chroma": lambda place, rng: Indexing(place, rng, approximate=True),
    "memo": Remembering,
    "suggest": Suggesting,
    "apply": Applying,
    "review": Reviewing,
    "editor": Editing,
    "crowd": Crowd,
}
TOGETHER = ("review", "editor", "crowd")


def torture(name: str, kills: int, rng: random.Random) -> dict[str, object]:
    """Kill ``kills`` times and say what happened. Tries that came too late, after the work was done, do not count."""
    total, tries, crashes = Tally(), 0, 0
    with tempfile.TemporaryDirectory() as place:
        work = WORKS[name](Path(place), rng)
        while total.kills + crashes < kills and tries < 5 * kills:
            try:
                total += work.kill(tries)
            except (SchemaEmbedError, OSError, ValueError) as problem:
                print(f"crash: {problem!r}", file=sys.stderr)
                crashes += 1
            tries += 1
        total += work.end()
    title = work.title if name in TOGETHER else f"kill -9 of {work.title}"
    return {
        "test": title, "tries": tries, "kills": total.kills + crashes,
        "acknowledged writes": total.acknowledged, "losses": total.losses, "wrong answers": total.wrong,
        "crashes": crashes,
    }  # fmt: skip


def main() -> int:
    """Run what the command line asks for; 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", metavar="work", help=f"of {', '.join(WORKS)}; none: all of them")
    parser.add_argument("--kills", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if unknown := set(options.works) - set(WORKS):
        parser.error(f"no such work: {', '.join(sorted(unknown))}")
    bad = False
    for name in options.works or WORKS:
        result = torture(name, options.kills, random.Random(options.seed))
        print(json.dumps(result), flush=True)
        bad = bad or result["kills"] != options.kills
        bad = bad or any(result[what] for what in ("losses", "wrong answers", "crashes"))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
