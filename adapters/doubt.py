"""How a message says that it may be there twice, on platforms that cannot tell us whether a send arrived."""

from collections.abc import Callable

from adapters.base import Edit, Send
from adapters.content import Content, Italic, Paragraph, Text, plain

#: What people read above a message that was sent again because nobody knows whether it had arrived.
LABEL = "(may be a duplicate)"


def shown(op: Send | Edit) -> Content:
    """Return what an operation shows: its content, under the label where it may be a duplicate."""
    if not op.may_be_duplicate:
        return op.content
    return Content((Paragraph((Italic((Text(LABEL),)),)), *op.content.blocks))


def limit_beside_label(render: Callable[[Content], str], measure: Callable[[str], int], limit: int) -> int:
    """Return how long a part may be so that it still fits into `limit` with the label above it.

    A class C adapter splits by this: whether a part must be sent again is known only after it was cut.
    """
    part = plain("x")
    labelled = Content((Paragraph((Italic((Text(LABEL),)),)), *part.blocks))
    return limit - (measure(render(labelled)) - measure(render(part)))
