"""Words that databases shorten or swap, and the layer prefixes of dbt names.

General database usage only: nothing here is taken from one vendor's tables.
"""

# Each line is one meaning; its words count as equal, the first is how we say it.
_GROUPS = """
account acct acc
address addr adr
amount amt
approved appr
authorization auth
average avg mean
balance bal
begin start started beg strt
birthday birthdate dob
category cat ctgry
city town
classification class
code cd
comment cmnt remark note
company organization organisation org
configuration config cfg
confirmed confirm
contact cntct
count cnt num number no nbr nr qty quantity
country ctry cntry
create created creation crt
currency curr ccy crncy
customer cust client cstmr
date dt day
delete deleted removed
department dept
description desc descr dsc
destination dest
diagnosis dx diag
discharge dsch disch
document doc
effective eff
email mail eml
employee emp
end ended finish finished stop stopped
enabled active on
error err
estimate est estimated
expiration expiry exp expires expire
extension ext
external extl
finance fin
first fst given
frequency freq
gender sex
group grp
hour hr
identifier id ident key uuid guid no num number nbr nr
image img picture
index idx
information info
inventory inv
invoice invc
language lang
last family surname
latitude lat
length len
level lvl
line ln
link url uri href
location loc
longitude lng lon
manager mgr
maximum max
message msg
middle mid
minimum min
minute mins
modified updated update modify changed
month mnth mth
name nm title label
object obj
order ord
original orig
package pkg
parameter param
parent prnt
password pwd
payment pmt pymt
percent pct percentage
person individual
phone telephone tel
photo avatar
place plc
position pos
postal zip postcode
previous prev prior
price prc
primary prim
procedure proc
product prod prdct
project prjct proj
provider prov prvdr
purchase purch
rank position
rate rt
reason rsn
receive received rcvd
record rec
reference ref
region rgn
relationship rltnshp
report rpt
request req
response resp
revenue rev
salary sal
schedule sched
score scr
second sec
sequence seq
service svc srvc
shipment shpmt shipping ship
signature sig
source src
specialty spclty
standard std
state province
status stat sts state
statistics stats
street str
subscription sub
summary summ
system sys
table tbl
tax vat
temporary tmp temp
time tm timestamp datetime ts date at
total tot sum ttl
transaction txn trans trx transact
type typ kind tp
user usr
value val
vendor supplier
version ver
visit encounter
warehouse wh
weight wgt wt
year yr yrs years
zone zn
"""

SYNONYMS: dict[str, frozenset[int]] = {}
"""word -> the meanings it can have (numbers of lines above)."""
for _number, _line in enumerate(_GROUPS.split("\n")):
    for _word in _line.split():
        SYNONYMS[_word] = SYNONYMS.get(_word, frozenset()) | {_number}

SLIGHT_WORDS = frozenset({
    "is", "has", "was", "are", "can", "did", "flag", "flg", "ind", "indicator", "bool", "boolean", "at", "on", "of",
    "the", "a", "an", "in", "to", "for", "and", "or",
})  # fmt: skip
"""Words that say what kind of value a column has, or bind others, and nothing about what it is."""

LAYER_PREFIXES = frozenset({
    "stg", "staging", "base", "src", "source", "raw", "int", "intermediate", "fct", "fact", "dim", "dimension",
    "mart", "tmp", "stage", "lnd", "landing", "ods", "rpt", "v", "vw", "tbl",
})  # fmt: skip
"""First words of dbt model names that say a layer, as dbt's style guide and common practice have them."""

TECHNICAL_WORDS = frozenset({
    "filler", "reserved", "spare", "dummy", "unused", "obsolete", "deprecated", "rowguid", "rowversion", "checksum",
    "hash",
    "etl", "cdc", "lsn", "sdc", "airbyte", "fivetran", "dlt", "stitch", "ingest", "ingested", "ingestion", "synced",
    "batch",
    "loaded", "extracted", "tombstone", "replication", "systemmodstamp", "modstamp", "objectid", "globalid", "rowid",
    "upsert", "dbtvault", "scd", "wal", "offset", "partition", "migrated", "migration", "legacy", "tmp", "temp",
    "old", "debug",
})  # fmt: skip
"""Words of columns that serve the loading and storing of rows: seldom wanted by a model."""
