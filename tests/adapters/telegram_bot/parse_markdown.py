"""Telegram's MarkdownV2: every one of eighteen characters is markup or escaped."""

import re
from typing import Any, Final

from tests.adapters.telegram_bot.refusals import Refused, misuse
from tests.adapters.telegram_bot.utf16 import units

Entity = dict[str, Any]

_RESERVED: Final = "_*[]()~`>#+-=|{}.!"
_MARKS: Final = {"__": "underline", "||": "spoiler", "*": "bold", "_": "italic", "~": "strikethrough"}
_LINK_END: Final = re.compile(r"\]\(((?:\\.|[^\\)])*)\)")
_ESCAPED: Final = re.compile(r"\\([\x01-\x7e])")


def parse_markdown(text: str) -> tuple[str, list[Entity]]:
    """Return the text without markup, and the entities it meant; raise Refused."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out = ""
        self._open: list[tuple[str, Entity]] = []
        self._entities: list[Entity] = []

    def read(self) -> tuple[str, list[Entity]]:
        while self._at < len(self._text):
            self._step()
        self._end_quote()
        if self._open:
            raise self._wrong(f"can't find end of {self._open[-1][1]['type'].capitalize()} entity")
        return self._out, [entity for entity in self._entities if entity["length"] > 0]

    def _step(self) -> None:
        text, at = self._text, self._at
        if escaped := _ESCAPED.match(text, at):
            self._take(escaped[1], 2)
        elif text.startswith("```", at):
            self._code("```", "pre")
        elif text[at] == "`":
            self._code("`", "code")
        elif mark := next((mark for mark in _MARKS if text.startswith(mark, at)), None):
            self._toggle(mark)
        else:
            self._other(text[at])

    def _other(self, character: str) -> None:
        if character == ">" and (self._at == 0 or self._text[self._at - 1] == "\n"):
            self._begin_quote()
        elif character == "[":
            self._push("[", "text_link")
        elif character == "]" and self._is_open("["):
            self._end_link()
        elif character in _RESERVED:
            raise self._wrong(
                f"character '{character}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            if character == "\n" and self._text[self._at + 1 : self._at + 2] != ">":
                self._end_quote()
            self._take(character, 1)

    def _take(self, shown: str, source: int) -> None:
        self._out += shown
        self._at += source

    def _toggle(self, mark: str) -> None:
        if self._is_open(mark):
            self._pop()
            self._at += len(mark)
        elif any(mark == opened for opened, _ in self._open):
            raise self._wrong(f"character '{mark}' is reserved and must be escaped with the preceding '\\'")
        else:
            self._push(mark, _MARKS[mark])

    def _code(self, fence: str, kind: str) -> None:
        match = re.compile(rf"((?:\\[\x01-\x7e]|.)*?){fence}", re.DOTALL).match(
            self._text, self._at + len(fence)
        )
        if match is None:
            raise self._wrong(f"can't find end of {'PreCode' if kind == 'pre' else 'Code'} entity")
        body = match[1]
        entity: Entity = {"type": kind, "offset": units(self._out)}
        if kind == "pre" and (language := re.match(r"(\w*)\n", body)):
            body = body[language.end() :]
            entity |= {"language": language[1]} if language[1] else {}
        body = _ESCAPED.sub(r"\1", body)
        self._entities.append(entity | {"length": units(body)})
        self._out += body
        self._at = match.end()

    def _end_link(self) -> None:
        match = _LINK_END.match(self._text, self._at)
        if match is None:
            raise self._wrong("can't find end of a URL")
        self._pop(url=_ESCAPED.sub(r"\1", match[1]))
        self._at = match.end()

    def _begin_quote(self) -> None:
        if not any(opened == ">" for opened, _ in self._open):
            self._push(">", "blockquote")
        else:
            self._at += 1

    def _end_quote(self) -> None:
        if self._is_open(">"):
            self._pop()

    def _is_open(self, mark: str) -> bool:
        return bool(self._open) and self._open[-1][0] == mark

    def _push(self, mark: str, kind: str) -> None:
        self._open.append((mark, {"type": kind, "offset": units(self._out)}))
        self._at += len(mark)

    def _pop(self, **fields: str) -> None:
        _, entity = self._open.pop()
        self._entities.append(entity | {"length": units(self._out) - entity["offset"]} | fields)

    def _wrong(self, why: str) -> Refused:
        offset = len(self._text[: self._at].encode())
        return misuse(f"can't parse entities: {why} at byte offset {offset}")
