"""What to do with a send that may or may not have arrived, on a platform that cannot tell (class C)."""

from datetime import timedelta
from enum import StrEnum

from adapters.base import Adapter, Idempotency, Sent


class SendPolicy(StrEnum):
    """The operator's choice for class C: replies, notices and first signs keep to it."""

    #: Send again, labelled as a possible duplicate.
    RESEND = "resend"
    #: Leave it: a rare loss rather than a rare duplicate.
    GIVE_UP = "give_up"


#: For how long nobody posts another first sign where one may stand and nothing may be sent twice: beyond any deadline.
LEFT = timedelta(days=7)
#: What stands for the message of a send that was left in doubt.
UNKNOWN = Sent(message="")


def leaves_doubt(policy: SendPolicy, adapter: Adapter, conversation: str) -> bool:
    """Tell whether a send in doubt is left as it is in a conversation, rather than made good."""
    is_class_c = adapter.capabilities(conversation).idempotency is Idempotency.NONE
    return is_class_c and policy is SendPolicy.GIVE_UP
