"""What a caller tells for the record alone: headers that no real Telegram reads, and that change nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

OPERATION: Final = "X-Seen-Operation"
PURPOSE: Final = "X-Seen-Purpose"
MAY_BE_DUPLICATE: Final = "X-Seen-May-Be-Duplicate"
#: The number of the message that is answered.
ANSWERS: Final = "X-Seen-Answers"
#: With getUpdates: what became of messages, as a JSON object of outcomes by "chat/number".
OUTCOMES: Final = "X-Seen-Outcomes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The marks of one call; a caller that tells nothing has none."""

    operation: str = ""
    purpose: str = ""
    may_be_duplicate: bool = False
    answers: int | None = None
    outcomes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """Read them from a call's headers."""
        answers = headers.get(ANSWERS, "")
        return cls(
            operation=headers.get(OPERATION, ""),
            purpose=headers.get(PURPOSE, ""),
            may_be_duplicate=headers.get(MAY_BE_DUPLICATE) == "1",
            answers=int(answers) if answers else None,
            outcomes=json.loads(headers.get(OUTCOMES, "{}")),
        )
