"""Showing a reply as a draft while it grows, on platforms that have drafts."""

from typing import Protocol

from adapters.content import Content


class Drafting(Protocol):
    """An adapter with `sends_from: any` and conversations whose `live` is `DRAFT`."""

    async def draft(
        self,
        account: str,
        conversation: str,
        turn_id: str,
        content: Content | None,
        links: frozenset[str] = frozenset(),
    ) -> None:
        """Show the reply so far in place of the draft before; None shows that one is thought about.

        `links` are the addresses that may be live, as in a `Send`.

        A draft vanishes by itself or when a message of ours comes. Raises an `AdapterError`; never repeated.
        """
        ...
