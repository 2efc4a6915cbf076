"""Content as the parameters of a call: a text and its entities. Pure."""

from typing import Any

from adapters.content import Content
from adapters.errors import Rejected
from adapters.links import KnownLinks, only_known
from adapters.telegram.entities import Rendered, utf16_length
from adapters.telegram.render import render, render_plain
from adapters.telegram.settings import TEXT_LIMIT

#: Telegram shows previews unless each message and each edit says no.
NO_PREVIEW = {"is_disabled": True}
#: What stands for a message with nothing in it, which Telegram does not take.
_NOTHING = "\N{HORIZONTAL ELLIPSIS}"


def written(content: Content, links: frozenset[str]) -> dict[str, Any]:
    """Write a message with the links that may be live. Raises `Rejected` for one that is too long."""
    return _params(render(only_known(content, KnownLinks.of(links))))


def written_plainly(content: Content) -> dict[str, Any]:
    """Write a message without entities, for when Telegram refuses them. Raises `Rejected`."""
    return _params(render_plain(content))


def _params(rendered: Rendered) -> dict[str, Any]:
    text = rendered.text or _NOTHING
    length = utf16_length(text)
    if length > TEXT_LIMIT:
        raise Rejected(f"the message is {length} UTF-16 units long, more than {TEXT_LIMIT}")
    entities: list[dict[str, Any]] = [entity.to_api() for entity in rendered.entities]
    return {"text": text} | ({"entities": entities} if entities else {})
