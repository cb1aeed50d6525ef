"""Where settings come from, which one counts, and what is said of a wrong one."""

import contextlib
from pathlib import Path

import pytest

from dbt_schema_embed.errors import ConfigError
from dbt_schema_embed.settings import ENV_NAMES, FLAG, SECRETS, Settings, found, parsed
from tests.doubling import assert_linear

TOML = '[tool.dbt-schema-embed]\nbatch_size = 8\n"cache-ttl" = 60\n'
YML = "batch_size: 8\ncache-ttl: 60\n"
DBT = "name: shop\nvars:\n  schema_embed:\n    batch_size: 8\n    cache_ttl: 60\n"


@pytest.mark.parametrize(
    ("name", "text"), [("pyproject.toml", TOML), ("dbt_schema_embed.yml", YML), ("dbt_project.yml", DBT)]
)
def test_each_file_sets_and_dashes_are_underscores(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert Settings.load(tmp_path, env={}) == Settings(batch_size=8, cache_ttl=60)


def test_limits_of_alerts_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "dbt_schema_embed.yml"
    path.write_text("alerts: {encode_ms: 5, hit_rate: 0.5}\n")
    assert Settings.load(tmp_path, env={}).alerts == {"encode_ms": 5, "hit_rate": 0.5}
    for bad in ("{encode_ms: -1}", "{encode_ms: fast}", "{encode_ms: true}", "{encode_ms: .nan}", "[5]"):
        path.write_text(f"alerts: {bad}\n")
        with pytest.raises(ConfigError, match="it must be names and numbers, 0 or more"):
            Settings.load(tmp_path, env={})


def test_flags_beat_the_environment_and_the_environment_beats_a_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TOML)
    env = {"EMBEDDING_BATCH_SIZE": "16", "EMBEDDING_MAX_WORKERS": "2", "EMBEDDING_REDIS_URL": " "}
    flags = {"batch_size": 32, "targets": None}
    assert found(tmp_path, flags, env) == {
        "batch_size": (32, FLAG),
        "cache_ttl": (60, "pyproject.toml"),
        "max_workers": (2, "EMBEDDING_MAX_WORKERS"),
    }
    assert Settings.load(tmp_path, flags, env) == Settings(batch_size=32, cache_ttl=60, max_workers=2)


def test_nothing_set_is_the_defaults(tmp_path: Path) -> None:
    assert Settings.load(tmp_path, env={"EMBEDDING_OTHER_TOOL": "x", "PATH": "/bin"}) == Settings()


@pytest.mark.parametrize(
    "text",
    [
        "name: shop\nversion: '{{ var(\"v\") }}'\n",
        "{% if x %}\nname: shop\n",  # no YAML, and none of our business
        "dispatch:\n  - macro_namespace: dbt_schema_embed\n",
        "vars: {}\n",
        "vars:\n  schema_embed:\n",
        "seeds:\n  schema_embed: {x: 1}\n",
    ],
)
def test_a_dbt_project_without_our_settings_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "dbt_project.yml").write_text(text)
    assert Settings.load(tmp_path, env={}) == Settings()


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False), ("off", False)]
)
def test_words_for_true_and_false(text: str, value: bool) -> None:
    assert parsed("use_gpu", text, "EMBEDDING_USE_GPU") is value


