"""A Parquet file of some kB may hold gigabytes: one text that thousands of rows share, pages of zeros."""

import base64
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.tables import parquet_child, parquet_file
from dbt_schema_embed.tables.parquet_file import read_parquet
from dbt_schema_embed.tables.samples import LENGTH_LIMIT

ROWS = 2000

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def shared_text(path: Path, size: int, *, large: bool) -> None:
    """`ROWS` rows of one text of ``size`` characters, and one of its own."""
    import pyarrow.parquet

    text = pyarrow.large_string() if large else pyarrow.string()
    indices = pyarrow.array([0] * ROWS + [1, None], pyarrow.int32())
    array = pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(["x" * size, "own"], text))
    pyarrow.parquet.write_table(pyarrow.table({"a": array}), path, compression="zstd", store_schema=large)


@pytest.mark.parametrize("large", [False, True])
def test_a_text_that_many_rows_share_stays_one(tmp_path: Path, large: bool) -> None:
    shared_text(tmp_path / "b.parquet", 3_000_000, large=large)
    assert (tmp_path / "b.parquet").stat().st_size < 20_000
    (found,) = read_parquet(tmp_path / "b.parquet")
    assert (found.value_count, len(found.values)) == (ROWS + 1, 2)


def test_long_texts_are_cut(tmp_path: Path) -> None:
    shared_text(tmp_path / "b.parquet", 5000, large=False)
    (found,) = read_parquet(tmp_path / "b.parquet")
    assert [len(value) for value in found.values] == [LENGTH_LIMIT, 3]


def test_what_would_not_fit_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"a": ["x" * 10**6 + str(i) for i in range(20)]}), tmp_path / "b.parquet")
    monkeypatch.setattr(parquet_child, "MAX_DECODED", 2**20)
    problem = parquet_child.read(tmp_path / "b.parquet", ROWS).problem
    assert problem.endswith("b.parquet decodes to more than 1 MiB: it is not read")


ABORTS = (
    "P(e~L6$BL&6(&p-1Qh@h001bpFa012Q2+n|0001Z0RR91c@+Q^92G7s6*d(R6$TXs95xat0eKh!co7i*001bpFa016aR2}X00009"
    "ZQHg50SBt80u=-mumcsE0ZbJ(6#x<d04TLD{UF#S0szDV000310ssR51ONp91^@>D2mlEH3IGcL3;+!P4ge1T5C9PX5&#nb6aW<f"
    "762Cj7yuan8UO$Q000008Uj=R0|6BP6*v`2EEP5t5ETX$1{@d&8UO$Q000007zh9W00000000&MC<qz=00000000;W0000000000"
    "5fK0Y04TLD{U99S00062001@t1qmRCL5evjsl}RmFv>}*y*O(C000#P89X%r7zT4=Xk~3-6$Ahk3?*S00bwNoOdJ3J02Kr!0vG{e"
    "02VeG92qPo02~zz88rX~5E&Q&VHFG(HWr2f7ODXzN+t*#HWDZSc^CnB5fK0xEENP502KlN6#x|w6#@V}79<%4872}W0000c02~zr"
    "88rX~5E&Q&VigP)Hx`Bk7J>sN>;fjT0UQ_z8UO$Q000007zh9W00000000&MC<qz=00000000;W00000000005fK0xEENP502KlN"
    "6#x|w6#@V}DFzuP05$*s02Yh}7B(gb7OVsS85|f4K~hprS2}ZJXk~3-80-NrFE1}IHfKRWK|xVLK|w)5K|xDFL3cqyXF*0mL1#fj"
    "XF)+hK|w-7K|xJHK|w)7K|x7DK|w)6K|x7DK|w)6K|w)5K}kVDK|)PIK|w)6K|w)5O?odcFE~L#K}ADFK|w)5LU%zyK|w`9K|w)5"
    "K|w)5K}A79K|*OkK|w)7K|w}AL1#ficR@)(K|w)5K|w)5RY5^PK|xVLLQz3OK|x1BL1RHgK|w)5LP0@AK|w)5K|w)5QB_evK|w)B"
    "K|w)5K~X_LK|w)5K|w)5Q9(gLM@2zFK|w`9K~X_MK|w)5K|w)5K|wtL7$9(Aa&dKKbS-0Wa4lhSa&LDac4cyNX>V>IGBz$SE-@J_"
    "8~^|u0000D0ssI|K~ga"
)
"""A file at which pyarrow 26 ends its process: a C++ exception that nobody catches. Found by `make fuzz`."""


def test_a_file_that_ends_the_process_that_reads_it_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "b.parquet").write_bytes(base64.b85decode(ABORTS))
    with pytest.raises(ArtifactError, match=r"b\.parquet cannot be read as Parquet: "):
        read_parquet(tmp_path / "b.parquet")


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared_text(tmp_path / "b.parquet", 10, large=False)
    monkeypatch.setattr(parquet_file, "SECONDS", 0.01)
    with pytest.raises(ArtifactError, match=r"b\.parquet took more than 0 s to read: it is given up"):
        read_parquet(tmp_path / "b.parquet")
