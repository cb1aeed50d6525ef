"""dbt-schema-embed reject."""

from dbt_schema_embed.cli.deciding import deciding

command = deciding(
    "reject",
    "rejected",
    "Reject suggestions in the mapping files.\n\n"
    "A rejected pair is not suggested again; the next run of suggest may find another.",
    "dbt-schema-embed reject stripe.charges livemode",
    "dbt-schema-embed reject stripe.charges id --model stg_stripe__charges --column customer_id",
    otherwise="they were rejected already",
)
