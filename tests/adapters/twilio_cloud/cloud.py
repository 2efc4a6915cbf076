"""The fake cloud as a test holds it: its people, its faults, its time, and what everybody sees.

Each method takes and gives plain values, so that the same ones can be called over HTTP (`control.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER, Account, Sender, Template
from tests.adapters.twilio_cloud.addresses import on
from tests.adapters.twilio_cloud.carrier import Carrier, Failing, Habits
from tests.adapters.twilio_cloud.faults import Faults, Rule
from tests.adapters.twilio_cloud.inbound import Person, Said
from tests.adapters.twilio_cloud.overrides import Overrides
from tests.adapters.twilio_cloud.people import People, Picture, Telling
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.shown import Bubble, Call, Channel, Delivery, Endpoint, Fault
from tests.adapters.twilio_cloud.typing_indicator import TypingIndicators
from tests.adapters.twilio_cloud.webhooks import Webhooks
from tests.platforms.news import News

ANN = "+491701234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One running cloud, from the inside."""

    account: Account
    record: Record
    faults: Faults
    webhooks: Webhooks
    carrier: Carrier
    people: People
    typing: TypingIndicators
    news: News
    #: Where api.twilio.com, messaging.twilio.com and content.twilio.com are.
    url: str
    cdn_url: str

    # The people.

    def say(
        self,
        body: str = "",
        *,
        number: str = ANN,
        channel: str = Channel.WHATSAPP,
        sender: str | None = None,
        pictures: Sequence[Picture] = (),
        copies: int = 1,
        delay_s: float = 0.0,
        **more: Any,
    ) -> str:
        """Let somebody write to the assistant; give the message's SID. `more` are further fields of `Said`.

        It is told behind this call: wait with `settled`. `copies` are told in parallel; with `delay_s`, real seconds,
        what is said later arrives earlier.
        """
        said, manner = Said(body=body, **more), Telling(copies=copies, delay_s=delay_s)
        return self.people.say(number, sender or _sender(channel), said, tuple(pictures), manner)

    def press(self, text: str, payload: str, *, of: str, number: str = ANN) -> str:
        """Let somebody press a button of a message."""
        return self.say(text, number=number, reply_to=of, button=(text, payload))

    def choose(self, row: str, title: str, *, of: str, number: str = ANN) -> str:
        """Let somebody choose a row of a list."""
        return self.say(title, number=number, reply_to=of, chosen=(row, title))

    def again(self, sid: str, copies: int = 1) -> None:
        """Tell of a message once more."""
        self.people.again(sid, copies)

    def introduce(self, number: str, **traits: Any) -> None:
        """Say who has a number: `name`, `scoped_id`, `username`, `hides_number`."""
        self.people.know(Person(number=number, **traits))

    def habits(self, number: str = ANN, *, reads: bool = True, reachable: bool = True) -> None:
        """Say what a person's phone does."""
        person = self.people.person(number)
        for channel in Channel:
            self.carrier.habits[person.address(channel)] = Habits(reads=reads, reachable=reachable)

    # The account.

    def webhook(
        self,
        url: str,
        *,
        sender: str | None = None,
        fallback: str | None = None,
        status_callback: str | None = None,
    ) -> None:
        """Configure where messages to a sender, or to all, are told. Raises ValueError over a wrong override."""
        for configured in (url, fallback, status_callback):
            Overrides.of(configured or "")
        for known in [self.account.senders[sender]] if sender else self.account.senders.values():
            known.webhook, known.fallback, known.status_callback = url, fallback, status_callback

    def proxy(self, origin: str, behind: Sequence[str]) -> None:
        """Say which addresses of this machine stand behind a public origin."""
        self.webhooks.proxies[origin] = tuple(behind)

    def join_service(self, service: str, sender: str) -> None:
        """Put a sender into a Messaging Service."""
        self.account.senders.setdefault(sender, Sender(address=sender)).service = service

    def template(self, body: str, *, approved: bool = True, defaults: dict[str, str] | None = None) -> str:
        """Make a content template with placeholders like {{1}}, and give its SID."""
        template = Template(body=body, approved=approved, defaults=defaults or {})
        self.account.templates[template.sid] = template
        return template.sid

    def rotate(self, token: str, *, promote: bool = False) -> None:
        """Make a secondary token, and promote it if asked to."""
        self.account.secondary = token
        if promote:
            self.account.promote()

    def suspend(self, *, active: bool = False) -> None:
        """Shut the account, or open it again."""
        self.account.active = active

    # What goes wrong.

    def fault(
        self,
        fault: str,
        *,
        endpoint: str | None = None,
        to: str | None = None,
        times: int | None = 1,
        **more: Any,
    ) -> None:
        """Let calls of the API run into a fault; `more` are further fields of `Rule`."""
        place = Endpoint(endpoint) if endpoint else None
        self.faults.add(Rule(fault=Fault(fault), endpoint=place, to=to, times=times, **more))

    def fail(
        self, error_code: int, *, status: str = "failed", to: str | None = None, times: int | None = 1
    ) -> None:
        """Let messages fail after they were taken."""
        self.carrier.failing.append(Failing(error_code=error_code, status=status, person=to, times=times))

    def calm(self) -> None:
        """Forget every fault."""
        self.faults.clear()
        self.carrier.failing.clear()

    # Time.

    def advance(self, seconds: float) -> None:
        """Let time pass for the cloud and its people."""
        self.record.advance(seconds)
        self.carrier.expire()

    def move(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Give a message a status and tell of it."""
        self.carrier.move(sid, status, error_code)

    async def settled(self) -> None:
        """Wait until everything under way was told or given up."""
        await self.webhooks.settled()

    # What is seen.

    def bubbles(self, number: str | None = None) -> list[Bubble]:
        """List all messages, of one person or of everybody, oldest first."""
        if number is None:
            return self.record.bubbles()
        return self.record.bubbles("person IN (?, ?)", *self._addresses(number))

    def seen(self, number: str = ANN) -> list[str]:
        """List the texts of the assistant that stand on a person's phone, oldest first."""
        return [bubble.body for bubble in self.bubbles(number) if bubble.seen and not bubble.inbound]

    def sees_typing(self, number: str = ANN) -> bool:
        """Tell whether a person sees the assistant writing."""
        return self.typing.shown(self.people.person(number).address(Channel.WHATSAPP))

    def calls(self, endpoint: str | None = None) -> list[Call]:
        """List the calls of the API, oldest first."""
        rows = self.record.rows(
            "SELECT * FROM calls WHERE ? IS NULL OR endpoint = ? ORDER BY seq", endpoint, endpoint
        )
        return [Call(**dict(row)) for row in rows]

    def deliveries(self, sid: str | None = None) -> list[Delivery]:
        """List every try to tell of something, oldest first."""
        rows = self.record.rows("SELECT * FROM deliveries WHERE ? IS NULL OR sid = ? ORDER BY seq", sid, sid)
        return [Delivery(**dict(row)) for row in rows]

    def cost(self) -> float:
        """Tell what the account was charged for messages, in US dollars."""
        return -float(self.record.scalar("SELECT coalesce(sum(price), 0) FROM messages"))

    def violations(self) -> list[str]:
        """List what must not have happened."""
        return [row["text"] for row in self.record.rows("SELECT text FROM violations ORDER BY seq")]

    def _addresses(self, number: str) -> tuple[str, str]:
        person = self.people.person(number)
        return person.address(Channel.SMS), person.address(Channel.WHATSAPP)


def _sender(channel: str) -> str:
    return WHATSAPP_SENDER if Channel(channel) is Channel.WHATSAPP else SMS_SENDER


def address(number: str, channel: str = Channel.WHATSAPP) -> str:
    """Write a number as To and From do."""
    return on(Channel(channel), number)
