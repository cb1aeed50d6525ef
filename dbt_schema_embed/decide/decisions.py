"""What people decided about suggestions: into mapping files, into the sources' YAML, into staging models."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from dbt_schema_embed.decide.named import file_of, files_of
from dbt_schema_embed.decide.signing import signature
from dbt_schema_embed.errors import ConfigError, SchemaEmbedError, WriteError, listed, printable, refuse_text
from dbt_schema_embed.files import shown_path
from dbt_schema_embed.lookup import model_column, model_names
from dbt_schema_embed.records import Artifacts, MappingFile, Opened, Project

if TYPE_CHECKING:
    from dbt_schema_embed.write.rewrite import Rewrite


@dataclass(frozen=True, slots=True)
class Changed:
    """Files that changed, as people are told them, and a unified diff. A dry run has the diff alone."""

    files: tuple[str, ...]
    diff: str
    # Whether dbt may have read the YAML of a model before it had a file: a partial parse goes on without that YAML.
    unparsed: bool = field(default=False, kw_only=True)

    def to_dict(self) -> dict[str, Any]:
        """As `accept`, `reject`, `apply` and `stage` say it with --format json."""
        return {"schema_version": 1, "files": list(self.files), "diff": self.diff}


@dataclass(frozen=True, slots=True)
class Imported(Changed):
    """What came in from a sheet. ``problems``: what is wrong with it, a line each; then nothing was changed."""

    decisions: int = 0
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As `import` says it with --format json."""
        return Changed.to_dict(self) | {"decisions": self.decisions, "problems": list(self.problems)}


class Answer(Artifacts, total=False):
    """What may be said with a decision; see `Decisions.decide`."""

    model: str | None
    model_column: str | None
    note: str | None
    also: bool
    expression: str | None


