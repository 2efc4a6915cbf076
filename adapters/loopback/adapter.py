"""The platform in memory: what a person would see in each conversation."""

from dataclasses import dataclass, replace

from adapters.base import (
    AdapterState,
    Button,
    Capabilities,
    Edit,
    Idempotency,
    LiveOutput,
    Purpose,
    Send,
    SendsFrom,
    Sent,
    TextUnit,
)
from adapters.content import Content
from adapters.doubt import limit_beside_label, shown
from adapters.errors import Rejected
from adapters.loopback.faults import Faults
from adapters.markdown_source import to_markdown
from adapters.split import measure_in, split_markdown

NAME = "loopback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One message as a person sees it."""

    message: str
    op_id: str
    text: str
    purpose: Purpose
    reply_to: str | None
    #: Every text that stood before, oldest first.
    earlier: tuple[str, ...] = ()
    may_be_duplicate: bool = False
    buttons: tuple[Button, ...] = ()
    links: frozenset[str] = frozenset()


class LoopbackAdapter:
    """An `Adapter` in memory, of the class and with the limits it is given."""

    def __init__(
        self,
        *,
        idempotency: Idempotency = Idempotency.NONE,
        live: LiveOutput = LiveOutput.NONE,
        text_limit: int = 4000,
        text_unit: TextUnit = TextUnit.CODE_POINTS,
        live_min_interval_s: float = 1.0,
        client_splits_at: int | None = None,
        typing_lasts_s: float = 0.0,
        buttons: int = 0,
        faults: Faults | None = None,
    ) -> None:
        self._capabilities = Capabilities(
            text_limit=text_limit,
            text_unit=text_unit,
            live=live,
            live_min_interval_s=live_min_interval_s,
            idempotency=idempotency,
            client_splits_at=client_splits_at,
            typing_lasts_s=typing_lasts_s,
            buttons=buttons,
        )
        #: Every conversation in which typing was shown, each time.
        self.typed: list[str] = []
        #: Every draft that was shown, as its text; None for one without words.
        self.drafted: list[str | None] = []
        #: The addresses that each of them may show as live links.
        self.drafted_links: list[frozenset[str]] = []
        self.faults = faults or Faults()
        self._shown: dict[str, list[Seen]] = {}
        self._count = 0

    @property
    def name(self) -> str:
        """The adapter's name."""
        return NAME

    @property
    def sends_from(self) -> SendsFrom:
        """Any worker may send."""
        return SendsFrom.ANY

    @property
    def state(self) -> AdapterState:
        """Always connected: it is in this process."""
        return AdapterState.CONNECTED

    def capabilities(self, conversation: str) -> Capabilities:
        """Tell what it was made to allow."""
        return self._capabilities

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Cut a reply's Markdown into texts that each fit one message."""
        allowed = self.capabilities(conversation)
        measure, limit = measure_in(allowed.text_unit), allowed.text_limit
        if allowed.idempotency is Idempotency.NONE:
            limit = limit_beside_label(to_markdown, measure, limit)
        return split_markdown(markdown, to_markdown, measure, limit)

    async def typing(self, account: str, conversation: str) -> None:
        """Note that typing was shown."""
        self.typed.append(conversation)

    async def draft(
        self,
        account: str,
        conversation: str,
        turn_id: str,
        content: Content | None,
        links: frozenset[str] = frozenset(),
    ) -> None:
        """Note that a draft was shown, or run into a planned fault."""
        lost = await self.faults.before()
        self.drafted.append(None if content is None else self._rendered(content))
        self.drafted_links.append(links)
        if lost:
            raise lost

    def messages(self, conversation: str) -> list[Seen]:
        """Return what a person sees in a conversation, in order."""
        return list(self._shown.get(conversation, ()))

    def texts(self, conversation: str) -> list[str]:
        """Return the texts a person sees in a conversation, in order."""
        return [seen.text for seen in self.messages(conversation)]

    async def send(self, op: Send) -> Sent:
        """Show a message, or run into a planned fault; a keyed platform shows one operation once."""
        text = self._rendered(shown(op))
        lost = await self.faults.before()
        sent = self._known(op) or self._post(op, text)
        if lost:
            raise lost
        return sent

    async def edit(self, op: Edit) -> Sent:
        """Replace a message's text. Raises `Rejected` for a message that is not there."""
        text = self._rendered(shown(op))
        lost = await self.faults.before()
        standing = self._shown.get(op.conversation, [])
        at = next((at for at, seen in enumerate(standing) if seen.message == op.message), None)
        if at is None:
            raise Rejected("the message to edit is not there")
        if standing[at].text != text:
            earlier = (*standing[at].earlier, standing[at].text)
            standing[at] = replace(standing[at], text=text, purpose=op.purpose, earlier=earlier)
        standing[at] = replace(standing[at], buttons=op.buttons, links=op.links)
        if lost:
            raise lost
        return Sent(message=op.message)

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Take a message away."""
        lost = await self.faults.before()
        standing = self._shown.get(conversation, [])
        standing[:] = [seen for seen in standing if seen.message != message]
        if lost:
            raise lost

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Look up what an operation posted, where this platform can be read back."""
        if self._capabilities.idempotency is not Idempotency.READ_BACK:
            return None
        return self._posted(op_id, conversation)

    def _known(self, op: Send) -> Sent | None:
        if self._capabilities.idempotency is not Idempotency.KEYED:
            return None
        return self._posted(op.op_id, op.conversation)

    def _posted(self, op_id: str, conversation: str) -> Sent | None:
        found = next((seen for seen in self._shown.get(conversation, ()) if seen.op_id == op_id), None)
        return Sent(message=found.message) if found else None

    def _post(self, op: Send, text: str) -> Sent:
        self._count += 1
        seen = Seen(
            message=f"m{self._count}",
            op_id=op.op_id,
            text=text,
            purpose=op.purpose,
            reply_to=op.reply_to,
            may_be_duplicate=op.may_be_duplicate,
            buttons=op.buttons,
            links=op.links,
        )
        self._shown.setdefault(op.conversation, []).append(seen)
        return Sent(message=seen.message)

    def _rendered(self, content: Content) -> str:
        text = to_markdown(content)
        length = measure_in(self._capabilities.text_unit)(text)
        if length > self._capabilities.text_limit:
            raise Rejected(f"the message is {length} long, more than {self._capabilities.text_limit}")
        return text
