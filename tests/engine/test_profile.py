"""Profiles: what they turn into, and what they may not say."""

import socket
from pathlib import Path

import pytest

from engine.errors import LaunchError, ProfileError
from engine.launch import Launch
from engine.listen import Listen
from engine.profile import Device, Profile

PROFILES = Path(__file__).parents[2] / "engine" / "profiles"
GOOD = """
name = "small"
summary = "a small one"
hardware = "one small GPU"
licence = "none"
device = "gpu"
model = "somebody/small"
gpu_memory_mib = 8_000
served_model_name = "chat"
usual_start_s = 60
max_model_len = 4096
max_num_seqs = 8
dtype = "auto"
block_size = 16
shutdown_timeout_s = 30
"""


def read(folder: Path, text: str) -> Profile:
    path = folder / "small.toml"
    path.write_text(text)
    return Profile.read(path)


def launch(folder: Path, listen: Listen, python: Path) -> Launch:
    profile = Profile.bundled("embedded")
    return Launch(profile=profile, python=python, model_dir=folder / "model", listen=listen, data_dir=folder)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A file in the engine interpreter's place, and a model's beside it."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").touch()
    (tmp_path / "python").touch()
    return tmp_path / "python"


def test_every_bundled_profile_is_valid() -> None:
    names = [path.stem for path in PROFILES.glob("*.toml")]
    assert "embedded" in names
    assert [Profile.bundled(name).name for name in names] == names


def test_the_bundled_profiles_are_those_promised_for_less_hardware_first() -> None:
    said = [(one.name, one.gpus, one.model and one.model.partition("/")[2]) for one in Profile.all_bundled()]
    assert said == [
        ("embedded", 0, None),
        ("scout-1xh200", 1, "Llama-4-Scout-17B-16E-Instruct-FP8"),
        ("scout-2xh100", 2, "Llama-4-Scout-17B-16E-Instruct-FP8"),
        ("llama-70b-4x80gb", 4, "Llama-3.3-70B-Instruct"),
        ("llama-70b-8x80gb", 8, "Llama-3.3-70B-Instruct"),
        ("maverick-8xh100", 8, "Llama-4-Maverick-17B-128E-Instruct-FP8"),
        ("scout-8xh100", 8, "Llama-4-Scout-17B-16E-Instruct"),
        ("maverick-8xh200", 8, "Llama-4-Maverick-17B-128E-Instruct-FP8"),
    ]


@pytest.mark.parametrize("profile", Profile.all_bundled()[1:], ids=lambda profile: profile.name)
def test_a_profile_for_gpus_says_whose_terms_its_model_is_under(profile: Profile) -> None:
    assert "Built with Llama" in profile.licence
    assert profile.gated


@pytest.mark.parametrize(
    "profile",
    [one for one in Profile.all_bundled() if "llama-4" in str(one.model).lower()],
    ids=lambda profile: profile.name,
)
def test_every_llama_4_answers_alike_whatever_its_hardware(profile: Profile) -> None:
    """What would change the logits, or the memory of the chunked layers, is pinned and not left to a default."""
    assert profile.max_model_len == 32768
    assert profile.attn_temperature_tuning is True
    assert profile.environment == {"VLLM_ALLOW_CHUNKED_LOCAL_ATTN_WITH_HYBRID_KV_CACHE": "1"}


def test_another_model_has_its_own_name_and_no_longer_context_than_it_can_take(tmp_path: Path) -> None:
    profile = read(tmp_path, GOOD).loading("/models/Tiny-Chat", longest=2048)
    assert (profile.model, profile.served_model_name, profile.max_model_len) == (
        "/models/Tiny-Chat",
        "Tiny-Chat",
        2048,
    )
    assert profile.loading("a/b", longest=1 << 20).max_model_len == 2048


