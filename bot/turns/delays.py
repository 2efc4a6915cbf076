"""How long the path waits before it tries or looks again, each time for its own reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Seconds; chosen by the composition root."""

    #: Before a turn is tried again whose engine, platform or store is not there now.
    not_now_s: float = 1.0
    #: Before the second attempt of a turn that failed by itself, the third, and so on; the last one repeats.
    backoff_s: tuple[float, ...] = (1.0, 5.0)
    #: How long a send may still arrive of which nobody knows what became: beyond any adapter's own timeout. Until
    #: then, or for a lease where that is shorter, it is neither looked for nor sent again.
    settle_s: float = 10.0
    #: Before trying again what an operator must mend first: credentials, a key, a platform's settings.
    operator_s: float = 60.0
    #: The longest that a platform's own wish to wait is followed at a time.
    longest_wait_s: float = 600.0
    #: Between two looks at a schedule that has nothing: rings can be lost, and takes sweep what is due.
    idle_s: float = 1.0
    #: Between two looks of an owner's outbox when nothing rings.
    outbox_s: float = 1.0
    #: Between two looks for notices.
    notices_s: float = 0.5
    #: Between two looks for turns without a sign.
    sign_look_s: float = 0.25
    #: How long a turn may wait without a sign; until then nothing but the platform's own typing shows. With the
    #: next look and the platform's own time the sign is there within three seconds.
    first_sign_s: float = 2.0
    #: How long whoever claimed a first sign has for it: beyond any adapter's own timeout.
    sign_claim_s: float = 15.0
    #: How long whoever claimed a notice has for it.
    notice_claim_s: float = 30.0
    #: Before a notice is tried again that the platform did not take.
    notice_again_s: float = 5.0
    #: Between two looks for a first sign that is on its way.
    sign_poll_s: float = 0.2
    #: From one look at which chats chose what to the next; a change is known everywhere within five seconds.
    modes_s: float = 3.0
    #: Between two looks for stops whose signal was lost: with what follows, a stop works within a second.
    stop_look_s: float = 0.5
