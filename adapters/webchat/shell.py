"""The page's HTML: one template, everything in it escaped."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.names import MAX_NAME
from adapters.webchat.assets import SHELL, Assets
from adapters.webchat.people import Profile
from adapters.webchat.settings import SAID_LIMIT, TITLE_LIMIT

#: What the page may let people write, in characters.
LIMITS: Mapping[str, int] = {"text": SAID_LIMIT, "title": TITLE_LIMIT, "name": MAX_NAME}


class Shell:
    """Renders the page for one request."""

    def __init__(self, assets: Assets, assistant: str) -> None:
        environment = Environment(
            loader=FileSystemLoader(SHELL.parent), autoescape=True, undefined=StrictUndefined
        )
        self._template = environment.get_template(SHELL.name)
        self._assets = assets
        self._assistant = assistant

    def page(
        self,
        nonce: str,
        me: Profile | None,
        *,
        may_enter: bool,
        code: str = "",
        preview: Mapping[str, Any] | None = None,
        refusal: str = "",
    ) -> str:
        """Write the page; `preview` has the title and the number of members of the room that a code leads to."""
        return self._template.render(
            nonce=nonce,
            static=self._assets.root,
            version=self._assets.version,
            assistant=self._assistant,
            me=None if me is None else {"id": me.id, "name": me.name, "colour": me.colour},
            code=code,
            preview=preview,
            refusal=refusal,
            may_enter=may_enter,
            limits=LIMITS,
        )
