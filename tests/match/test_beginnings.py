"""What stands before the words of a table's names is taken off, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_schema_embed.match.beginnings import HUNGARIAN, TYPE_LETTERS, without_beginning, without_types
from dbt_schema_embed.records import Column
from dbt_schema_embed.words import words

NAMES = st.lists(
    st.lists(st.sampled_from(["kh", "cm", "str", "name", "id", "7", "c"]), min_size=1, max_size=3).map(tuple)
)


def cut(names: str) -> str:
    return " ".join("_".join(core) for core in without_beginning([words(n) for n in names.split()]))


@pytest.mark.parametrize(
    ("names", "cores"),
    [
        # a word
        ("kh_id kh_name kh_zip kh_city", "id name zip city"),
        ("kh_id kh_name kh_zip", "kh_id kh_name kh_zip"),  # three columns are no habit
        ("kh_id kh_name kh_zip city born", "id name zip city born"),  # three of five have it
        ("kh_id kh_name city born sex", "kh_id kh_name city born sex"),  # two of five do not
        ("kh_id kh_name kh_zip kh", "id name zip kh"),  # a name is never left without a word
        ("kh_1 kh_name kh_zip kh_city", "kh_1 name zip city"),  # a number alone says nothing
        ("kh_2a kh_name kh_zip kh_city", "2_a name zip city"),
        # two words, one after the other, and not a third
        ("a_b_id a_b_name a_b_zip a_b_city", "id name zip city"),
        ("x_y_z_id x_y_z_name x_y_z_zip x_y_z_city", "z_id z_name z_zip z_city"),
        # types of old Access tables; half of a table is enough, also of a small one
        ("strName lngId dtmBorn curPrice", "name id born price"),
        ("strName lngId born price", "name id born price"),
        ("strName id born price", "str_name id born price"),
        ("str lngId dtmBorn curPrice", "str id born price"),
        ("strName lngId", "name id"),
        # an ending that Salesforce puts on its own fields
        ("Rating__c Owner_Id Tier__c c", "rating owner_id tier c"),
        # letters glued to the front: the longest that three in four share, of two to four letters
        ("CMCUST CMNAME CMZIP CMTERM", "cust name zip term"),
        ("KUNNAME KUNORT KUNTEL KUNBANK", "name ort tel bank"),
        ("ABCDNAME ABCDORT ABCDTEL ABCDBANK", "name ort tel bank"),
        ("CMCUST CMNAME CMZIP TERM", "cust name zip term"),
        ("CMCUST CMNAME ZIPCODE TERM", "cmcust cmname zipcode term"),
        ("CMCUST CMNAME CMZIP", "cmcust cmname cmzip"),  # too few names to tell
        ("CMCUST CMNAME CMZIP CMID_X", "cust name zip id_x"),
        ("CMCUST CMNAME CMZIP CMX CMTERM", "cust name zip cmx term"),  # one letter is no name
        ("CUST1 CUST2 CUST3 CUST4", "cust_1 cust_2 cust_3 cust_4"),
        ("inname inlet ininch inside id zip no sex", "inname inlet ininch inside id zip no sex"),  # of half the names
        ("customer customs custody custom", "customer customs custody custom"),  # two ways to go on: words of one stem
        ("order order_date order_total order_no", "order date total no"),
        ("1234abc 1234def 1234xyz 1234pqr", "abc def xyz pqr"),
        ("ภาษาก ภาษาข ภาษาค ภาษาง", "ภาษาก ภาษาข ภาษาค ภาษาง"),  # other scripts have no glued beginnings
        ("", ""),
    ],
)
def test_a_beginning_that_most_of_a_table_shares_is_taken_off(names: str, cores: str) -> None:
    assert cut(names) == cores


@given(NAMES, st.randoms())
def test_a_core_is_a_run_of_its_name_and_the_order_of_names_does_not_matter(names, chance) -> None:
    found = without_beginning(names)
    for name, core in zip(names, found, strict=True):
        assert core
        assert "".join(core) in "".join(name)
    mixed = chance.sample(range(len(names)), len(names))
    assert without_beginning([names[i] for i in mixed]) == [found[i] for i in mixed]


def typed(names: str, types: str) -> list[str]:
    columns = [Column(n, t) for n, t in zip(names.split(), types.split(), strict=True)]
    return ["_".join(core) for core in without_types([words(c.name) for c in columns], columns)]


@pytest.mark.parametrize(
    ("names", "types", "cores"),
    [
        ("CNOMCLI NDTO DALTA LBAJA TFIN", "varchar numeric date boolean timestamp", "nomcli dto alta baja fin"),
        ("CNOMCLI NDTO DALTA LBAJA", "varchar numeric date boolean", "cnomcli ndto dalta lbaja"),  # four are too few
        ("CNOMCLI NDTO DALTA LBAJA TFIN ORT", "varchar numeric date boolean timestamp varchar",
         "nomcli dto alta baja fin ort"),  # five of six agree
        ("CNOMCLI NDTO DALTA ORT PLZ", "varchar numeric date varchar varchar", "cnomcli ndto dalta ort plz"),
        ("CNOMCLI CDTO CALTA CBAJA CFIN", "varchar varchar varchar varchar varchar",
         "cnomcli cdto calta cbaja cfin"),  # one letter is a beginning, no type
        ("CNOMCLI CDTO NALTA NBAJA CFIN", "varchar varchar numeric numeric varchar",
         "cnomcli cdto nalta nbaja cfin"),  # two letters are chance
        ("CNOMCLI ND DALTA LBAJA TFIN", "varchar numeric date boolean timestamp", "nomcli nd alta baja fin"),
    ],
)  # fmt: skip
def test_a_first_letter_that_says_the_type_is_taken_off(names: str, types: str, cores: str) -> None:
    assert typed(names, types) == cores.split()


def test_the_tables_of_types_are_lower_case_as_words_are() -> None:
    assert all(word == word.lower() for word in (*HUNGARIAN, *TYPE_LETTERS))
