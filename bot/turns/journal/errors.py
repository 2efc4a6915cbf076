"""What a claim can say besides the errors of the whole package."""

from bot.errors import AsideError


class NotYet(AsideError):
    """The chat's oldest turn waits out a backoff: take the chat again after the delay."""

    def __init__(self, delay_ms: int) -> None:
        """Keep the delay in milliseconds."""
        super().__init__(f"the oldest turn may be tried again in {delay_ms} ms")
        self.delay_ms = delay_ms
