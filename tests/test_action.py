"""action.yml: every step's command, run as a runner would, on the example in a git repository; GitHub is played."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.shop import copy_of_example

ACTION: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parent.parent / "action.yml").read_text("utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"] if "name" in step}
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
MARK = "<!-- dbt-schema-embed -->"
GH = """#!/bin/sh
echo "$@" >>"$GH_LOG"
for last; do :; done
case "$*" in *--paginate*) cat "$GH_COMMENTS" ;; *--method*) cat "${last#body=@}" >"$GH_BODY" ;; esac
"""
TOOL = "#!{python}\nfrom dbt_schema_embed.cli import main\nmain()\n"


class Runner:
    """A runner's folder, environment and a `gh` that remembers."""

    def __init__(self, folder: Path, project: Path) -> None:
        self.temp, self.project = folder / "temp", project
        self.temp.mkdir()
        (folder / "bin").mkdir()
        self.program(folder / "bin" / "gh", GH)
        self.program(folder / "bin" / "dbt-schema-embed", TOOL.format(python=sys.executable))
        self.values = {"inputs.project-dir": str(project), "inputs.github-token": "t0ken", "github.event.number": "7"}
        self.env = {
            **os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.temp / "output"), "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "GITHUB_REPOSITORY": "shop/dbt", "GH_LOG": str(self.temp / "gh.log"),
            "GH_COMMENTS": str(self.temp / "comments"), "GH_BODY": str(self.temp / "body"),
        }  # fmt: skip
        (self.temp / "comments").write_text("")

    @staticmethod
    def program(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def __call__(self, name: str) -> "subprocess.CompletedProcess[str]":
        """Run a step's script with its environment, as `shell: bash` does."""
        step = STEPS[name]
        assert step["shell"] == "bash"
        own = {k: EXPRESSION.sub(lambda found: self.values[found[1]], str(v)) for k, v in step["env"].items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.project, env={**self.env, **own}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.temp / "output").read_text().splitlines())


@pytest.fixture
def runner(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A shallow clone of a repository with the example in it, in which a branch begins a planned model."""
    monkeypatch.setattr("os.environ", {**os.environ, "EMBEDDING_CACHE_DIR": str(tmp_path / "memo")})
    shop = copy_of_example(root, tmp_path / "origin" / "shop")
    git(shop.parent, "init", "-q")
    git(shop.parent, "config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub's servers have it
    git(shop.parent, "add", "-A")
    git(shop.parent, "commit", "-qm", "base")
    base = git(shop.parent, "rev-parse", "HEAD")
    (shop / "models" / "staging" / "stripe" / "stg_stripe__disputes.sql").write_text("-- soon\n", "utf-8")
    git(shop.parent, "add", "-A")
    git(shop.parent, "commit", "-qm", "what the pull request changes")
    where = tmp_path / "repository"
    git(tmp_path, "clone", "-q", "--depth=1", shop.parent.as_uri(), str(where))
    runner = Runner(tmp_path, where / "shop")
    runner.values["github.event.pull_request.base.sha"] = base
    return runner


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_no_value_is_written_into_a_script() -> None:
    assert [name for name, step in STEPS.items() if EXPRESSION.search(step.get("run", ""))] == []


def test_what_is_installed_can_be_chosen(runner: Runner) -> None:
    runner.program(Path(runner.env["PATH"].split(os.pathsep)[0]) / "python", '#!/bin/sh\nprintf "%s|" "$@"\n')
    runner.values |= {"inputs.extras": "embed,parquet", "inputs.version": "==0.2.0"}
    assert runner("Install").stdout == "-m|pip|install|--quiet|dbt-schema-embed[embed,parquet]==0.2.0|"


@pytest.mark.model
def test_findings_sarif_and_one_comment(runner: Runner) -> None:
    path = runner.project / "schema_mappings" / "stripe__refunds.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("version: 1\nsource: stripe.nowhere\n")

    checked = runner("Check")
    assert checked.returncode == 0, checked.stderr
    assert "::error file=shop/schema_mappings/stripe__refunds.yml" in checked.stdout
    assert runner.outputs["findings"] == "true"
    sarif = json.loads(Path(runner.outputs["sarif-file"]).read_text("utf-8"))
    assert {found["ruleId"] for found in sarif["runs"][0]["results"]} == {"unknown-source"}

    suggested = runner("Suggest")
    assert suggested.returncode == 0, suggested.stderr
    text = (runner.temp / "schema-embed.md").read_text("utf-8")
    assert text.startswith(f"{MARK}\n")
    assert "stg_stripe__disputes" in text
    assert "stg_stripe__charges" not in text  # the pull request is not about it
    assert (runner.temp / "summary").read_text("utf-8") == text

    assert runner("Comment").returncode == 0
    (runner.temp / "comments").write_text("41\n42\n")
    assert runner("Comment").returncode == 0
    calls = (runner.temp / "gh.log").read_text().splitlines()
    assert [call.split(" --field")[0] for call in calls if "--method" in call] == [
        "api --method POST repos/shop/dbt/issues/7/comments",
        "api --method PATCH repos/shop/dbt/issues/comments/41",
    ]
    assert (runner.temp / "body").read_text("utf-8") == text

    runner.values["steps.check.outputs.findings"] = "true"
    assert runner("Findings fail").returncode == 1


def test_a_project_without_findings_passes(runner: Runner) -> None:
    assert runner("Check").returncode == 0
    assert runner.outputs["findings"] == "false"
    runner.values["steps.check.outputs.findings"] = "false"
    assert runner("Findings fail").returncode == 0


def test_a_project_that_cannot_be_read_fails_at_once(runner: Runner) -> None:
    (runner.project / "target" / "manifest.json").write_text("{")
    assert runner("Check").returncode == 3
