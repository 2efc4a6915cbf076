"""Which GPUs are here, as NVIDIA's tool says it, and whether a profile fits on them."""

from pathlib import Path

import pytest

from engine.errors import LaunchError
from engine.gpus import Gpu, list_gpus, parse_gpus, require_gpus, visible
from engine.profile import Profile

LISTING = """\
0, GPU-aaaa-1111, 81559, NVIDIA H100 80GB HBM3
1, GPU-bbbb-2222, 81559, NVIDIA H100 80GB HBM3
2, GPU-bbcc-3333, 143771, NVIDIA H200
"""
GPUS = parse_gpus(LISTING)


def tool_in(folder: Path, body: str) -> dict[str, str]:
    """An environment whose `nvidia-smi` is this script."""
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{body}\n")
    tool.chmod(0o755)
    return {"PATH": str(folder)}


def test_the_tools_lines_are_read() -> None:
    assert [(gpu.index, gpu.memory_mib) for gpu in GPUS] == [(0, 81559), (1, 81559), (2, 143771)]
    assert GPUS[2] == Gpu(index=2, uuid="GPU-bbcc-3333", memory_mib=143771, name="NVIDIA H200")


@pytest.mark.parametrize("line", ["", "No devices were found", "0, GPU-a, [Unknown Error], H100", "x,y,z"])
def test_a_line_that_tells_no_gpu_is_left_out(line: str) -> None:
    assert parse_gpus(line) == ()


@pytest.mark.parametrize(
    ("chosen", "indices"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("2,0", [2, 0]),
        ("GPU-aaaa", [0]),
        ("GPU-bb", []),
        ("0,9,1", [0]),
    ],
    ids=["unset", "empty", "none", "order", "uuid", "ambiguous", "unknown"],
)
def test_cuda_s_choice_is_kept_to(chosen: str | None, indices: list[int]) -> None:
    assert [gpu.index for gpu in visible(GPUS, chosen)] == indices


def test_the_tool_is_asked_where_there_is_one(tmp_path: Path) -> None:
    environ = tool_in(tmp_path, f"/bin/cat <<'END'\n{LISTING}END")
    assert len(list_gpus(environ)) == 3
    assert [gpu.index for gpu in list_gpus(environ | {"CUDA_VISIBLE_DEVICES": "1"})] == [1]


def test_a_broken_driver_has_no_gpus(tmp_path: Path) -> None:
    assert list_gpus(tool_in(tmp_path, "exit 9")) == ()


def test_without_the_tool_there_are_no_gpus(tmp_path: Path) -> None:
    assert list_gpus({"PATH": str(tmp_path)}) == ()


@pytest.mark.parametrize(
    ("profile", "gpus"),
    [("scout-1xh200", GPUS[2:]), ("scout-2xh100", GPUS[:2]), ("embedded", ())],
    ids=lambda value: value if isinstance(value, str) else len(value),
)
def test_a_profile_runs_where_its_gpus_are(profile: str, gpus: tuple[Gpu, ...]) -> None:
    require_gpus(Profile.bundled(profile), gpus)


@pytest.mark.parametrize(
    ("profile", "gpus", "here"),
    [
        ("scout-1xh200", (), "what can be used here is no NVIDIA GPU: choose another"),
        ("scout-1xh200", GPUS[:1], "what can be used here is NVIDIA H100 80GB HBM3 with 81559 MiB: choose"),
        ("scout-2xh100", GPUS[:1], "needs two H100"),
        ("scout-8xh100", GPUS, "needs eight H100"),
    ],
    ids=["none", "too small", "too few", "far too few"],
)
def test_gpus_that_are_too_few_or_too_small_are_named(profile: str, gpus: tuple[Gpu, ...], here: str) -> None:
    with pytest.raises(LaunchError, match=here) as refused:
        require_gpus(Profile.bundled(profile), gpus)
    assert "ASIDE_ENGINE_URL" in str(refused.value)
