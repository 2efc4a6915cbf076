"""Every way a platform can refuse, by what the core must do next.

AdapterError
├── RetryAfter       known not to have happened: send again after so many seconds
├── Unreachable      known not to have happened: the connection was refused or never made
├── Ambiguous        it may or may not have happened: resolve by the platform's idempotency class
├── Moved            the conversation has a new reference: send there
├── WindowClosed     the platform lets nobody write here now
├── Gone             blocked, kicked, deleted: stop writing here
├── Rejected         this content will never be accepted
├── PolicyBlocked    the platform's policy forbids it
├── AuthFailed       our credentials are wrong: an operator must act
├── MediaTooLarge    an attachment is larger than was asked for
├── MediaMislabelled an attachment is not what the platform said it is
└── MalformedEvent   what came in is not the platform's format; keeps the bytes
"""

from enum import StrEnum


class AdapterError(Exception):
    """Something went wrong between us and a platform."""

    #: Whether the very same operation may be sent again without any risk of a duplicate.
    retryable = False


class RateScope(StrEnum):
    """How far a platform's rate limit reaches."""

    CONVERSATION = "conversation"
    ACCOUNT = "account"


class RetryAfter(AdapterError):
    """The platform refused for now and did nothing."""

    retryable = True

    def __init__(self, seconds: float, scope: RateScope = RateScope.CONVERSATION) -> None:
        """Keep how long to wait, in seconds, and for whom it holds."""
        super().__init__(f"the platform asks to wait {seconds:g} s ({scope.value})")
        self.seconds = seconds
        self.scope = scope


class Unreachable(AdapterError):
    """No connection was made, so nothing was sent."""

    retryable = True


class Ambiguous(AdapterError):
    """The request left and no answer came: it may have been carried out."""


class Moved(AdapterError):
    """The conversation lives under another reference now."""

    def __init__(self, conversation: str) -> None:
        """Keep the new conversation reference."""
        super().__init__("the conversation moved")
        self.conversation = conversation


class WindowClosed(AdapterError):
    """The platform's time window for free-form messages is over."""


class Gone(AdapterError):
    """The conversation no longer accepts us: blocked, kicked or deleted."""


class Rejected(AdapterError):
    """The platform will never accept this content."""


class PolicyBlocked(AdapterError):
    """The platform's policy forbids this message."""


class AuthFailed(AdapterError):
    """The platform does not accept our credentials."""


class MediaTooLarge(AdapterError):
    """An attachment is larger than whoever opens it allows."""


class MediaMislabelled(AdapterError):
    """An attachment's bytes are not what the platform said of them."""


class MalformedEvent(AdapterError):
    """What arrived does not follow the platform's format."""

    def __init__(self, reason: str, raw: bytes) -> None:
        """Keep the reason and the bytes; the bytes are never logged."""
        super().__init__(reason)
        self.raw = raw
