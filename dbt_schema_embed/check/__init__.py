"""Room: a project and its mapping files in; problems out, in the formats CI reads.

Imports nothing heavy: `check` must start at once in a hook's small environment.
"""

from dbt_schema_embed.check.baseline import baseline_text, fingerprint, read_baseline, unknown_only
from dbt_schema_embed.check.formats import FORMATS, formatted, summary
from dbt_schema_embed.check.rules import RULES
from dbt_schema_embed.check.run import CODES, LEVELS, check, checked_levels

__all__ = [
    "CODES",
    "FORMATS",
    "LEVELS",
    "RULES",
    "baseline_text",
    "check",
    "checked_levels",
    "fingerprint",
    "formatted",
    "read_baseline",
    "summary",
    "unknown_only",
]
