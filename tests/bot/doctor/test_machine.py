"""The machine's facts are judged by what would run on it."""

from dataclasses import replace

import pytest

from bot.doctor.finding import Level
from bot.doctor.host import HostFacts, parse_glibc, read_host, why_no_embedded_engine
from bot.doctor.machine import (
    GIB,
    check_cpus,
    check_disk,
    check_machine,
    check_memory,
    check_python,
    check_system,
    judge_disk,
)

GOOD = HostFacts(
    python=(3, 11, 7),
    system="Linux",
    machine="x86_64",
    glibc=(2, 36),
    cpu_flags=frozenset({"avx", "avx2", "amx_bf16"}),
    cpus=2,
    memory_bytes=16 * GIB,
)


@pytest.mark.parametrize(
    ("python", "level", "line"),
    [
        pytest.param((3, 11, 7), Level.OK, "ok    python       3.11.7", id="tested"),
        pytest.param(
            (3, 12, 1),
            Level.WARN,
            "warn  python       3.12.1, on which Aside is untested. "
            "If anything is odd, use Python 3.11: make setup PYTHON=python3.11",
            id="untested",
        ),
        pytest.param(
            (3, 10, 0),
            Level.FAIL,
            "fail  python       3.10.0, but 3.11 is needed. "
            "Install Python 3.11, then: make setup PYTHON=python3.11",
            id="too old",
        ),
        pytest.param(
            (3, 14, 0),
            Level.FAIL,
            "fail  python       3.14.0, but 3.11 is needed. "
            "Install Python 3.11, then: make setup PYTHON=python3.11",
            id="too new",
        ),
    ],
)
def test_python(python, level, line):
    finding = check_python(replace(GOOD, python=python))
    assert (finding.level, finding.line()) == (level, line)


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        pytest.param({}, "", id="fits"),
        pytest.param({"system": "Darwin"}, "Linux, and this is Darwin", id="macOS"),
        pytest.param({"machine": "aarch64"}, "an x86-64 processor, and this is aarch64", id="ARM"),
        pytest.param(
            {"glibc": None},
            "the GNU C library (glibc) 2.28 or newer, and this system has another C library",
            id="musl",
        ),
        pytest.param({"glibc": (2, 17)}, "glibc 2.28 or newer, and this system has 2.17", id="old glibc"),
        pytest.param({"glibc": (2, 28)}, "", id="oldest glibc"),
        pytest.param(
            {"cpu_flags": frozenset({"avx"})}, "a processor with AVX2, and this one has none", id="no AVX2"
        ),
    ],
)
def test_what_the_embedded_engine_lacks(change, lacking):
    assert why_no_embedded_engine(replace(GOOD, **change)) == lacking


def test_a_system_without_the_embedded_engine_is_fine_once_an_engine_runs_elsewhere():
    mac = replace(GOOD, system="Darwin", glibc=None)
    assert check_system(mac, embedded_engine=False).level is Level.OK
    failed = check_system(mac, embedded_engine=True)
    assert (failed.level, failed.mend) == (
        Level.FAIL,
        "Set ASIDE_ENGINE_URL to an engine that runs elsewhere",
    )


@pytest.mark.parametrize(
    ("gib", "embedded", "level"),
    [
        pytest.param(16, True, Level.OK, id="plenty"),
        pytest.param(5, True, Level.WARN, id="tight"),
        pytest.param(2, True, Level.FAIL, id="too little"),
        pytest.param(2, False, Level.OK, id="enough without the engine"),
        pytest.param(0, True, Level.WARN, id="unknown"),
    ],
)
def test_memory(gib, embedded, level):
    assert check_memory(replace(GOOD, memory_bytes=gib * GIB), embedded_engine=embedded).level is level


def test_one_processor_is_a_warning_and_features_are_named():
    assert check_cpus(replace(GOOD, cpus=1)).level is Level.WARN
    assert check_cpus(GOOD).what == "2 processors, amx_bf16, avx2"


@pytest.mark.parametrize(
    ("free", "level"),
    [
        pytest.param(10 * GIB, Level.OK, id="free"),
        pytest.param(GIB, Level.WARN, id="low"),
        pytest.param(1000, Level.FAIL, id="full"),
    ],
)
def test_disk(tmp_path, free, level):
    assert judge_disk(tmp_path, free).level is level


def test_disk_is_looked_at_where_the_data_directory_will_be(tmp_path):
    assert str(tmp_path / "not" / "yet") in check_disk(tmp_path / "not" / "yet").what


def test_this_machine_can_be_read():
    host = read_host()
    assert host.cpus >= 1
    assert host.memory_bytes > GIB // 2
    assert len(list(check_machine(host, embedded_engine=True))) == 4


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("glibc 2.36", (2, 36)),
        ("glibc 2.28.9000", (2, 28)),
        ("musl 1.2", None),
        ("", None),
        ("glibc x.y", None),
    ],
)
def test_glibc_versions(said, version):
    assert parse_glibc(said) == version
