"""dbt-schema-embed reopen."""

from dbt_schema_embed.cli.deciding import deciding

command = deciding(
    "reopen",
    "suggested",
    "Open decided suggestions again: they are suggested, as before somebody accepted or rejected them.\n\n"
    "The next run of suggest brings them up to date. Notes stay.",
    "dbt-schema-embed reopen stripe.charges id amount",
    "dbt-schema-embed reopen stripe.charges id --model stg_stripe__charges --column customer_id",
    otherwise="they are open already",
)
