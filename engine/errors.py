"""Every way the engine can fail, by what the caller must do next.

EngineError
├── EngineNotReady      it is starting, warming, draining or gone: wait and ask again; not the turn's fault
├── EngineOverloaded    it refused to queue the request: wait and ask again; not the turn's fault
├── EngineFailed        it broke off after accepting the request: another attempt may succeed
├── EngineTimedOut      a deadline of the request passed: first token, stall or total
├── PromptTooLong       the prompt and the reply do not fit the context: shorten and ask again
├── RequestRejected     it will never accept this request
└── EngineMisbehaved    it answered something that is not its protocol

EngineSetupError
├── ProfileError        a profile does not say what it must, or says what it must not
└── LaunchError         an engine cannot be started here
"""

from enum import StrEnum


class EngineError(Exception):
    """Something went wrong between us and the engine."""

    #: Whether the same request may succeed later, unchanged.
    retryable = False
    #: Whether the turn that asked is charged an attempt.
    counts_as_attempt = True


class EngineNotReady(EngineError):
    """The engine is not accepting requests now: starting, warming, draining, dead or unreachable."""

    retryable = True
    counts_as_attempt = False


class EngineOverloaded(EngineError):
    """The engine's own queue limits refused the request."""

    retryable = True
    counts_as_attempt = False


class EngineFailed(EngineError):
    """The engine accepted the request and then broke off without finishing it."""

    retryable = True


class Deadline(StrEnum):
    """Which of a request's clocks ran out."""

    #: No token came in the time allowed for the first.
    FIRST_TOKEN = "first_token"  # noqa: S105 - a clock's name, not a password
    #: The stream stood still for too long.
    STALL = "stall"
    #: The whole request took longer than its turn may.
    TOTAL = "total"


class EngineTimedOut(EngineError):
    """A clock of the request ran out."""

    retryable = True

    def __init__(self, deadline: Deadline, seconds: float) -> None:
        """Keep which clock it was and how long it allowed."""
        super().__init__(f"the engine exceeded its {deadline.value} limit of {seconds:g} s")
        self.deadline = deadline
        self.seconds = seconds


class PromptTooLong(EngineError):
    """The prompt together with the reply it asks for does not fit the model's context."""

    def __init__(self, *, max_model_len: int | None = None, prompt_tokens: int | None = None) -> None:
        """Keep the limit and the prompt's length, in tokens, where the engine named them."""
        super().__init__(
            f"the prompt of {prompt_tokens or '?'} tokens exceeds the context of {max_model_len or '?'}"
        )
        self.max_model_len = max_model_len
        self.prompt_tokens = prompt_tokens


class RequestRejected(EngineError):
    """The engine will never accept this request as it stands."""

    def __init__(self, status: int, reason: str) -> None:
        """Keep the HTTP status and the engine's short reason, which holds no message content."""
        super().__init__(f"the engine rejected the request with status {status}: {reason}")
        self.status = status


class EngineMisbehaved(EngineError):
    """The engine's answer does not follow its own protocol."""

    retryable = True


class EngineSetupError(Exception):
    """An engine of our own cannot be started as asked; the sentence says what to change."""


class ProfileError(EngineSetupError):
    """A profile is not readable, not complete, or gives up something the assistant stands on."""


class LaunchError(EngineSetupError):
    """The engine's environment, its model, or the place it should listen at is not there."""
