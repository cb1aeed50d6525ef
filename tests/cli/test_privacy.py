"""What leaves memory: no sample value is written or printed, and nothing goes over a network."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tool
from tests.cli.offline import FORBIDDEN
from tests.embed.encoders import HashEncoder
from tests.observe.test_profiling import FakeDbt

SECRETS = (
    "planted.person@secret-mail.example",
    "4242424242424242",
    "sk_live_51PlantedPlantedPlanted",
    "eyJhbGciOiJIUzI1NiJ9.cGxhbnRlZA.c2ln",
)
PLANTED = (*SECRETS, "Plantedstreet Zwölf", "plantedvalue77")
COLUMN = {
    "name": "amount", "type": "text", "filled": 40, "distinct": 6, "min_length": 1, "max_length": 40,
    "mean_length": 9.5, "patterns": [["a", 40]], "top_values": [[value, 3] for value in PLANTED],
}  # fmt: skip
BROKEN = "match seeds/broken.csv seeds/shopkeep/shopkeep_cust.csv"
COMMANDS = (
    "suggest --write --metrics target/m.json",
    "suggest --metrics target/m.prom",
    "suggest --profile --format json --output target/s.json",
    "suggest --format markdown --propose",
    "suggest --explain stripe.customers.email",
    "profile",
    "suggest --format json",
    "index --verify",
    "index --set use_approximate_search=true",
    "search customer --format json",
    "accept --min-confidence 0.2",
    "check --format json",
    "check --format sarif --output target/c.sarif",
    "report",
    "apply",
    "stage stripe.charges",
    "evaluate --format json",
    "match seeds/stripe/stripe_customers.csv seeds/shopkeep/shopkeep_cust.csv --format json",
    BROKEN,
    "cache export target/memo.bin",
    "cache stats",
    "doctor",
)


def plant(shop: Path, dbt: FakeDbt) -> None:
    """Values in every column of two seeds, in what dbt says of tables, and in a complaint of dbt."""
    for name in ("stripe/stripe_customers.csv", "shopkeep/shopkeep_cust.csv"):
        path = shop / "seeds" / name
        head = path.read_text("utf-8").splitlines()[0]
        width = head.count(",") + 1
        rows = [",".join(f'"{PLANTED[(i + j) % len(PLANTED)]}"' for j in range(width)) for i in range(len(PLANTED))]
        path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    (shop / "seeds" / "broken.csv").write_bytes(f"a,b\n{PLANTED[4]},\0{PLANTED[0]}\n".encode())
    dbt.tell(table={"rows_profiled": 40, "row_count": 40, "columns": [COLUMN]})


def found_in(folder: Path) -> dict[str, set[str]]:
    """Every file below a folder but for what was planted, and the planted values it holds."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*"):
        place = path.relative_to(folder).as_posix()
        if path.is_file() and not place.startswith(("shop/seeds/", "bin/")):
            content = path.read_bytes()
            forms = {value: (value.encode(), value.encode("utf-16-le")) for value in PLANTED}
            found[place] = {value for value, both in forms.items() if any(form in content for form in both)}
    return found


@pytest.mark.parametrize("kept", [False, True])
def test_no_sample_value_is_written_or_printed(
    tool: Tool, shop: Path, tmp_path: Path, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """Of everything that a run of each command leaves, only the profile may hold values, where the settings say so."""
    pytest.importorskip("chromadb", reason="chromadb is not installed")
    dbt = FakeDbt(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(dbt.folder), prepend=os.pathsep)
    (shop / "dbt_schema_embed.yml").write_text(f"store_samples: {str(kept).lower()}\n", "utf-8")
    monkeypatch.setenv("EMBEDDING_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(shop)
    plant(shop, dbt)
    done = {command: tool(*command.split()) for command in COMMANDS}
    # `check` has findings: what was planted survives no cast
    assert {name for name, result in done.items() if result.code and not name.startswith("check")} == {BROKEN}
    printed = {name: result.out + result.err for name, result in done.items()}
    assert {name: said for name, said in printed.items() if any(value in said for value in PLANTED)} == {}
    found = found_in(tmp_path)
    holders = {place for place, values in found.items() if values}
    assert holders == ({"shop/target/schema_embed/profile.json"} if kept else set())
    assert {"shop/target/m.json", "shop/target/m.prom", "shop/target/s.json", "shop/target/c.sarif"} <= set(found)
    assert {"cache/memo/cache.db", "shop/target/memo.bin", "shop/schema_mappings/stripe__charges.yml"} <= set(found)
    assert any(place.startswith("shop/target/schema_embed/index/") for place in found)


DEMO = (
    "suggest --write",
    "index --verify",
    "index --set use_approximate_search=true",
    "search customer --set use_approximate_search=true",
    "check",
    "report",
    "doctor",
)


@pytest.mark.model
def test_nothing_asks_for_a_network(root: Path, example: Path, tmp_path: Path) -> None:
    """The commands of the demo, each with the real encoder, where the kernel kills who makes a socket for one.

    Nothing but our own folder stands in the caches afterwards: libraries may queue there what they send later.
    """
    offline = [sys.executable, str(root / "tests/cli/offline.py"), sys.executable]
    probe = subprocess.run([*offline, "-c", "import socket; socket.socket()"], check=False, stderr=subprocess.DEVNULL)
    if probe.returncode == FORBIDDEN:
        pytest.skip("the kernel lets nobody forbid calls here (seccomp)")
    assert probe.returncode == -signal.SIGSYS
    shop = Path(shutil.copytree(example, tmp_path / "shop"))
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path / "home")}
    env |= {"PYTHONPATH": str(root)}
    for command in DEMO:
        run = [*offline, "-c", "from dbt_schema_embed.cli import main; main()", *command.split()]
        done = subprocess.run(run, cwd=shop, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["dbt-schema-embed"]
    assert not (tmp_path / "home").exists()
