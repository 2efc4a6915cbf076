"""Makes the checkpoint folder: one conversion at a time, hidden until it is whole.

A conversion that is killed leaves a folder no one looks at; the next one removes it and starts again.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from engine.embedded import describe
from engine.embedded.errors import EmbeddedModelError
from engine.embedded.manifest import (
    FORMAT_VERSION,
    MANIFEST_NAME,
    SOURCE_PACKAGE,
    SOURCE_VERSION,
    Manifest,
    is_complete,
    sum_file,
)
from engine.embedded.progress import Progress
from engine.embedded.source import DenseModel
from engine.embedded.weights import write_weights

#: Disk the finished checkpoint takes, and what must be left beside it.
CHECKPOINT_BYTES = 515_000_000
_SPARE_BYTES = 100_000_000


def make(source: Path, out: Path, progress: Progress) -> None:
    """Convert the GGUF model in `source` into a checkpoint folder `out`, unless another process just has.

    Raise `EmbeddedModelError` where the disk is too full or the source is not the expected model.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(out.parent / f".{out.name}.lock", progress):
        if is_complete(out):
            return
        unfinished = out.parent / f".{out.name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        _require_space(out.parent)
        unfinished.mkdir()
        _write(source, unfinished, progress)
        progress.stage("putting the model in place")
        _replace(unfinished, out)


def _write(source: Path, folder: Path, progress: Progress) -> None:
    progress.stage(f"reading {source.name}, {source.stat().st_size / 1e6:.0f} MB")
    dense = DenseModel(source)
    shape, vocabulary = dense.shape(), dense.vocabulary()
    _write_json(folder / "config.json", describe.config(shape, vocabulary))
    _write_json(folder / "generation_config.json", describe.generation_config(vocabulary))
    _write_json(folder / "tokenizer.json", describe.tokenizer(vocabulary))
    _write_json(folder / "tokenizer_config.json", describe.tokenizer_config(shape, vocabulary))
    with torch.inference_mode():
        write_weights(dense, shape, folder / "tokenizer.json", folder, progress)
    progress.stage("summing the files")
    _write_manifest(source, folder)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _write_manifest(source: Path, folder: Path) -> None:
    """Record every file's sum, once it is safely on the disk."""
    files = sorted(folder.iterdir())
    for file in files:
        _settle(file)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        source_package=SOURCE_PACKAGE,
        source_version=SOURCE_VERSION,
        source=sum_file(source),
        files=tuple(sum_file(file) for file in files),
    )
    (folder / MANIFEST_NAME).write_bytes(manifest.to_wire())
    _settle(folder / MANIFEST_NAME)
    _settle(folder)


def _settle(path: Path) -> None:
    """Wait until a file or a folder's list of files would survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(unfinished: Path, out: Path) -> None:
    """Give the folder its name, in one step; an older checkpoint makes way first."""
    if out.exists():
        outdated = out.parent / f".{out.name}.outdated"
        shutil.rmtree(outdated, ignore_errors=True)
        out.rename(outdated)
        shutil.rmtree(outdated)
    unfinished.rename(out)
    _settle(out.parent)


def _require_space(folder: Path) -> None:
    free_bytes = shutil.disk_usage(folder).free
    needed_bytes = CHECKPOINT_BYTES + _SPARE_BYTES
    if free_bytes < needed_bytes:
        raise EmbeddedModelError(
            f"the model needs {needed_bytes / 1e6:.0f} MB of disk and {folder} has {free_bytes / 1e6:.0f} MB free: "
            "make room, or choose another data directory with --data-dir"
        )


@contextmanager
def _only_one(path: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock that a killed process lets go of; wait for whoever has it."""
    with path.open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.note("another process is making the model, waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
