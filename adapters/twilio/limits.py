"""How fast Twilio may be called for one sender (its guide "Understanding Twilio rate limits and message queues").

Twilio queues what comes faster, for up to hours: so our pace keeps answers fresh rather than accepted. A sender with a
higher rate (a short code, a raised WhatsApp limit) is the operator's to name.
"""

from adapters.pacing import Bucket, PacingScope

#: Messages a second of a WhatsApp sender before its limit is raised.
WHATSAPP_PER_S = 10
#: Segments a second of a long code in the United States and Canada; we count messages, most of which are one or two.
SMS_PER_S = 1


def buckets(*, is_whatsapp: bool, per_s: int | None = None) -> tuple[Bucket, ...]:
    """Return what a message is taken out of; `per_s` is the operator's word for a sender with another rate."""
    count = per_s or (WHATSAPP_PER_S if is_whatsapp else SMS_PER_S)
    return (Bucket(scope=PacingScope.ACCOUNT, count=count, per_s=1, burst=max(1, count // 4)),)
