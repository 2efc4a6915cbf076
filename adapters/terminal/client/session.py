"""An interactive chat: what comes goes to the screen, what is typed goes to the room."""

import asyncio
import signal
import uuid
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing, contextmanager

from adapters.base import LivePhase, Outcome
from adapters.terminal.client.editor import LineEditor
from adapters.terminal.client.link import Link, Lost
from adapters.terminal.client.screen import Line, Screen
from adapters.terminal.client.typed import Hint, Leave, Words, understand
from adapters.terminal.frames import Ack, Frame, Live, Message, Refusal, Say, Welcome
from adapters.terminal.render import printable

_TO_BE_ANSWERED = (Outcome.ACCEPTED, Outcome.JOINED, Outcome.DUPLICATE, Outcome.REFUSED)


class Session:
    """One person's chat until they leave."""

    def __init__(
        self, link: Link, screen: Screen, editor: LineEditor, *, is_typed: bool, patience_s: float
    ) -> None:
        self._link = link
        self._screen = screen
        self._editor = editor
        #: Whether keys come one by one; else whole lines come from a pipe or file.
        self._is_typed = is_typed
        #: How long to wait for replies after the end of piped input.
        self._patience_s = patience_s
        self._left = asyncio.Event()
        self._assistant = "assistant"
        self._was_in = False
        self._numbers: dict[str, int] = {}
        self._refs: dict[int, str] = {}
        self._growing: Live | None = None
        self._asked_to_stop = False
        self._has_input = True
        #: Ids of what was said and not yet decided, and refs of what still awaits its reply.
        self._undecided: set[str] = set()
        self._awaiting: set[str] = set()
        self._answered: set[str] = set()
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, typed: AsyncGenerator[str, None]) -> None:
        """Chat until the person leaves. Raises a group of `NotRunning` or `TurnedAway` if it cannot begin."""
        with self._interrupts():
            try:
                async with asyncio.TaskGroup() as group:
                    self._group = group
                    self._start(self._receive())
                    self._start(self._type(typed))
                    await self._left.wait()
                    for task in list(self._tasks):
                        task.cancel()
            finally:
                self._screen.close()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextmanager
    def _interrupts(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGTERM, self._left.set)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            loop.remove_signal_handler(signal.SIGTERM)

    def _interrupt(self) -> None:
        """Ctrl-C: stop the reply that is being written; leave where there is none, or it was pressed before."""
        if self._growing is None or self._asked_to_stop:
            self._left.set()
            return
        self._asked_to_stop = True
        self._screen.remark("(asked to stop; Ctrl-C again leaves)")
        self._start(self._link.stop())

    async def _type(self, typed: AsyncGenerator[str, None]) -> None:
        """Carry out what is typed, line by line."""
        unfinished = ""
        async with aclosing(typed) as chunks:
            async for chunk in chunks:
                if self._is_typed:
                    lines = self._editor.feed(chunk)
                    self._screen.draw_prompt()
                else:
                    *lines, unfinished = (unfinished + chunk).split("\n")
                for line in lines:
                    await self._carry_out(line)
                if self._editor.has_ended:
                    self._left.set()
        if unfinished:
            await self._carry_out(unfinished)
        self._has_input = False
        self._leave_if_answered()
        asyncio.get_running_loop().call_later(0 if self._is_typed else self._patience_s, self._left.set)

    async def _carry_out(self, line: str) -> None:
        match understand(line):
            case Leave():
                self._left.set()
            case Hint() as hint:
                self._screen.remark(hint.text)
            case Words() as words if words.number is not None and words.number not in self._refs:
                self._screen.remark(f"There is no message {words.number} here.")
            case Words() as words:
                reply_to = None if words.number is None else self._refs[words.number]
                say = Say(id=uuid.uuid4().hex, text=words.text, reply_to=reply_to)
                self._undecided.add(say.id)
                await self._link.say(say)
            case None:
                pass

    async def _receive(self) -> None:
        async with aclosing(self._link.frames()) as frames:
            async for frame in frames:
                self._show(frame)
                self._leave_if_answered()

    def _show(self, frame: Frame | Lost) -> None:
        match frame:
            case Welcome():
                self._greet(frame)
            case Message():
                self._show_message(frame)
            case Live():
                self._show_live(frame)
            case Ack():
                self._decided(frame)
            case Refusal():
                self._refused(frame)
            case Lost():
                self._lose()
            case _:
                pass

    def _greet(self, welcome: Welcome) -> None:
        self._assistant = welcome.assistant
        if self._was_in:
            self._screen.remark("(connected again)")
            return
        self._was_in = True
        where = f"in the group {welcome.chat}" if welcome.chat else f"alone with {welcome.assistant}"
        how = f"Write @{welcome.assistant} to ask it something. " if welcome.chat else ""
        self._screen.remark(
            f"You are {welcome.person}, {where}. {how}"
            "Reply to a message with >NUMBER TEXT; Ctrl-C stops a reply; /quit leaves."
        )

    def _show_message(self, message: Message) -> None:
        number = self._number(message)
        if message.withdrawn:
            self._screen.remark(f"({printable(message.name)} took message {number} back)")
            return
        remarks = [f"(to {self._numbers[message.reply_to]})"] if message.reply_to in self._numbers else []
        if message.replaces:
            remarks.append("(edited)")
        line = Line(
            number=number,
            name=printable(message.name),
            text=printable(message.text),
            remark=" ".join(remarks),
        )
        if self._growing and self._growing.reply_to in message.answers:
            self._growing, self._asked_to_stop = None, False
            self._screen.finish(line)
        else:
            self._screen.say(line)
        self._awaiting.difference_update(message.answers)
        self._answered.update(message.answers)

    def _number(self, message: Message) -> int:
        """Give the message the number people reply to: its position; an edited one keeps its own."""
        number = self._numbers.setdefault(message.replaces or message.ref, message.position)
        self._refs.setdefault(number, message.ref)
        return number

    def _show_live(self, live: Live) -> None:
        if live.phase is LivePhase.ENDED:
            if self._growing and self._growing.turn_id == live.turn_id:
                self._growing, self._asked_to_stop = None, False
                self._screen.drop()
            return
        self._growing = live
        to = self._numbers.get(live.reply_to)
        is_text = live.phase is LivePhase.STREAMING
        line = Line(
            number=None,
            name=self._assistant,
            text=printable(live.text) if is_text else _state(live),
            remark=f"(to {to})" if to else "",
        )
        self._screen.grow(line, is_text=is_text)

    def _decided(self, ack: Ack) -> None:
        self._undecided.discard(ack.id)
        if ack.outcome in _TO_BE_ANSWERED and ack.ref not in self._answered:
            self._awaiting.add(ack.ref)

    def _refused(self, refusal: Refusal) -> None:
        self._screen.remark(f"({refusal.why})")
        if refusal.retry and refusal.id:
            self._start(self._offer_again(refusal.id))
        else:
            self._undecided.discard(refusal.id)

    async def _offer_again(self, say_id: str) -> None:
        if not await self._link.offer_again(say_id):
            self._undecided.discard(say_id)
            self._screen.remark("(your message was given up; please write it again later)")
            self._leave_if_answered()

    def _lose(self) -> None:
        if self._growing:
            self._growing, self._asked_to_stop = None, False
            self._screen.drop()
        self._screen.remark("(Aside is away; waiting for it to come back)")

    def _leave_if_answered(self) -> None:
        """After the end of piped input, stay until every message has its reply."""
        if not (self._has_input or self._undecided or self._awaiting):
            self._left.set()


def _state(live: Live) -> str:
    if live.phase is LivePhase.WARMING:
        return live.text or "the model is still loading"
    return "thinking..."
