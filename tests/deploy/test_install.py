"""The installer: what is done is skipped, what was interrupted is redone, and every refusal is one clear sentence."""

import base64
import hashlib
import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "deploy"))

from aside_install import sizes, stamp  # noqa: E402 - found by the line above
from aside_install.configured import read_configured  # noqa: E402
from aside_install.disk import require_free, taken_bytes  # noqa: E402
from aside_install.environment import TORCH_CPU_INDEX, Environment  # noqa: E402
from aside_install.errors import InstallError, VersionNotFound  # noqa: E402
from aside_install.lock import Lock  # noqa: E402
from aside_install.pip_run import _failure  # noqa: E402
from aside_install.plan import Target, announcement, choose, why_no_engine  # noqa: E402
from aside_install.progress import ProgressLine  # noqa: E402
from aside_install.stages import Places, Stage  # noqa: E402

from bot.doctor.host import read_host  # noqa: E402

LOCK = Lock(
    "# a comment\n"
    "idna==3.20 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\n"
    "torch==2.0+cpu \\\n    --hash=sha256:cc\n"
)


def environment(tmp_path: Path, lock: Lock = LOCK, **fields: str) -> Environment:
    return Environment(name="app", place=tmp_path / "env", lock=lock, logs=tmp_path / "logs", **fields)


def installed(env: Environment) -> None:
    """Leave what a finished installation leaves."""
    python = env.place / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    env._stamp.write(env.place, env.name)


def test_a_lock_is_read_entry_by_entry():
    assert LOCK.count == 2
    assert LOCK.only("torch") == "torch==2.0+cpu \\\n    --hash=sha256:cc\n"
    assert LOCK.only("tor") == ""


@pytest.mark.parametrize("name", ["app", "dev", "engine"])
def test_the_shipped_locks_pin_every_package_with_a_hash(name):
    pins = Places(root=ROOT, data=ROOT).lock(name).pins()
    assert len(pins) > 40
    assert all("--hash=sha256:" in pin for pin in pins)


def test_the_developers_lock_contains_the_applications():
    locks = Places(root=ROOT, data=ROOT)
    assert set(locks.lock("app").pins()) <= set(locks.lock("dev").pins())


def test_what_was_installed_to_its_end_is_done(tmp_path):
    env = environment(tmp_path)
    assert not env.is_done()
    installed(env)
    assert env.is_done()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda env: replace(env, lock=Lock(LOCK.text + "\n")), id="another lock"),
        pytest.param(lambda env: replace(env, release="3.12"), id="another Python"),
        pytest.param(lambda env: replace(env, name="dev"), id="another kind"),
    ],
)
def test_anything_else_is_not_done(tmp_path, change):
    env = environment(tmp_path)
    installed(env)
    assert not change(env).is_done()


def test_an_environment_that_was_moved_is_not_done(tmp_path):
    env = environment(tmp_path)
    installed(env)
    env.place.rename(tmp_path / "moved")
    assert not replace(env, place=tmp_path / "moved").is_done()


def test_an_environment_that_lost_its_python_is_not_done(tmp_path):
    env = environment(tmp_path)
    installed(env)
    (env.place / "bin" / "python").unlink()
    assert not env.is_done()


def test_a_damaged_stamp_is_not_done(tmp_path):
    env = environment(tmp_path)
    installed(env)
    (env.place / ".installed-app").write_text("{")
    assert not env.is_done()


def test_beginning_forgets_what_was_done_and_ending_forgets_that_it_began(tmp_path):
    env = environment(tmp_path)
    installed(env)
    stamp.begin(env.place)
    assert (env.is_done(), stamp.was_interrupted(env.place)) == (False, True)
    stamp.end(env.place)
    assert not stamp.was_interrupted(env.place)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        pytest.param('[project]\nname = "a"\n[tool.ruff]\nline-length = 90\n', True, id="a linter's setting"),
        pytest.param('[project]\nname = "a"\nversion = "2"\n', False, id="the project's own"),
        pytest.param('[project]\nname = "a"\n[tool.hatch]\nx = 1\n', False, id="how it is packaged"),
    ],
)
def test_the_command_is_installed_again_only_when_its_metadata_changed(tmp_path, written, same):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\n')
    before = stamp.project_sha256(tmp_path)
    (tmp_path / "pyproject.toml").write_text(written)
    assert (stamp.project_sha256(tmp_path) == before) is same


