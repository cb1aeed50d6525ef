"""`evaluate`: the matcher on columns whose answers are known, of the user's own project or of a folder of cases."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt_schema_embed.errors import ArtifactError, ConfigError, printable
from dbt_schema_embed.files import read_bounded, save
from dbt_schema_embed.progress import Progress
from dbt_schema_embed.read.opening import chosen_sources
from dbt_schema_embed.records import Project, Relation, Suggestion, rounded

if TYPE_CHECKING:
    from dbt_schema_embed.observe.evaluation import Evaluation, Wrong

KEPT = "evaluation.json"
"""In our folder of the project: how confidence and truth agreed, for reports."""

_KEPT_BYTES = 10_000
_WRONG_SHOWN = 20
_FIGURES = ("recall_at_1", "recall_at_5", "renamed_recall_at_1", "precision", "recall", "f1", "calibration_error")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The evaluation of one project, or of each case of a folder."""

    projects: tuple[tuple[str, "Evaluation"], ...]  # name -> figures, sorted; one for the user's own project
    rounds: int  # in which the tables of the user's own project were asked; 0: cases, which are asked once

    @property
    def mean(self) -> dict[str, float]:
        """The mean of each figure over the projects."""
        return {f: sum(float(getattr(e, f)) for _, e in self.projects) / len(self.projects) for f in _FIGURES}

    def text(self, form: str) -> str:
        """As "table" or "json"."""
        if form == "json":
            return json.dumps(self._data(), indent=2) + "\n"
        return _cases_table(self) if self.rounds == 0 else _project_table(self.projects[0][1], self.rounds)

    def _data(self) -> dict[str, Any]:
        if self.rounds:
            return {"schema_version": 1, "rounds": self.rounds, **self.projects[0][1].to_dict()}
        projects = {name: evaluation.to_dict() for name, evaluation in self.projects}
        return {"schema_version": 1, "mean": {k: round(v, 4) for k, v in self.mean.items()}, "projects": projects}


Ask = Callable[[Project, Sequence[Relation]], Sequence[Suggestion]]
"""What the matcher answers for these source tables of a project."""


def evaluate_project(project: Project, ask: Ask, count: int, progress: Progress) -> Evaluated:
    """A project of the user's, in ``count`` rounds; see `SchemaEmbed.evaluate`."""
    from dbt_schema_embed.match import arrivals
    from dbt_schema_embed.observe.evaluation import evaluate
    from dbt_schema_embed.observe.hiding import folds, hidden, measurable
    from dbt_schema_embed.observe.truth import from_lineage

    tables = measurable(project)
    if len(tables) < 2:
        raise _nothing_to_measure(project, len(tables))
    rounds = folds(tables, count)
    rows: list[Suggestion] = []
    for done, fold in enumerate(rounds):
        progress("Asking for tables whose models are hidden", done, len(rounds))
        rows += ask(hidden(project, {table.id for table in fold}), fold)
    figures = evaluate(from_lineage(tables, project.lineage, arrivals(project)), rows)
    return Evaluated(((project.name, figures),), len(rounds))


def keep(evaluated: Evaluated, path: Path) -> None:
    """Keep for reports how confidence and truth agreed.

    Raises:
        WriteError: it cannot be written.
    """
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    tenths = [[round(t.confidence, 3), round(t.precision, 3), t.answers] for t in evaluated.projects[0][1].said_tenths]
    save(path, json.dumps({"made": made, "tenths": tenths}) + "\n", root=path.parent.parent)


def kept_evaluation(path: Path) -> tuple[str, list[tuple[float, float, int]]]:
    """What the last `evaluate` kept: when, and (mean confidence, share of right answers, answers) of each tenth.

    Empty where there is none, or something else stands there.
    """
    try:
        data = json.loads(read_bounded(path, _KEPT_BYTES) or b"")
        tenths = [(float(said), float(right), int(answers)) for said, right, answers in data["tenths"]]
        good = all(0 <= said <= 1 and 0 <= right <= 1 and answers > 0 for said, right, answers in tenths)
        return (printable(data["made"], 40), tenths) if good and len(tenths) <= 10 else ("", [])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return "", []


def evaluate_cases(folder: Path, open_: Callable[[Path], Project], ask: Ask, progress: Progress) -> Evaluated:
    """The cases in ``folder``, each read by ``open_``; see `SchemaEmbed.evaluate`."""
    from dbt_schema_embed.observe.evaluation import evaluate
    from dbt_schema_embed.observe.truth import from_gold

    golds = sorted(folder.glob("*/gold.json"))
    if not golds:
        raise ArtifactError(
            f"there are no cases in {printable(folder)}",
            hint="a case is a folder in it, with target/manifest.json and gold.json",
        )
    found = []
    for done, gold in enumerate(golds):
        progress("Evaluating cases", done, len(golds))
        project = open_(gold.parent)
        rows = ask(project, chosen_sources(project, (), ()))
        found.append((gold.parent.name, evaluate(from_gold(gold), rows)))
    return Evaluated(tuple(found), 0)


