"""Every profile's exact command line is understood by the installed vLLM's own parser, as it was meant."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.launch import Launch
from engine.listen import Listen
from engine.profile import Profile

ROOT = Path(__file__).parents[2]
PARSER = Path(__file__).with_name("vllm_arguments.py")
PROFILES = Profile.all_bundled()
NAMES = [profile.name for profile in PROFILES]
#: Importing vLLM takes a quarter of a minute, on a busy machine several times that.
PATIENCE_S = 300
SOCKET = "/run/aside/engine.sock"
WRONG = {
    "a flag that is none": {"extra_arguments": ("--no-such-flag",)},
    "a cache type that is none": {"kv_cache_dtype": "fp9"},
    "more memory than there is": {"gpu_memory_utilization": 1.5},
}

pytestmark = pytest.mark.timeout(PATIENCE_S + 60)


def argv(profile: Profile) -> list[str]:
    """What follows the module's name in the very command that is run."""
    launch = Launch(
        profile=profile,
        python=Path("python"),
        model_dir=None if profile.model else ROOT,
        listen=Listen.on_socket(Path(SOCKET)),
        data_dir=ROOT,
    )
    python, _, module, *arguments = launch.argv()
    assert (python, module) == ("python", "vllm.entrypoints.openai.api_server")
    return arguments


@pytest.fixture(scope="module")
def vllm_says(engine_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Ask vLLM once about all profiles, and about some that are wrong."""
    wrong = {name: replace(PROFILES[1], **change) for name, change in WRONG.items()}
    commands = {profile.name: argv(profile) for profile in PROFILES}
    commands |= {name: argv(profile) for name, profile in wrong.items()}
    folder = tmp_path_factory.mktemp("vllm-parser")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_PLUGINS": "",
    }
    ran = subprocess.run(
        [str(engine_python), str(PARSER)],
        input=json.dumps(commands),
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    return json.loads(ran.stdout)


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_vllm_understands_the_profile_as_it_was_meant(profile: Profile, vllm_says: dict[str, Any]) -> None:
    assert vllm_says[profile.name] == {
        "model": profile.model or str(ROOT),
        "served": [profile.served_model_name],
        "max_model_len": profile.max_model_len,
        "tensor_parallel_size": profile.tensor_parallel_size,
        "dtype": profile.dtype,
        "kv_cache_dtype": profile.kv_cache_dtype or "auto",
        "prefix_caching": True,
        "policy": "priority",
        "text_only": profile.language_model_only,
        "generation": (
            {}
            if profile.attn_temperature_tuning is None
            else {"attn_temperature_tuning": profile.attn_temperature_tuning}
        ),
        "uds": SOCKET,
        "host": None,
        "logs_requests": False,
        "usage_details": True,
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a flag that is none", "unrecognized arguments: --no-such-flag"),
        ("a cache type that is none", "fp9"),
        ("more memory than there is", "gpu_memory_utilization"),
    ],
    ids=list(WRONG),
)
def test_a_wrong_argument_in_a_profile_would_be_noticed(
    name: str, said: str, vllm_says: dict[str, Any]
) -> None:
    assert list(vllm_says[name]) == ["error"]
    assert said in vllm_says[name]["error"]
