"""The scheduler's steps, one Lua script each, and the keys that all of them share."""

from pathlib import Path

#: Every step, by the name of its file.
STEPS = (
    "put",
    "take",
    "keep",
    "done",
    "lift",
    "begin_epoch",
    "pause",
    "resume",
    "hold",
    "release",
    "counts",
    "ranks",
)

#: In the order in which prelude.lua unpacks them. `weight` holds only chats whose weight is not 1.
KEY_NAMES = ("ready", "lease", "own", "later", "more", "fin", "weight", "meta", "hold", "wake", "events")


def schedule_key(shard: str, name: str) -> str:
    """Name one key of a shard's schedule; the hash tag keeps all of them in one slot of a cluster."""
    return f"{{{shard}}}:{name}"


def load_step(step: str) -> str:
    """Read a step's script with the shared prelude in it.

    A script's first line (`#!lua`) must stay first: it makes the server refuse the whole step, instead of breaking
    it off half way, when it cannot write (redis.io, "Redis Lua API reference", script flags, since Redis 7.0).
    """
    folder = Path(__file__).parent
    shebang, body = (folder / f"{step}.lua").read_text(encoding="utf-8").split("\n", 1)
    return f"{shebang}\n{(folder / 'prelude.lua').read_text(encoding='utf-8')}{body}"
