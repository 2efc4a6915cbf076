"""What a profile's extra arguments may not say, however vLLM's parser lets it be spelt."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

#: Where to listen, which model, where else arguments come from, what must stay on, and what a log must not hold.
_NEVER = frozenset(
    {
        *("--host", "--port", "--uds", "--root-path", "--api-key", "--grpc", "--grpc-port", "--headless"),
        *("--model", "--model-tag", "--config", "--enable-prefix-caching"),
        *("--enable-log-requests", "--enable-log-outputs"),
    }
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def why_reserved(arguments: Sequence[str], own: AbstractSet[str] = frozenset()) -> str:
    """Say what is wrong with the first argument that gives something up; empty where all may stand.

    `own` are the profile's own arguments, which a second mention would silently replace. vLLM takes `_` for `-`,
    unique beginnings of names, `--name=value` and `--name.key value`; all of them count as the name.
    """
    names = _NEVER | own
    names |= {f"--no-{name.removeprefix('--')}" for name in names}
    for position, argument in enumerate(arguments):
        if not argument.startswith("-") or _NUMBER.fullmatch(argument):
            if position == 0:
                return f"must begin with an argument's name, not {argument!r}"
            continue
        if not argument.startswith("--"):
            return f"must hold long names only, not {argument}"
        said = re.split(r"[=.+]", argument.replace("_", "-"), maxsplit=1)[0]
        if any(name.startswith(said) for name in names):
            return f"must not hold {argument.partition('=')[0]}"
    return ""