def test_too_little_disk_is_one_sentence_with_both_numbers(tmp_path):
    require_free(tmp_path, 100, 100)
    with pytest.raises(InstallError) as caught:
        require_free(Path("/data"), 4_700_000_000, 900_000_000)
    assert str(caught.value) == (
        "There is not enough free disk for /data: 4.7 GB are needed while it installs, 900 MB are free. "
        "Free some space, or choose another place: make run DATA_DIR=/with/space"
    )


def test_the_weight_of_a_folder_counts_no_link(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"x" * 1000)
    (tmp_path / "two").write_bytes(b"x" * 500)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert 1500 <= taken_bytes(tmp_path) < 1500 + len(str(tmp_path)) + 1


ALL = [Target.APP, Target.ENGINE, Target.MODEL]


def test_the_embedded_engine_is_installed_where_it_runs():
    assert choose(ALL, engine_url="", lacking="") == (ALL, "")


def test_elsewhere_the_installation_stops_with_a_sentence_that_names_the_way_out():
    with pytest.raises(InstallError) as caught:
        choose(ALL, engine_url="", lacking="Linux, and this is Darwin")
    assert str(caught.value) == (
        "The embedded engine cannot run here: it needs Linux, and this is Darwin. Set ASIDE_ENGINE_URL to an "
        "engine that runs elsewhere, such as http://gpu-server:8000/v1, and everything else runs here."
    )


@pytest.mark.parametrize("lacking", ["", "Linux, and this is Darwin"], ids=["here", "elsewhere"])
def test_an_engine_elsewhere_leaves_only_the_application(lacking):
    assert choose(ALL, engine_url="http://gpu:8000/v1", lacking=lacking) == (
        [Target.APP],
        "The embedded engine is left out: engine.url names one that runs elsewhere.",
    )


def test_the_application_alone_runs_anywhere():
    assert choose([Target.APP], engine_url="", lacking="Linux, and this is Darwin") == ([Target.APP], "")


def test_the_engines_lock_needs_its_own_python():
    host = replace(
        read_host(), system="Linux", machine="x86_64", glibc=(2, 36), cpu_flags=frozenset({"avx2"})
    )
    assert why_no_engine(host, has_engine_python=True) == ""
    assert why_no_engine(host, has_engine_python=False) == (
        "Python 3.11, and there is no python3.11 on the PATH"
    )


def test_what_will_be_made_is_said_with_sizes_before_it_starts():
    stages = [
        Stage(title="application environment", size=sizes.APP, is_done=bool, make=lambda _: None),
        Stage(title="embedded model", size=sizes.MODEL, is_done=bool, make=lambda _: None),
    ]
    assert announcement(stages, "/data", 80 * 10**9).splitlines() == [
        "To be made below /data:",
        "  application environment   28 MB download  200 MB of disk  about half a minute",
        "  embedded model               no download  512 MB of disk  about a minute",
        "In all 28 MB of download and 712 MB of disk (740 MB while it installs); 80.0 GB are free.",
    ]


@pytest.mark.parametrize(
    ("option", "environ", "toml", "expected"),
    [
        pytest.param("/option", {"ASIDE_DATA_DIR": "/env"}, 'data_dir = "toml"', "/option", id="option"),
        pytest.param(None, {"ASIDE_DATA_DIR": "/env"}, 'data_dir = "toml"', "/env", id="environment"),
        pytest.param(None, {}, 'data_dir = "toml"', "ROOT/toml", id="file"),
        pytest.param(None, {}, "", "ROOT/var", id="default"),
    ],
)
def test_the_data_directory_is_found_as_aside_finds_it(tmp_path, option, environ, toml, expected):
    (tmp_path / "aside.toml").write_text(toml)
    found = read_configured(tmp_path, option, environ).data_dir
    assert str(found) == expected.replace("ROOT", str(tmp_path))


def test_an_engine_elsewhere_is_found_in_the_file_and_the_environment(tmp_path):
    (tmp_path / "aside.toml").write_text('[engine]\nurl = "http://toml"\n')
    assert read_configured(tmp_path, None, {}).engine_url == "http://toml"
    assert read_configured(tmp_path, None, {"ASIDE_ENGINE_URL": ""}).engine_url == ""


def test_a_broken_settings_file_stops_the_installation(tmp_path):
    (tmp_path / "aside.toml").write_text("[[")
    with pytest.raises(InstallError, match="cannot be read"):
        read_configured(tmp_path, None, {})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_progress_rewrites_one_line():
    out, seconds = Terminal(), iter([0.0, 1.0, 2.0])
    line = ProgressLine(out, lambda: next(seconds))
    line.show("10 of 12 packages collected")
    line.close("done")
    assert out.getvalue() == "\r      10 of 12 packages collected, 1 s\r" + "      done, 2 s".ljust(38) + "\n"


