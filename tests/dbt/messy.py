"""A messy project: four sources, each table begun in another way; German, quoted and AS/400 names."""

from pathlib import Path

PROJECT = "name: messy\nversion: 1.0.0\nprofile: messy\n"
PROFILES = """\
messy:
  target: duckdb
  outputs:
    duckdb:
      type: duckdb
      path: "{folder}/messy.duckdb"
      schema: marts
      keep_open: false
    postgres:
      type: postgres
      host: "{{{{ env_var('PGHOST', '') }}}}"
      port: "{{{{ env_var('PGPORT', '5432') | as_number }}}}"
      user: "{{{{ env_var('PGUSER', '') }}}}"
      password: "{{{{ env_var('PGPASSWORD', '') }}}}"
      dbname: "{{{{ env_var('PGDATABASE', '') }}}}"
      schema: marts
      threads: 2
"""
RAW = (
    "create schema raw",
    """create table raw.customers ("CMCUNO" decimal(8,0), "CMNAME" varchar, "CMADD1" varchar, "CMADD2" varchar,
       "CMZIP" varchar, "CMCITY" varchar, "CMCRLM" decimal(11,2))""",
    """insert into raw.customers values (1001, 'Stein KG', 'Am Markt 1', 'Hinterhaus', '04109', 'Leipzig', 5000),
       (1002, 'Lind AB', 'Storgatan 2', '3 tr', '11455', 'Stockholm', 250.5)""",
    """create table raw."Mitarbeiter" ("Personalnummer" integer, "Vorname" varchar, "Nachname" varchar,
       "E-Mail" varchar, "Geburtsdatum" date, "Kostenstelle" varchar)""",
    """insert into raw."Mitarbeiter" values (7, 'Ada', 'Stein', 'ada@x.de', '1990-01-02', 'K1'),
       (8, 'Bo', 'Lind', 'bo@x.de', '1981-05-06', 'K2')""",
    """create table raw.contacts ("contactId" integer, "Full Name" varchar, "eMail" varchar, "updatedAt" timestamp,
       "order" varchar)""",
    """insert into raw.contacts values (1, 'Ida Berg', 'IDA@X.SE', '2024-01-01 10:00:00', 'first'),
       (2, 'Ulf Dahl', 'Ulf@x.se', '2024-02-01 11:30:00', 'second')""",
    """create table raw."PageViews" ("visitId" integer, "pageUrl" varchar, "Visited At" timestamp)""",
    """insert into raw."PageViews" values (1, '/a', '2024-03-01 09:00:00'), (2, '/b', '2024-03-01 09:05:00')""",
)
SOURCES = """\
version: 2
sources:
""" + "".join(
    f"  - name: {name}\n    schema: raw\n    tables:\n      - name: {table}\n"
    for name, table in (("erp", "customers"), ("hr", "Mitarbeiter"), ("crm", "contacts"), ("web", "PageViews"))
)
FILES = {
    "models/staging/_sources.yml": SOURCES,
    # A plan without a .sql file.
    "models/staging/erp.yml": """\
version: 2
models:
  - name: stg_erp__customers
    columns:
      - name: customer_id
        data_type: integer
        data_tests: [unique, not_null]
      - name: customer_name
      - name: street_address
        description: Both lines of the address.
        data_tests: [not_null]
      - name: postal_code
      - name: city
      - name: credit_limit
""",
    # A plan that is switched off.
    "models/staging/hr.yml": """\
version: 2
models:
  - name: stg_hr__employees
    config: {enabled: false}
    columns:
      - name: employee_id
        data_tests: [unique, not_null]
      - name: first_name
      - name: last_name
      - name: email
      - name: birth_date
        data_type: date
""",
    "models/staging/stg_hr__employees.sql": "",
    # A model that is half built.
    "models/staging/crm.yml": """\
version: 2
models:
  - name: stg_crm__contacts
    columns:
      - name: contact_id
        data_tests: [unique, not_null]
      - name: email
      - name: first_name
        constraints: [{type: not_null}]
      - name: last_name
      - name: updated_at
      - name: contact_order
""",
    "models/staging/stg_crm__contacts.sql": """\
-- Ours, since 2021.
select
    "contactId" as contact_id,
    lower("eMail") as email  -- typed by people
from {{ source('crm', 'contacts') }}
""",
    # A mart over a model that is planned.
    "models/marts/people.sql": "select contact_id, email from {{ ref('stg_crm__contacts') }}\n",
}


def write_messy(folder: Path) -> None:
    """The project, without its database."""
    files = {"dbt_project.yml": PROJECT, "profiles.yml": PROFILES.format(folder=folder.as_posix()), **FILES}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
