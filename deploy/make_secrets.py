"""Make the secret files that docker-compose.yml names: `python3 deploy/make_secrets.py`. What is there stays.

Each file there, also one that somebody put there (a platform's token), is for one user alone, the one as whom the
containers run: whoever calls this, or user 1000 where that is root. Runs on a bare Python, without any package.
"""

import argparse
import base64
import json
import os
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: As in docker-compose.yml: whom the containers run as unless `.env` says otherwise.
USUAL_USER = 1000
WORDS = ("valkey_password", "postgres_password", "postgres_admin_password", "engine_api_key")
#: In a folder of its own: the gateway replaces the file whenever it changes the key.
KEYS = "keys"
VAULT_KEY = f"{KEYS}/vault.key"


def main() -> int:
    """Make what is missing, say what was done, return the exit status."""
    parser = argparse.ArgumentParser(prog="deploy/make_secrets.py", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "secrets", help="where the files go")
    parser.add_argument("--env", type=Path, default=ROOT / ".env", help="where RUN_AS is noted")
    options = parser.parse_args()
    made = make(options.out)
    print(f"{options.out} holds {len(WORDS) + 1} secrets, {len(made)} of them new.")
    print(
        f"Without {VAULT_KEY} nothing that was stored can be read. It changes daily: copy it with each backup."
    )
    if os.geteuid() not in (0, USUAL_USER) and note_user(options.env, os.geteuid()):
        print(f"The containers will run as you: RUN_AS={os.geteuid()} in {options.env}.")
    return 0


def make(folder: Path) -> list[str]:
    """Write the missing files, readable by one user only, and list their names."""
    (folder / KEYS).mkdir(mode=0o700, parents=True, exist_ok=True)
    contents = {name: secrets.token_urlsafe(32) for name in WORDS} | {VAULT_KEY: vault_key()}
    made = [name for name, text in contents.items() if _write(folder / name, text)]
    for path in (folder, *folder.rglob("*")):
        _guard(path)
    return made


def vault_key() -> str:
    """Make a key file with one key, as `bot/chat/key_file.py` describes it."""
    name = secrets.token_hex(8)
    entry = {"id": name, "key": base64.b64encode(secrets.token_bytes(32)).decode()}
    return json.dumps({"version": 1, "current": name, "keys": [entry]}, indent=2)


def note_user(env: Path, user: int) -> bool:
    """Write RUN_AS into compose's `.env`, unless a line there sets it; tell whether it was written."""
    text = env.read_text(encoding="utf-8") if env.exists() else ""
    if any(line.startswith("RUN_AS=") for line in text.splitlines()):
        return False
    break_first = "\n" if text and not text.endswith("\n") else ""
    with env.open("a", encoding="utf-8") as file:
        file.write(f"{break_first}RUN_AS={user}\n")
    return True


def _guard(path: Path) -> None:
    """Let nobody but one user read it."""
    path.chmod(0o700 if path.is_dir() else 0o600)
    if os.geteuid() == 0:
        os.chown(path, USUAL_USER, USUAL_USER)


def _write(path: Path, text: str) -> bool:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return True


if __name__ == "__main__":
    sys.exit(main())
