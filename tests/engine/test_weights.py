"""Where a model's files are: folders that are whole, and the hub's cache as its package lays it out."""

import json
from pathlib import Path

import pytest

from engine.errors import LaunchError
from engine.weights import cached, hub_cache, is_hub_id, longest_context, require_whole


def model_in(folder: Path, config: object = None, *, shards: tuple[str, ...] = ()) -> Path:
    """A model of which the index and the configuration are there, and nothing else."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config or {}))
    if shards:
        weight_map = {f"layer.{number}": name for number, name in enumerate(shards)}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("meta-llama/Llama-3.3-70B-Instruct", True),
        ("/srv/models/llama", False),
        ("./models/llama", False),
        ("models/deep/llama", False),
        ("llama", False),
        ("~/llama", False),
        ("", False),
    ],
)
def test_a_hub_id_is_told_from_a_path(text: str, is_one: bool) -> None:
    assert is_hub_id(text) is is_one


@pytest.mark.parametrize(
    ("environment", "cache"),
    [
        ({"HF_HOME": "/h"}, "/h/hub"),
        ({"HF_HOME": "/h", "HF_HUB_CACHE": "/c"}, "/c"),
    ],
    ids=["home", "cache"],
)
def test_the_cache_is_where_the_hubs_package_looks(environment: dict[str, str], cache: str) -> None:
    assert hub_cache(environment) == Path(cache)


def test_a_downloaded_model_is_found_by_its_reference(tmp_path: Path) -> None:
    repository = tmp_path / "models--org--small"
    folder = model_in(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc\n")
    assert cached("org/small", tmp_path) == folder
    assert cached("org/other", tmp_path) is None


def test_a_reference_without_its_files_is_no_download(tmp_path: Path) -> None:
    refs = tmp_path / "models--org--small" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("abc")
    assert cached("org/small", tmp_path) is None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=f"there is no folder {tmp_path / 'none'}"):
        require_whole(tmp_path / "none")


def test_a_folder_without_a_configuration_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"there is no model in .*: it has no config\.json"):
        require_whole(tmp_path)


def test_a_download_that_broke_off_names_its_first_missing_file(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "m", shards=("one.safetensors", "two.safetensors", "three.safetensors"))
    (folder / "one.safetensors").touch()
    with pytest.raises(LaunchError, match=r"is not whole, 2 of its files .* the first is three\.safetensors"):
        require_whole(folder)


def test_a_whole_model_is_let_through(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "m", shards=("one.safetensors",))
    (folder / "one.safetensors").touch()
    require_whole(folder)


def test_an_index_that_is_no_json_is_said(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "m")
    (folder / "model.safetensors.index.json").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(LaunchError, match=r"index\.json cannot be read"):
        require_whole(folder)


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({"max_position_embeddings": 2048}, 2048),
        ({"text_config": {"max_position_embeddings": 10485760}}, 10485760),
        ({"text_config": None, "max_position_embeddings": 512}, 512),
        ({"max_position_embeddings": "many"}, None),
        ([], None),
    ],
    ids=["plain", "multimodal", "null", "nonsense", "no table"],
)
def test_a_models_longest_context_is_read_from_its_configuration(
    tmp_path: Path, config: object, tokens: int | None
) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    assert longest_context(folder) == tokens