def _nothing_to_measure(project: Project, count: int) -> ConfigError:
    name = printable(project.name)
    built = sum(r.has_sql for r in project.relations)
    if not any(r.kind == "source" for r in project.relations):
        said = f"the project {name} declares no sources"
    elif not built:
        said = f"no model of the project {name} has SQL, so no answer is known"
    else:
        few = "no source table" if count == 0 else "only one source table"
        said = f"{few} of the project {name} can be followed into a model, and it takes two: to ask and to learn from"
    return ConfigError(
        f"nothing can be measured: {said}",
        hint="evaluate hides models that exist; build staging models, run `dbt docs generate`, and try again",
    )


def _project_table(e: "Evaluation", rounds: int) -> str:
    lines = [
        f"{e.columns} columns of {e.tables} source tables, asked as if their models had no SQL, in {rounds} rounds",
        "",
        f"recall@1   {e.recall_at_1:.3f}   the first candidate is right, of {e.mapped} columns that feed a model",
        f"recall@5   {e.recall_at_5:.3f}",
        f"renamed    {e.renamed_recall_at_1:.3f}   recall@1 of the {e.renamed} whose name changes",
        f"precision  {e.precision:.3f}   of the answers given",
        f"F1         {e.f1:.3f}",
        "",
        "confidence    answers   right   precision",
    ]
    above = ""
    for band in e.bands:
        name = f"{band.least:.1f} to {above}" if above and band.least else f"below {above}" if above else "0.9 and more"
        lines.append(f"{name:12}  {band.answers:7}   {band.right:5}   {_shown(band.right, band.answers):>9}")
        above = f"{band.least:.1f}"
    lines.append(f"{'nothing':12}  {e.nothing:7}   {e.nothing_right:5}   {_shown(e.nothing_right, e.nothing):>9}")
    sure = _shown(e.sure_nothing_right, e.sure_nothing)
    lines.append(f"{'  at 0.9':12}  {e.sure_nothing:7}   {e.sure_nothing_right:5}   {sure:>9}")
    if e.undecided:
        lines.append(f"{'undecided':12}  {e.undecided:7}")
    if e.further_down:
        lines.append(f"{'further down':12}  {e.further_down:7}   neither right nor wrong: the column ends up there")
    lines += [f"calibration error {e.calibration_error:.3f}", "", *_wrong_lines(e.wrong)]
    return "\n".join(lines).rstrip() + "\n"


def _shown(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


def _wrong_lines(wrong: "Sequence[Wrong]") -> list[str]:
    from dbt_schema_embed.show.words import short_name

    if not wrong:
        return ["nothing would have been wrong"]
    lines = [f"would have been wrong: {len(wrong)} columns, surest first"]
    for w in wrong[:_WRONG_SHOWN]:
        places = [f"{short_name(model)}.{printable(column, 80)}" for model, column in (w.truth[:1] or ())]
        said = f"{short_name(w.said[0])}.{printable(w.said[1], 80)}" if w.said else "nothing"
        column = f"{short_name(w.source)}.{printable(w.source_column, 80)}"
        lines.append(f"  {rounded(w.confidence):.2f}  {column}: said {said}, is {places[0] if places else 'nothing'}")
    if len(wrong) > _WRONG_SHOWN:
        lines.append(f"  and {len(wrong) - _WRONG_SHOWN} more: --format json lists them all")
    return lines


def _cases_table(evaluated: Evaluated) -> str:
    width = max(4, *(len(printable(name, 40)) for name, _ in evaluated.projects))
    head = (
        "columns", "recall@1", "recall@5", "renamed", "precision", "F1", "error", ">=0.9", "answers", "nothing>=0.9",
    )  # fmt: skip
    lines = [f"{'':{width}}" + "".join(f"{word:>{max(11, len(word) + 1)}}" for word in head)]
    for name, e in evaluated.projects:
        sure = e.bands[0]
        shares = (
            e.recall_at_1, e.recall_at_5, e.renamed_recall_at_1, e.precision, e.f1, e.calibration_error, sure.precision
        )  # fmt: skip
        cells = "".join(f"{'-' if share is None else f'{share:.3f}':>11}" for share in shares)
        nothing = _shown(e.sure_nothing_right, e.sure_nothing)
        lines.append(f"{printable(name, 40):{width}}{e.columns:11}{cells}{sure.answers:11}{nothing:>13}")
    mean = evaluated.mean
    shown = ("recall_at_1", "recall_at_5", "renamed_recall_at_1", "precision", "f1", "calibration_error")
    lines.append(f"{'mean':{width}}{'':11}" + "".join(f"{mean[figure]:11.3f}" for figure in shown))
    return "\n".join(lines) + "\n"
