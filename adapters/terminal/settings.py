"""What the terminal adapter is told at start."""

from dataclasses import dataclass
from pathlib import Path

#: The platform's name, equal to the folder's.
NAME = "terminal"
#: There is one account: this machine.
ACCOUNT = "local"
#: The longest message of the assistant, in code points; with any encoding it fits into one frame.
TEXT_LIMIT = 100_000
#: The longest message of a person the room itself takes, in code points; the core's own limit is far lower.
SAID_LIMIT = 150_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSettings:
    """Where the door is, and who the assistant is."""

    #: The unix socket; made 0600 in a directory of mode 0700.
    socket_path: Path
    #: The assistant's names; the first is the one it writes under.
    assistant_names: tuple[str, ...] = ("assistant",)
    #: How many earlier messages a person sees on joining, at most.
    history: int = 20
    #: How long the core may take to decide on a message.
    accept_timeout_s: float = 30.0
    #: How long a client may take to read what is written to it before it is let go; it may come back.
    write_timeout_s: float = 30.0


def default_socket(data_dir: Path) -> Path:
    """Say where the socket is in a data directory."""
    return data_dir / "run" / "terminal.sock"
