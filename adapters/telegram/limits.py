"""How fast Telegram may be called, as far as it says (https://core.telegram.org/bots/faq, on hitting limits).

Its true limits are unwritten and change with the chat; a 429 says the rest. What it counts as a call (edits and signs
of typing, too) is not written down either: we count all of them.
"""

from adapters.pacing import Bucket, PacingScope

#: "Avoid sending more than one message per second" in one chat; short bursts go through.
DIRECT = Bucket(scope=PacingScope.CONVERSATION, count=10, per_s=10, burst=3)
#: "Not more than 20 messages per minute" in a group.
GROUP = Bucket(scope=PacingScope.CONVERSATION, count=20, per_s=60, burst=4)
#: "About 30 messages per second" for the whole bot.
BOT = Bucket(scope=PacingScope.ACCOUNT, count=30, per_s=1, burst=8)


def buckets(*, is_group: bool) -> tuple[Bucket, ...]:
    """Return what a call in a chat is taken out of."""
    return (GROUP if is_group else DIRECT, BOT)
