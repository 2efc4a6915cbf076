"""Write the lock files again: `python3 deploy/lock.py [--upgrade] [--out DIR]`.

`uv` resolves, in a throwaway environment of its own; what pip is configured to search is searched too.
Versions that are pinned already stay, unless `--upgrade` is given or they no longer fit.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "deploy" / "locks"
UV = "uv==0.13.9"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
COMMON = ("--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet")
APPLICATION = ("pyproject.toml", "--universal", "--no-annotate")
ENGINE = (
    "deploy/locks/engine.in",
    "--override",
    "deploy/locks/engine-overrides.txt",
    "--python-platform",
    "x86_64-manylinux_2_28",
    # A version that one source lacks may be in the next.
    "--index-strategy",
    "unsafe-best-match",
)
#: pip's settings, and uv's options of the same meaning. Extra indexes are left out: a lock must not depend on what
#: one machine happens to mirror.
SOURCES = {"find-links": "--find-links", "index-url": "--default-index"}


def main() -> int:
    """Lock the application, its test tools and the engine; return the exit status."""
    parser = argparse.ArgumentParser(prog="deploy/lock.py", description="Write the lock files again.")
    parser.add_argument("--upgrade", action="store_true", help="move to newer releases")
    parser.add_argument("--out", type=Path, default=LOCKS, help="where to write (default: deploy/locks)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    upgrade = ("--upgrade",) if options.upgrade else ()
    with tempfile.TemporaryDirectory() as scratch:
        uv = _uv(Path(scratch))
        try:
            for name, group in (("app", "build"), ("dev", "dev")):
                _compile(uv, options.out / f"{name}.txt", *APPLICATION, "--group", group, *upgrade)
            _lock_engine(uv, options.out / "engine.txt", upgrade)
        except subprocess.CalledProcessError as exc:
            print(f"uv could not resolve everything (status {exc.returncode}); its reason stands above.")
            return 1
    return 0


def _uv(scratch: Path) -> str:
    print("fetching uv", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(scratch / "env")], check=True)
    python = str(scratch / "env" / "bin" / "python")
    command = [python, "-m", "pip", "install", "--quiet", "--no-input", UV]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        sys.exit(f"uv could not be installed:\n{made.stderr}")
    return str(scratch / "env" / "bin" / "uv")


def _lock_engine(uv: str, out: Path, upgrade: tuple[str, ...]) -> None:
    """Search torch's processor build where pip is configured to, and only then at PyTorch's own index."""
    configured = _configured_sources()
    try:
        _compile(uv, out, *ENGINE, *configured, *upgrade)
    except subprocess.CalledProcessError:
        print("once more, with PyTorch's own index", flush=True)
        _compile(uv, out, *ENGINE, *configured, "--extra-index-url", TORCH_CPU_INDEX, *upgrade)


def _compile(uv: str, out: Path, *arguments: str) -> None:
    """Write one lock; the present one's versions are kept where they still fit."""
    present = LOCKS / out.name
    if present.exists() and present != out:
        shutil.copyfile(present, out)
    print(f"locking {out.name}", flush=True)
    command = [uv, "pip", "compile", *arguments, *COMMON, "--output-file", str(out)]
    subprocess.run(command, cwd=ROOT, env=os.environ, check=True)


def _configured_sources() -> list[str]:
    """Read where pip searches first, from its configuration files and environment."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    options: list[str] = []
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        option = SOURCES.get(name.rpartition(".")[2])
        for source in value.strip("'").replace("\\n", " ").split() if option else ():
            if [option, source] not in [options[i : i + 2] for i in range(0, len(options), 2)]:
                options += [option, source]
    return options


if __name__ == "__main__":
    sys.exit(main())