def test_the_embedded_profile_is_what_two_cores_can_do() -> None:
    profile = Profile.bundled("embedded")
    assert profile.device is Device.CPU
    assert profile.enforce_eager
    assert profile.environment == {"VLLM_CPU_CI_ENV": "1", "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}
    assert "not the quality" in profile.summary


@pytest.mark.parametrize(("flags", "dtype"), [({"avx2"}, "float32"), ({"avx2", "avx512_bf16"}, "bfloat16")])
def test_the_embedded_profile_computes_in_what_the_processor_can(flags: set[str], dtype: str) -> None:
    assert Profile.bundled("embedded").on_processor(flags).dtype == dtype


def test_a_profile_that_says_nothing_of_processors_is_the_same_on_all(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD).on_processor({"avx2"}).dtype == "auto"


def test_an_unknown_profile_names_those_that_exist() -> None:
    with pytest.raises(ProfileError, match=r"no profile 'enormous'; there are: .*embedded"):
        Profile.bundled("enormous")


@pytest.mark.parametrize(
    "expected",
    [
        ("--enable-prefix-caching",),
        ("--max-model-len", "8192"),
        ("--block-size", "32"),
        ("--scheduling-policy", "priority"),
        ("--enable-prompt-tokens-details",),
        ("--enforce-eager",),
        ("--kv-cache-memory-bytes", str(1 << 30)),
        ("--generation-config", "vllm"),
        ("--shutdown-timeout", "10"),
        ("--served-model-name", "aside-embedded"),
        ("--override-generation-config", '{"attn_temperature_tuning": false}'),
        ("--model", "/models/it"),
        ("--uds", "/run/engine.sock"),
        ("--disable-uvicorn-access-log",),
    ],
    ids=lambda expected: expected[0].strip("-"),
)
def test_arguments_of_the_embedded_profile(expected: tuple[str, ...]) -> None:
    listen = Listen.on_socket(Path("/run/engine.sock"))
    arguments = Profile.bundled("embedded").arguments(model_dir=Path("/models/it"), listen=listen)
    start = arguments.index(expected[0])
    assert arguments[start : start + len(expected)] == expected


def test_a_port_is_on_loopback(tmp_path: Path) -> None:
    listen = Listen.on_port()
    arguments = read(tmp_path, GOOD).arguments(model_dir=tmp_path, listen=listen)
    start = arguments.index("--host")
    assert arguments[start : start + 4] == ("--host", "127.0.0.1", "--port", str(listen.place))


def test_what_is_left_out_is_left_to_vllm(tmp_path: Path) -> None:
    arguments = read(tmp_path, GOOD).arguments(model_dir=tmp_path, listen=Listen.on_port())
    assert not {"--enforce-eager", "--kv-cache-memory-bytes", "--override-generation-config"} & set(arguments)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("max_model_length = 3", "small.toml: unknown key 'max_model_length'; known are: .*max_model_len"),
        ("enable_prefix_caching = false", "small.toml: enable_prefix_caching must be true"),
        ('max_num_batched_tokens = "many"', "max_num_batched_tokens must be a whole number, not 'many'"),
        ("max_num_batched_tokens = true", "max_num_batched_tokens must be a whole number, not True"),
        ("enforce_eager = 1", "enforce_eager must be true or false, not 1"),
        ('extra_arguments = "--x"', "extra_arguments must be a list of strings"),
        ("extra_arguments = [1]", "extra_arguments must be a list of strings"),
        ('extra_arguments = ["--host", "0.0.0.0"]', "extra_arguments must not hold --host"),
        ('extra_arguments = ["--port=80"]', "extra_arguments must not hold --port"),
        ('extra_arguments = ["--no-enable-prefix-caching"]', "must not hold --no-enable-prefix-caching"),
        ("[environment]\nA = 1", "environment must be a table of strings"),
        ("tensor_parallel_size = 0", "tensor_parallel_size must be at least 1"),
        ("gpu_memory_utilization = 1.5", "gpu_memory_utilization must be above 0 and at most 1, not 1.5"),
        ("gpu_memory_utilization = 1", "gpu_memory_utilization must be a number, not 1"),
        ("= broken", "small.toml cannot be read"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, change: str, sentence: str) -> None:
    with pytest.raises(ProfileError, match=sentence):
        read(tmp_path, GOOD + change)


@pytest.mark.parametrize(
    "extra",
    [
        ["--max-model-len", "9999"],
        ["--kv-cache-dtype=fp8"],
        ["--served_model_name", "me"],
        ["--no-enable-prompt-tokens-details"],
        ["--override-generation-config.attn_temperature_tuning", "false"],
    ],
    ids=lambda extra: extra[0],
)
def test_extra_arguments_cannot_replace_what_the_profile_itself_says(
    tmp_path: Path, extra: list[str]
) -> None:
    with pytest.raises(ProfileError, match=f"extra_arguments must not hold {extra[0].partition('=')[0]}"):
        read(tmp_path, f"{GOOD}attn_temperature_tuning = true\nextra_arguments = {extra}")


@pytest.mark.parametrize("key", ["model", "gpu_memory_mib"])
def test_a_profile_for_gpus_says_its_model_and_the_memory_it_needs(tmp_path: Path, key: str) -> None:
    without = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{key} "))
    with pytest.raises(ProfileError, match=f"the key '{key}' is missing: a profile for GPUs"):
        read(tmp_path, without)


@pytest.mark.parametrize("key", ["name", "max_model_len", "device", "hardware", "licence"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    without = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{key} "))
    with pytest.raises(ProfileError, match=f"the key '{key}' is missing"):
        read(tmp_path, without)


def test_a_cpu_profile_has_one_copy_of_its_model(tmp_path: Path) -> None:
    on_cpu = GOOD.replace('"gpu"', '"cpu"').replace("block_size = 16", "block_size = 32")
    with pytest.raises(ProfileError, match="tensor_parallel_size must be 1 on a CPU, not 2"):
        read(tmp_path, f"{on_cpu}tensor_parallel_size = 2")


def test_a_cpu_profile_has_blocks_of_32(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="block_size must be 32 on a CPU, not 16"):
        read(tmp_path, GOOD.replace('"gpu"', '"cpu"'))


def test_an_unknown_device_names_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="device must be one of cpu, gpu, not 'abacus'"):
        read(tmp_path, GOOD.replace('"gpu"', '"abacus"'))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"nowhere\.toml cannot be read"):
        Profile.read(tmp_path / "nowhere.toml")


def test_the_environment_holds_no_secret_of_ours(tmp_path: Path, python: Path) -> None:
    environ = {
        "PATH": "/bin",
        "ASIDE_TELEGRAM_TOKEN": "secret",
        "DATABASE_URL": "secret",
        "CUDA_VISIBLE_DEVICES": "1",
    }
    environment = launch(tmp_path, Listen.on_port(), python).environment(environ)
    assert "secret" not in environment.values()
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"


@pytest.mark.parametrize("name", ["VLLM_API_KEY", "NVIDIA_API_KEY", "HF_TOKEN"])
def test_a_secret_under_a_name_that_vllm_may_see_stays_here_too(
    tmp_path: Path, python: Path, name: str
) -> None:
    assert name not in launch(tmp_path, Listen.on_port(), python).environment({name: "secret"})


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "VLLM_NO_USAGE_STATS", "DO_NOT_TRACK"])
def test_vllm_tells_nobody_and_asks_nobody(tmp_path: Path, python: Path, name: str) -> None:
    environment = launch(tmp_path, Listen.on_port(), python).environment({name: "0"})
    assert environment[name] == "1"


