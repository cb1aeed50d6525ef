"""How soon and how fast `mcp` answers, asked by the SDK's own client over stdin and stdout.

    python benchmarks/bench_mcp.py PROJECT_DIR

The project needs target/manifest.json. For a warm memo, run `suggest` there first; a second run finds the answers of
the first one remembered.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

ROUNDS = 20


def cpu_of_children() -> float:
    """Seconds of processor time of child processes that have ended."""
    return os.times().children_user + os.times().children_system


def cpu_so_far() -> float:
    """Seconds of processor time of the child process that runs; Linux tells it, others give 0."""
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        fields = Path(f"/proc/{children[-1]}/stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def session(project: str) -> tuple[float, list[float]]:
    """Start the server, ask, and print; the seconds to the first answer, and those of every later call."""
    code = "from dbt_schema_embed.cli import main; main()"
    server = StdioServerParameters(
        command=sys.executable, args=["-c", code, "mcp", "--project-dir", project], env=dict(os.environ)
    )
    start = time.perf_counter()
    async with Client(server) as client:
        hello = time.perf_counter() - start
        found = await client.call_tool("list_undecided", {})
        first, spent = time.perf_counter() - start, cpu_so_far()
        columns = found.structured_content["data"]["columns"]
        tools = (await client.list_tools()).tools
        listed = [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]
        print(f"hello {hello:.2f} s, first answer {first:.2f} s after start, {spent:.2f} s of processor time")
        print(f"tools/list {len(json.dumps(listed, separators=(',', ':')))} bytes for {len(tools)} tools")
        print(f"list_undecided {len(found.content[0].text)} bytes for {len(columns)} columns")
        return first, await rounds(client, columns)


async def rounds(client: Any, columns: list[dict[str, Any]]) -> list[float]:
    """Every tool that reads, again and again, each time about another column."""
    taken: dict[str, list[float]] = {}
    for i in range(ROUNDS):
        column = columns[i % len(columns)]["column"]
        asked = {
            "list_undecided": {},
            "suggest_mapping": {"source": column.rpartition(".")[0]},
            "explain_column": {"source_column": column},
            "search_columns": {"text": column.rpartition(".")[2].replace("_", " ")},
            "check_mappings": {},
        }
        for name, arguments in asked.items():
            start = time.perf_counter()
            await client.call_tool(name, arguments)
            taken.setdefault(name, []).append(time.perf_counter() - start)
    for name, times in taken.items():
        later = sorted(times[1:])
        p95 = later[int(len(later) * 0.95)]
        print(f"{name:16} median {statistics.median(later) * 1e3:5.0f} ms, p95 {p95 * 1e3:5.0f} ms")
    return sorted(t for times in taken.values() for t in times[1:])


def main() -> None:
    """Ask, and print."""
    _, times = asyncio.run(session(sys.argv[1]))
    print(f"all tools: p95 {times[int(len(times) * 0.95)] * 1e3:.0f} ms; load {os.getloadavg()[0]:.1f}")
    print(f"processor time of the server: {cpu_of_children():.1f} s for {len(times) + 6} calls")


if __name__ == "__main__":
    main()
