"""A Parquet file of some kB may hold gigabytes: one text that thousands of rows share, pages of zeros."""

import subprocess
import sys
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ArtifactError
from dbt_schema_embed.read import parquet_file
from dbt_schema_embed.read.parquet_file import read_parquet
from dbt_schema_embed.read.values import LENGTH_LIMIT

ADDRESSES = 4 * 2**30
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
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({ADDRESSES}, {ADDRESSES}))\n"
        "from dbt_schema_embed.read.parquet_file import read_parquet\nfrom pathlib import Path\n"
        "table = read_parquet(Path('b.parquet'))\nprint(table.samples[0].count, len(table.samples[0].values))"
    )
    if sys.platform != "linux":
        pytest.skip("address space is not limited there")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split()[-2:] == [str(ROWS + 1), "2"]


def test_long_texts_are_cut(tmp_path: Path) -> None:
    shared_text(tmp_path / "b.parquet", 5000, large=False)
    (found,) = read_parquet(tmp_path / "b.parquet").samples
    assert [len(value) for value in found.values] == [LENGTH_LIMIT, 3]


def test_what_would_not_fit_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"a": ["x" * 10**6 + str(i) for i in range(20)]}), tmp_path / "b.parquet")
    monkeypatch.setattr(parquet_file, "MAX_DECODED", 2**20)
    with pytest.raises(ArtifactError) as caught:
        read_parquet(tmp_path / "b.parquet")
    assert str(caught.value).endswith("b.parquet decodes to more than 1 MiB: it is not read")