class Decisions:
    """Accept, reject, apply, stage, export, import. No encoder and no index is loaded."""

    def __init__(
        self,
        open_: Callable[[str | Path, Artifacts, Collection[str]], Opened],
        mappings_dir: str,
        told: Callable[[Iterable[str]], object],
        propose: "Callable[[str | Path, Artifacts, str], tuple[Opened, Rewrite]]",
    ) -> None:
        """``open_`` reads a project, SQL left out but for that of the models called so; ``told`` hears what went wrong
        without stopping a call; ``propose`` brings the mapping file of a table up to date, new columns proposed, and
        writes nothing."""
        self._open, self._folder, self._told, self._propose = open_, mappings_dir, told, propose

    def accept(
        self, source: str, columns: Sequence[str], project_dir: str | Path = ".", **more: Unpack[Answer]
    ) -> Changed:
        """Accept the suggestions for ``columns`` of ``source``; see `decide`, and `accept_confident` for many."""
        return self.decide(project_dir, source, columns, "accepted", **more)

    def reject(
        self, source: str, columns: Sequence[str], project_dir: str | Path = ".", **more: Unpack[Answer]
    ) -> Changed:
        """Reject the suggestions for ``columns`` of ``source``; see `decide`."""
        return self.decide(project_dir, source, columns, "rejected", **more)

    def decide(
        self,
        project_dir: str | Path,
        source: str,
        columns: Sequence[str],
        status: Literal["accepted", "rejected", "suggested"],
        *,
        model: str | None = None,
        model_column: str | None = None,
        note: str | None = None,
        also: bool = False,
        expression: str | None = None,
        **artifacts: Unpack[Artifacts],
    ) -> Changed:
        """Accept or reject the suggestions for ``columns`` of ``source`` ("stripe.charges"), or open them again.

        ``model`` and ``model_column`` name an answer, which may be another than the suggested one, for one column; it
        takes the place of the one that was accepted before, unless ``also``. ``expression``: SQL that makes the model
        column from the columns, which may then be several.

        Raises:
            ConfigError: no file maps the source, or several do; it has no such column, or several rows for it; an
                unknown model; an expression that is none.
            MappingError: the file cannot be read.
        """
        from dbt_schema_embed.decide.rows import Decision, decide

        refuse_text(columns=columns)
        root = Path(project_dir)
        path, file = file_of(root, self._folder, source)
        pair: tuple[str | None, str | None] = (None, None)
        if model is not None or model_column is not None or expression:
            opened = self._open(root, artifacts, ())
            if expression:
                _check_expression(opened.project, file, columns, expression, model_column)
            pair = _model_pair(opened.project, model, model_column, columns if not expression else ())
        by, at = signature(root)
        asked = [(columns[0], tuple(columns[1:]))] if expression else [(column, ()) for column in columns]
        decisions = [
            Decision(name, status, *pair, note, also=also, others=others, expression=expression, by=by, at=at)
            for name, others in asked
        ]
        return _decided([partial(decide, path, decisions, shown=shown_path(root, path))], root)

    def accept_confident(
        self, project_dir: str | Path, minimum: float, *, source: str | None = None
    ) -> tuple[int, Changed]:
        """Accept every suggestion with a confidence of ``minimum`` or more: how many, and the files that changed.

        ``source``: only of this table ("stripe.charges").

        Raises:
            ConfigError: no file maps the source.
            MappingError: a file cannot be read.
        """
        from dbt_schema_embed.decide.rows import Decision, confident, decide

        root = Path(project_dir)
        by, at = signature(root, minimum)
        counts: dict[str, int] = {}

        def decisions(file: MappingFile) -> list[Decision]:
            some = [replace(decision, by=by, at=at) for decision in confident(file, minimum)]
            counts[file.path] = len(some)
            return some

        paths = [path for path, _ in files_of(root, self._folder, source)]
        plans = [partial(decide, path, decisions, shown=shown_path(root, path)) for path in paths]
        changed = _decided(plans, root)
        return sum(counts.values()), changed

    def apply(
        self,
        project_dir: str | Path = ".",
        sources: Sequence[str] = (),
        *,
        revert: bool = False,
        dry_run: bool = False,
        **artifacts: Unpack[Artifacts],
    ) -> Changed:
        """Accepted mappings into the YAML that declares the sources, where dbt macros read them; ``revert``: out of it.

        ``sources``: only these ("stripe.charges"); empty: all that have a mapping file.

        Raises:
            ConfigError: no file maps one of the sources.
            MappingError: a mapping file cannot be read.
            WriteError: a YAML file cannot be changed without touching more than our entries.
        """
        from dbt_schema_embed.write.apply import apply_mappings

        root = Path(project_dir)
        wanted: Sequence[str | None] = sources or [None]
        files = [file for name in wanted for _, file in files_of(root, self._folder, name)]
        opened = self._open(root, artifacts, ())
        applied = apply_mappings(opened.project, files, root, revert=revert)
        self._told(applied.warnings)
        return _carried_out(applied.rewrites, root, dry_run=dry_run)

    def stage(
        self,
        source: str,
        project_dir: str | Path = ".",
        *,
        model: str | None = None,
        new: bool = False,
        leading_commas: bool | None = None,
        case_sensitive_cols: bool = False,
        materialized: str | None = None,
        dry_run: bool = False,
        **artifacts: Unpack[Artifacts],
    ) -> Changed:
        """Write the staging model of ``source`` ("stripe.charges") from its accepted mapping, in the project's style.

        ``model`` None: the one that most columns feed; ``leading_commas`` None: as in the project's staging models.
        ``new``: columns that map to nothing become new ones of the model, named in the project's style; those rows are
        accepted with that.

        Raises:
            ConfigError: no accepted row, or an unknown source or model.
            WriteError: the model's SQL is not such that columns can be added to it.
        """
        from dbt_schema_embed.decide.rows import decided
        from dbt_schema_embed.decide.staging import invented, staging_sql
        from dbt_schema_embed.write.mapping import parse_mapping
        from dbt_schema_embed.write.stage import StageOptions, stage

        root = Path(project_dir)
        mapping: Rewrite | None = None
        if new:
            opened, mapping = self._propose(root, artifacts, source)
            by, at = signature(root)
            mapping = decided(mapping, partial(invented, by, at))
            file = parse_mapping(mapping.text, mapping.shown)[0]
        else:
            file = file_of(root, self._folder, source)[1]
            opened = self._open(root, artifacts, {row.model for row in file.columns if row.model})
        examples = staging_sql(root, opened.project, file.source)
        options = StageOptions(model, leading_commas, case_sensitive_cols, materialized)
        staged = stage(opened.project, file, root, examples, options)
        changed = _carried_out([r for r in (mapping, staged.sql, staged.yaml) if r], root, dry_run=dry_run)
        return replace(changed, unparsed=staged.sql.before is None and staged.yaml is None)

    def plan(
        self,
        source: str,
        project_dir: str | Path = ".",
        *,
        dry_run: bool = False,
        **artifacts: Unpack[Artifacts],
    ) -> Changed:
        """Write the YAML of a new model for ``source`` ("stripe.charges"), switched off so that dbt leaves it alone.

        Its columns are those that `suggest --propose` proposes. Nothing is accepted.

        Raises:
            ConfigError: nothing is proposed, or the model is there already; an unknown source.
            WriteError: its YAML file exists.
        """
        from dbt_schema_embed.write.mapping import parse_mapping
        from dbt_schema_embed.write.stage import plan

        root = Path(project_dir)
        opened, mapping = self._propose(root, artifacts, source)
        file = parse_mapping(mapping.text, mapping.shown)[0]
        return _carried_out([mapping, *plan(opened.project, file, root)], root, dry_run=dry_run)

    def export(
        self,
        path: str | Path,
        project_dir: str | Path = ".",
        sources: Sequence[str] = (),
        **artifacts: Unpack[Artifacts],
    ) -> int:
        """Write mapping files as a sheet (.csv, .xlsx) for people who work in spreadsheets; how many rows.

        ``sources``: only these ("stripe.charges"); empty: all that have a mapping file.

        Raises:
            ConfigError: neither CSV nor XLSX; no file maps one of the sources.
            MappingError: a mapping file cannot be read.
            MissingExtraError: openpyxl is not installed.
        """
        from dbt_schema_embed.decide.exchange import checked_suffix, export_sheet

        root = Path(project_dir)
        checked_suffix(Path(path))
        wanted: Sequence[str | None] = sources or [None]
        files = [found for name in wanted for found in files_of(root, self._folder, name)]
        return export_sheet(Path(path), self._open(root, artifacts, ()), files)

    def import_(
        self,
        path: str | Path,
        project_dir: str | Path = ".",
        *,
        dry_run: bool = False,
        **artifacts: Unpack[Artifacts],
    ) -> "Imported":
        """Take what people changed in a sheet of `export` over into the mapping files.

        Rows that nobody changed change nothing, whatever the files say now. All of it is taken over, or nothing.

        Raises:
            As `export`; WriteError where a file cannot be written.
        """
        from dbt_schema_embed.decide.exchange import import_sheet

        root = Path(project_dir)
        who, day = signature(root)
        files = files_of(root, self._folder, None)
        signed = f"{who}, from {printable(Path(path).name, 80)}", day
        found = import_sheet(Path(path), self._open(root, artifacts, ()), files, signed)
        if dry_run:
            diff = "".join(plan().diff() for plan in found.plans)
            return Imported((), diff, found.decisions, found.problems)
        changed = _decided(found.plans, root)
        return Imported(changed.files, changed.diff, found.decisions, found.problems)


