"""The macros rendered without dbt, for engines that no test can reach.

dbt's context is small where our macros touch it: `return`, `adapter.dispatch`, `adapter.quote`, types, `var`. Here it
is in plain Jinja, with the quotes and type names of each engine.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, Template

PARENTS = {"redshift": "postgres"}
"""Engines whose macros dbt looks for under another name before `default__`."""

TYPES = {
    "duckdb": ("TEXT", "FLOAT", "BIGINT"),
    "postgres": ("TEXT", "FLOAT", "BIGINT"),
    "redshift": ("TEXT", "FLOAT", "BIGINT"),
    "snowflake": ("TEXT", "FLOAT", "BIGINT"),
    "bigquery": ("STRING", "FLOAT64", "INT64"),
    "databricks": ("STRING", "FLOAT", "BIGINT"),
}
"""type_string, type_float and type_bigint of dbt's adapters."""


@dataclass(frozen=True, slots=True)
class FakeRelation:
    """What a dbt Relation shows to our macros."""

    text: str
    is_table: bool = True

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class FakeColumn:
    name: str
    data_type: str


class Attributes(dict[str, Any]):
    """A dictionary whose keys are attributes too, nested ones as well, as Jinja sees dbt's graph."""

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(name) from None
        return Attributes(value) if type(value) is dict else value


class _Return(Exception):  # noqa: N818  a jump, not an error
    def __init__(self, value: Any) -> None:
        self.value = value


@cache
def _template(folder: Path) -> Template:
    text = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.sql")))
    return Environment(extensions=["jinja2.ext.do"], autoescape=False).from_string(text)


class Macros:
    """Every macro of the package, callable by name as on engine ``engine``."""

    def __init__(self, folder: Path, engine: str, **context: Any) -> None:
        self._engine = engine
        self.adapter = SimpleNamespace(dispatch=self._dispatch, quote=self._quote)
        string, number, whole = TYPES[engine]
        values = {
            "return": self._return,
            "adapter": self.adapter,
            "dbt": SimpleNamespace(type_string=lambda: string, type_float=lambda: number, type_bigint=lambda: whole),
            "dbt_schema_embed": self,
            "modules": SimpleNamespace(re=re),
            "var": lambda name, default=None: default,
            "execute": True,
        }
        self._module = _template(folder).make_module(values | context)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            macro = getattr(self._module, name)
        except AttributeError:
            raise AttributeError(name) from None

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return str(macro(*args, **kwargs))
            except _Return as jump:
                return jump.value

        return call

    def _return(self, value: Any) -> None:
        raise _Return(value)

    def _dispatch(self, name: str, package: str) -> Callable[..., Any]:
        assert package == "dbt_schema_embed"
        for prefix in (self._engine, PARENTS.get(self._engine), "default"):
            if prefix and hasattr(self._module, f"{prefix}__{name}"):
                return self.__getattr__(f"{prefix}__{name}")
        raise AssertionError(f"no {name} for {self._engine}")

    def _quote(self, name: str) -> str:
        mark = "`" if self._engine in ("bigquery", "databricks") else '"'
        return f"{mark}{name}{mark}"
