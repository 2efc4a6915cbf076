"""The embedded model's folder: whole or absent, made once, by one process at a time, and checked."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.embedded.errors import EmbeddedModelError
from engine.embedded.manifest import (
    FORMAT_VERSION,
    MANIFEST_NAME,
    SOURCE_PACKAGE,
    SOURCE_VERSION,
    FileSum,
    Manifest,
    check,
    is_complete,
    sum_file,
)

ROOT = Path(__file__).parents[2]


def manifest(folder: Path, **changes: object) -> Manifest:
    fields = {
        "format_version": FORMAT_VERSION,
        "source_package": SOURCE_PACKAGE,
        "source_version": SOURCE_VERSION,
        "source": FileSum(name="m.gguf", size_bytes=1, sha256="0"),
        "files": tuple(sum_file(file) for file in sorted(folder.iterdir())),
    }
    return Manifest(**{**fields, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A complete checkpoint, as far as its manifest goes."""
    (tmp_path / "weights").write_bytes(b"12345")
    (tmp_path / "config.json").write_bytes(b"{}")
    (tmp_path / MANIFEST_NAME).write_bytes(manifest(tmp_path).to_wire())
    return tmp_path


def test_a_whole_checkpoint_is_complete(folder: Path) -> None:
    assert is_complete(folder)
    assert [file.name for file in check(folder, sums=True).files] == ["config.json", "weights"]


def test_a_manifest_survives_the_wire(folder: Path) -> None:
    written = manifest(folder)
    assert Manifest.from_wire(written.to_wire()) == written


@pytest.mark.parametrize(
    ("wire", "sentence"),
    [(b"{", "damaged"), (b"[]", "damaged"), (b"{}", "damaged"), (b'{"format_version": "x"}', "damaged")],
)
def test_a_damaged_manifest_says_so(folder: Path, wire: bytes, sentence: str) -> None:
    (folder / MANIFEST_NAME).write_bytes(wire)
    with pytest.raises(EmbeddedModelError, match=sentence):
        check(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "weights").unlink()
    with pytest.raises(EmbeddedModelError, match="weights is missing"):
        check(folder)


def test_a_file_cut_short_is_named(folder: Path) -> None:
    (folder / "weights").write_bytes(b"1234")
    with pytest.raises(EmbeddedModelError, match="weights has 4 bytes instead of 5"):
        check(folder)


def test_only_the_sums_notice_changed_bytes(folder: Path) -> None:
    (folder / "weights").write_bytes(b"54321")
    assert is_complete(folder)
    with pytest.raises(EmbeddedModelError, match="weights is damaged"):
        check(folder, sums=True)


@pytest.mark.parametrize(
    "change",
    [{"format_version": FORMAT_VERSION - 1}, {"source_version": "0.0.1"}, {"source_package": "other"}],
    ids=lambda change: next(iter(change)),
)
def test_another_version_s_checkpoint_is_made_again(folder: Path, change: dict[str, object]) -> None:
    old = manifest(folder, **change)
    (folder / MANIFEST_NAME).write_bytes(old.to_wire())
    assert not is_complete(folder)


def test_an_absent_checkpoint_is_not_complete(tmp_path: Path) -> None:
    assert not is_complete(tmp_path / "nothing")


def test_without_the_engine_environment_one_sentence_says_so(tmp_path: Path) -> None:
    run = make(Path(sys.executable), tmp_path / "model")
    assert run.returncode == 1
    assert run.stderr.startswith("this Python has no ")
    assert "make setup" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_full_disk_is_said_before_work_starts(engine_python: Path, tmp_path: Path) -> None:
    """The check comes before the first byte is written, and names the way out."""
    source = """
import shutil, sys
shutil.disk_usage = lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6)
from engine.embedded.__main__ import main
sys.exit(main(["--out", sys.argv[1]]))
"""
    command = (str(engine_python), "-c", source, str(tmp_path / "model"))
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "has 1 MB free" in run.stderr
    assert "--data-dir" in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".model.lock"]


def make(python: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = (str(python), "-m", "engine.embedded", "--out", str(out), *options)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A conversion killed in the middle, then two at once."""

    out: Path
    after_kill: list[str]
    said: list[str]
    statuses: list[int]


@pytest.fixture(scope="module")
def story(engine_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    out = tmp_path_factory.mktemp("conversion") / "model"
    command = (str(engine_python), "-m", "engine.embedded", "--out", str(out))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as killed:
        for line in killed.stdout or ():
            if line.startswith("[4/"):
                killed.kill()
    after_kill = sorted(path.name for path in out.parent.iterdir())
    pair = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in pair]
    yield Story(out=out, after_kill=after_kill, said=said, statuses=[process.returncode for process in pair])
    # Half a gigabyte that pytest would keep.
    shutil.rmtree(out.parent)


@pytest.mark.timeout(400)
class TestConversion:
    def test_a_killed_conversion_leaves_nothing_under_the_model_s_name(self, story: Story) -> None:
        assert story.after_kill == [".model.lock", ".model.unfinished"]

    def test_the_next_one_completes_and_cleans_up(self, story: Story, engine_python: Path) -> None:
        assert story.statuses == [0, 0]
        assert sorted(path.name for path in story.out.parent.iterdir()) == [".model.lock", "model"]
        verified = make(engine_python, story.out, "--verify")
        assert (verified.returncode, "all as recorded" in verified.stdout) == (0, True)

    def test_of_two_at_once_one_waits_and_does_nothing(self, story: Story) -> None:
        stages = sorted(text.count("] ") for text in story.said)
        assert stages == [0, 9]
        assert any("another process is making the model" in text for text in story.said)

    def test_progress_counts_to_its_end(self, story: Story) -> None:
        worker = max(story.said, key=len)
        assert [line.split("]")[0] for line in worker.splitlines() if line.startswith("[")] == [
            f"[{n}/9" for n in range(1, 10)
        ]

    def test_the_second_time_there_is_nothing_to_do(self, story: Story, engine_python: Path) -> None:
        before = (story.out / MANIFEST_NAME).stat().st_mtime_ns
        run = make(engine_python, story.out)
        assert run.stdout.startswith("the model is already in")
        assert (story.out / MANIFEST_NAME).stat().st_mtime_ns == before

    def test_the_config_is_a_llama_4_mixture_of_experts(self, story: Story) -> None:
        config = json.loads((story.out / "config.json").read_text())
        assert config["architectures"] == ["Llama4ForCausalLM"]
        assert (config["num_local_experts"], config["num_experts_per_tok"]) == (4, 1)