def _carried_out(plans: "Sequence[Rewrite]", root: Path, *, dry_run: bool = False) -> Changed:
    """Every file was worked out before the first one is written; the error says what was written before it."""
    done: list[str] = []
    try:
        for plan in () if dry_run else plans:
            done += [plan.shown] if plan.write(root) else []
    except WriteError as problem:
        problem.hint = f"written before that: {listed(done)}" if done else problem.hint
        raise
    return Changed(tuple(done), "".join(plan.diff() for plan in plans))


def _decided(plans: "Sequence[Callable[[], Rewrite]]", root: Path) -> Changed:
    """As `_carried_out`, but each plan is made anew from its file where somebody else was quicker."""
    from dbt_schema_embed.write.rewrite import written

    for plan in plans:  # every file is worked out before the first one is written
        plan()
    done: list[Rewrite] = []
    try:
        for plan in plans:
            done.append(written(plan, root))
    except SchemaEmbedError as problem:
        before = [rewrite.shown for rewrite in done if rewrite.changed]
        problem.hint = f"written before that: {listed(before)}" if before else problem.hint
        raise
    return Changed(tuple(r.shown for r in done if r.changed), "".join(r.diff() for r in done))


def _check_expression(
    project: Project, file: MappingFile, columns: Sequence[str], expression: str, target: str | None
) -> None:
    """Raises ConfigError: it is no SQL expression, or takes other columns than ``columns``."""
    from dbt_schema_embed.expressions import expression_problem

    if target is None:
        raise ConfigError("--expression goes with --model and --column: which column does it make?")
    if problem := expression_problem(expression, columns, project.dialect):
        raise ConfigError(
            f"the expression for {printable(file.source)} {problem}",
            hint="name every column that it takes, and write SQL such as: first_name || ' ' || last_name",
        )


def _model_pair(project: Project, model: str | None, column: str | None, columns: Sequence[str]) -> tuple[str, str]:
    """A model and its column as mapping files name them.

    Raises:
        ConfigError: one of the two is missing or unknown, or more than one source column is to feed it.
    """
    if model is None or column is None:
        raise ConfigError("--model and --column stand together: which column of which model?")
    if len(columns) > 1:
        raise ConfigError(
            f"--model and --column are the answer for one column, not for {len(columns)}",
            hint="say with --expression how they are joined",
        )
    found, name = model_column(project, model, column)
    return model_names(project.relations)[found.id], name
