"""Free disk, and what a folder takes."""

import os
import shutil
from pathlib import Path

from aside_install.errors import InstallError
from aside_install.sizes import megabytes


def free_bytes(path: Path) -> int:
    """Tell how much a folder that may not exist yet could still hold."""
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(existing).free


def require_free(path: Path, needed_bytes: int, free: int) -> None:
    """Raise `InstallError` when `path` cannot hold what is needed, in bytes."""
    if free < needed_bytes:
        raise InstallError(
            f"There is not enough free disk for {path}: {megabytes(needed_bytes)} are needed while it "
            f"installs, {megabytes(free)} are free. Free some space, or choose another place: "
            "make run DATA_DIR=/with/space"
        )


def taken_bytes(folder: Path) -> int:
    """Add up the files below a folder, without following links; files that vanish meanwhile do not count."""
    total = 0
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total