def test_caches_are_below_the_data_directory(tmp_path: Path, python: Path) -> None:
    environment = launch(tmp_path, Listen.on_port(), python).environment({})
    for name in ("VLLM_CACHE_ROOT", "HF_HOME", "XDG_CACHE_HOME"):
        assert Path(environment[name]).is_relative_to(tmp_path)


def test_a_missing_engine_environment_names_both_ways_out(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"make setup.*ASIDE_ENGINE_URL"):
        launch(tmp_path, Listen.on_port(), tmp_path / "nothing").command({})


def test_a_missing_model_is_named(tmp_path: Path, python: Path) -> None:
    (tmp_path / "model" / "config.json").unlink()
    with pytest.raises(LaunchError, match="there is no model in"):
        launch(tmp_path, Listen.on_port(), python).command({})


def test_the_grace_outlasts_vllm_s_own(tmp_path: Path, python: Path) -> None:
    command = launch(tmp_path, Listen.on_port(), python).command({})
    assert command.grace_s > Profile.bundled("embedded").shutdown_timeout_s


def test_a_socket_s_path_may_be_too_long(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="shorter data directory"):
        Listen.on_socket(tmp_path / ("x" * 108))


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=f"port {port} on 127.0.0.1 cannot be used"):
            Listen.on_port(port)


def test_a_socket_left_by_a_killed_engine_makes_way(tmp_path: Path) -> None:
    listen = Listen.on_socket(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(listen.place))
    listen.make_way()
    assert not (tmp_path / "engine.sock").exists()


def test_a_living_engine_s_socket_is_not_taken_away(tmp_path: Path) -> None:
    listen = Listen.on_socket(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(listen.place))
        living.listen()
        with pytest.raises(LaunchError, match="something already answers"):
            listen.make_way()
    assert (tmp_path / "engine.sock").exists()


def test_urls_are_the_client_s() -> None:
    assert Listen.on_socket(Path("/run/a.sock")).url == "http+unix:///run/a.sock"
    assert Listen(8123).url == "http://127.0.0.1:8123"