def test_in_a_log_progress_is_a_line_now_and_then():
    now = [0.0]
    out = io.StringIO()
    line = ProgressLine(out, lambda: now[0])
    for second in range(40):
        now[0] = float(second)
        line.show("going on")
    assert out.getvalue().splitlines() == ["      going on, 15 s", "      going on, 30 s"]


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ("ERROR: No matching distribution found for torch==2.13.0+cpu", VersionNotFound),
        ("ERROR: Could not install packages due to an OSError: No space left on device", InstallError),
    ],
)
def test_a_failure_shows_pips_last_words_without_its_warnings(last, kind):
    failure = _failure(f"Collecting torch\nWARNING: noise\n{last}\n", Path("/logs/install-engine.log"))
    assert type(failure) is kind
    assert str(failure) == (
        "pip could not install everything. Its last words:\n"
        f"  Collecting torch\n  {last}\n"
        "All of them are in /logs/install-engine.log"
    )


def test_an_unsuitable_python_is_refused_in_one_sentence():
    program = (
        "import sys, runpy; sys.version_info = (3, 9, 2); sys.argv = ['install.py', 'app'];"
        f"runpy.run_path({str(ROOT / 'deploy' / 'install.py')!r}, run_name='__main__')"
    )
    refused = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"Aside needs Python 3.11 (3.12 and 3.13 are untested), and {sys.executable} is 3.9. "
        "Install Python 3.11, then name it: make run PYTHON=python3.11\n"
    )


def wheel(folder: Path) -> Lock:
    """Make a tiny package and the lock that pins it."""
    folder.mkdir(exist_ok=True)
    path = folder / "tinypkg-1.0-py3-none-any.whl"
    files = {
        "tinypkg.py": b"ANSWER = 42\n",
        "tinypkg-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tinypkg\nVersion: 1.0\n",
        "tinypkg-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b'=').decode()},{len(body)}\n"
        for name, body in files.items()
    )
    files["tinypkg-1.0.dist-info/RECORD"] = (record + "tinypkg-1.0.dist-info/RECORD,,\n").encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return Lock(f"tinypkg==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")


@pytest.fixture
def only_local(monkeypatch, tmp_path):
    """Let pip look nowhere but in one folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))


@pytest.mark.usefixtures("only_local")
def test_a_real_environment_is_made_and_a_failed_change_to_it_is_remembered(tmp_path):
    env = environment(tmp_path, wheel(tmp_path / "wheels"))
    env.make(ProgressLine(io.StringIO()))
    assert env.is_done()
    asked = [str(env.place / "bin" / "python"), "-c", "import tinypkg; print(tinypkg.ANSWER)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "42\n"

    missing = replace(env, lock=Lock(f"tinypkg==2.0 \\\n    --hash=sha256:{'0' * 64}\n"))
    with pytest.raises(VersionNotFound, match="No matching distribution found for tinypkg"):
        missing.make(ProgressLine(io.StringIO()))
    assert not env.is_done()
    assert stamp.was_interrupted(env.place)


def test_an_interrupted_environment_is_made_anew_and_a_python_without_venv_is_named(tmp_path):
    env = environment(tmp_path, python="/bin/false")
    stamp.begin(env.place)
    with pytest.raises(
        InstallError, match="/bin/false cannot make environments: its module venv or ensurepip"
    ):
        env.make(ProgressLine(io.StringIO()))
    assert not env.place.exists()


@pytest.mark.parametrize(
    ("found", "asked"),
    [
        pytest.param(True, [()], id="the configured sources have it"),
        pytest.param(False, [(), ("--extra-index-url", TORCH_CPU_INDEX)], id="they lack it"),
    ],
)
def test_torch_comes_from_the_configured_sources_and_only_else_from_pytorchs_index(
    tmp_path, monkeypatch, found, asked
):
    tried = []

    def install(self, pip, lock_text, progress, *options):
        tried.append(options)
        assert Lock(lock_text).pins() == [LOCK.only("torch").rstrip("\n")]
        if not found and not options:
            raise VersionNotFound("no torch there")

    monkeypatch.setattr(Environment, "_install", install)
    env = environment(tmp_path)
    env._install_torch(env.pip(), ProgressLine(io.StringIO()))
    assert tried == asked