BAD_FILES = [
    ("pyproject.toml", "[tool.dbt-schema-embed]\nbatchsize = 8\n",
     "unknown setting 'batchsize' in {}/pyproject.toml\n  did you mean batch_size?"),
    ("pyproject.toml", "[tool.dbt-schema-embed]\nbatch_size = 0\n",
     "batch_size in pyproject.toml is 0: it must be a whole number, 1 or more"),
    ("pyproject.toml", "[tool.dbt-schema-embed]\nbatch_size = true\n",
     "batch_size in pyproject.toml is True: it must be a whole number, 1 or more"),
    ("pyproject.toml", "[tool.dbt-schema-embed]\nquantization = 'int4'\n",
     "quantization in pyproject.toml is 'int4'\n  did you mean int8?"),
    ("pyproject.toml", "[tool.dbt-schema-embed\n",
     "{}/pyproject.toml is not TOML: Expected ']' at the end of a table declaration (at line 1, column 23)"),
    ("dbt_schema_embed.yml", "- 1\n", "the settings in {}/dbt_schema_embed.yml must be names and values"),
    ("dbt_schema_embed.yml", "a: [\n", "{}/dbt_schema_embed.yml is not YAML: while parsing a flow node"),
    ("dbt_schema_embed.yml", "1: 2\n", "unknown setting '1' in {}/dbt_schema_embed.yml\n"
     "  known are: " + ", ".join(sorted(Settings.__dataclass_fields__))),
    ("dbt_schema_embed.yml", "severity: {stale-manifest: 1}\n",
     "severity in dbt_schema_embed.yml is a dict: it must be names and values, both text"),
    ("dbt_schema_embed.yml", "model_name: [&a [x], *a, *a]\n",
     "model_name in dbt_schema_embed.yml is a list: it must be text"),
    ("dbt_schema_embed.yml", "redis_url: 7\n", "redis_url in dbt_schema_embed.yml is something else: it must be text"),
    ("dbt_schema_embed.yml", "x" * (2**20 + 1),
     "{}/dbt_schema_embed.yml is larger than 1 MB: no settings are read from it"),
    ("dbt_schema_embed.yml", "[" * 10**6, "{}/dbt_schema_embed.yml is nested deeper than 60 levels"),
    ("dbt_schema_embed.yml", "- " * 500_000, "{}/dbt_schema_embed.yml is nested deeper than 60 levels"),
    ("dbt_schema_embed.yml", "a0: &a0 {k: 1, l: 2}\n"
     + "".join(f"a{i + 1}: &a{i + 1} {{<<: [*a{i}, *a{i}]}}\n" for i in range(26)),
     "{}/dbt_schema_embed.yml merges more than 100,000 values into each other"),
    ("dbt_schema_embed.yml", "a: &a {<<: *a}\n", "{}/dbt_schema_embed.yml has a mapping that merges itself"),
    ("dbt_schema_embed.yml", "a: &a {<<: [{<<: *a}]}\n", "{}/dbt_schema_embed.yml has a mapping that merges itself"),
    ("dbt_schema_embed.yml", "a: \"\\x00\x00\"", "{}/dbt_schema_embed.yml is not YAML: "),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "message"), BAD_FILES)
def test_a_bad_file_is_one_message(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        Settings.load(tmp_path, env={})
    expected = message.format(tmp_path)
    assert str(caught.value) == expected or (message.endswith(": ") and str(caught.value).startswith(expected))


def test_merge_keys_are_carried_out(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text(
        "x: &x {batch_size: 8}\nvars:\n  schema_embed:\n    <<: [*x, {cache_ttl: 60}]\n    batch_size: 9\n"
    )
    assert Settings.load(tmp_path, env={}) == Settings(batch_size=9, cache_ttl=60)


@pytest.mark.parametrize("piece", ["a: &a {b: 1}\n", "- *a\n", "[x, ", "k: {<<: *a}\n", "# x\n", "\n", "'"])
def test_settings_are_read_in_time_that_grows_as_they_do(tmp_path: Path, piece: str) -> None:
    def read(size: int) -> None:
        text = "vars: {schema_embed: {}}\na0: &a {b: 1}\n" + piece * (size // len(piece))
        (tmp_path / "dbt_project.yml").write_text(text)
        with contextlib.suppress(ConfigError):
            Settings.load(tmp_path, env={})

    assert_linear(read, 200_000)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"EMBEDDING_BATCHSIZE": "8"},
         "unknown environment variable EMBEDDING_BATCHSIZE\n  did you mean EMBEDDING_BATCH_SIZE?"),
        ({"EMBEDDING_BATCH_SIZE": "many"}, "EMBEDDING_BATCH_SIZE is 'many': it must be a whole number, 1 or more"),
        ({"EMBEDDING_BATCH_SIZE": "0"}, "EMBEDDING_BATCH_SIZE is 0: it must be a whole number, 1 or more"),
        ({"EMBEDDING_USE_GPU": "maybe"}, "EMBEDDING_USE_GPU is 'maybe': it must be true or false"),
        ({"EMBEDDING_QUANTIZATION": "float8"}, "EMBEDDING_QUANTIZATION is 'float8'\n  did you mean float32?"),
    ],
)  # fmt: skip
def test_a_bad_variable_is_one_message(tmp_path: Path, env: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.load(tmp_path, env=env)
    assert str(caught.value) == message


def test_two_files_with_settings_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TOML)
    (tmp_path / "dbt_schema_embed.yml").write_text(YML)
    with pytest.raises(ConfigError, match=r"settings stand in both pyproject\.toml and dbt_schema_embed\.yml"):
        Settings.load(tmp_path, env={})


def test_a_flag_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown setting 'target' in the command line\n  did you mean targets"):
        found(tmp_path, {"target": "all"}, {})


def test_a_python_caller_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="targets is 'some'"):
        Settings(targets="some")  # type: ignore[arg-type]


def test_secrets_are_not_in_the_repr() -> None:
    settings = Settings(redis_url="redis://:hunter2@host", chroma_url="http://hunter2@host", chroma_token="hunter2")
    assert "hunter2" not in repr(settings)
    assert set(Settings.__dataclass_fields__) >= SECRETS


def test_every_variable_is_a_field() -> None:
    assert set(ENV_NAMES.values()) <= set(Settings.__dataclass_fields__)
