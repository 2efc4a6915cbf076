"""What live messages look like between processes: versioned JSON, the snapshot itself sealed for its chat."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adapters.base import LivePhase, LiveSnapshot
from bot.chat.vault import Place, SealedField, Vault
from bot.errors import AsideError
from bot.turns.live import StopSignal
from bot.turns.model import Chat

_VERSION = 1


class UnreadableLive(AsideError):
    """A live message is not one of ours, or of a version that we do not know."""

    def __init__(self, payload: bytes) -> None:
        """Keep the message; its sentence tells only the length."""
        super().__init__(f"a live message of {len(payload)} bytes cannot be read")
        self.payload = payload


class _Kind(StrEnum):
    """What an adapter's channel carries."""

    #: A reply as it stands.
    SNAPSHOT = "snapshot"
    #: Look into SQL.
    RING = "ring"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSnapshot:
    """A snapshot on its way. The wrapped key travels along: it is useless without the key-encryption key."""

    chat_id: str
    turn_id: str
    key: bytes
    blob: bytes

    def to_wire(self) -> bytes:
        """Write it as JSON."""
        return _dump(
            kind=_Kind.SNAPSHOT,
            chat=self.chat_id,
            turn=self.turn_id,
            key=b64encode(self.key).decode(),
            blob=b64encode(self.blob).decode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """SQL has something to send."""

    def to_wire(self) -> bytes:
        """Write it as JSON."""
        return _dump(kind=_Kind.RING)


def read_live(payload: bytes) -> SealedSnapshot | Ring:
    """Read what an adapter's channel carried. Raises `UnreadableLive`."""
    fields = _load(payload)
    try:
        if _Kind(fields["kind"]) is _Kind.RING:
            return Ring()
        return SealedSnapshot(
            chat_id=str(fields["chat"]),
            turn_id=str(fields["turn"]),
            key=b64decode(fields["key"], validate=True),
            blob=b64decode(fields["blob"], validate=True),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise UnreadableLive(payload) from exc


def stop_to_wire(stop: StopSignal) -> bytes:
    """Write a stop signal as JSON."""
    return _dump(turn=stop.turn_id)


def stop_from_wire(payload: bytes) -> StopSignal:
    """Read a stop signal. Raises `UnreadableLive`."""
    try:
        return StopSignal(turn_id=str(_load(payload)["turn"]))
    except KeyError as exc:
        raise UnreadableLive(payload) from exc


def seal_snapshot(vault: Vault, chat: Chat, snapshot: LiveSnapshot) -> SealedSnapshot:
    """Seal a whole snapshot, references included, for its chat and turn. Raises `KeyMissing`."""
    text = json.dumps(
        {
            "account": snapshot.account,
            "conversation": snapshot.conversation,
            "reply_to": snapshot.reply_to,
            "phase": snapshot.phase.value,
            "text": snapshot.text,
            "number": snapshot.number,
        },
        ensure_ascii=False,
    )
    place = _place(chat.id, snapshot.turn_id)
    blob = vault.seal(chat.key, text, place)
    return SealedSnapshot(chat_id=chat.id, turn_id=snapshot.turn_id, key=chat.key, blob=blob)


def open_snapshot(vault: Vault, sealed: SealedSnapshot) -> LiveSnapshot:
    """Open a snapshot. Raises `VaultError` when it does not open here, `UnreadableLive` when it is not one."""
    text = vault.open(sealed.key, sealed.blob, _place(sealed.chat_id, sealed.turn_id))
    try:
        fields = json.loads(text)
        return LiveSnapshot(
            turn_id=sealed.turn_id,
            account=fields["account"],
            conversation=fields["conversation"],
            reply_to=fields["reply_to"],
            phase=LivePhase(fields["phase"]),
            text=fields["text"],
            number=int(fields["number"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise UnreadableLive(sealed.blob) from exc


def _place(chat_id: str, turn_id: str) -> Place:
    return Place(chat=chat_id, item=turn_id, field=SealedField.LIVE)


def _dump(**fields: str) -> bytes:
    return json.dumps({"v": _VERSION, **fields}).encode()


def _load(payload: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(payload)
    except ValueError as exc:
        raise UnreadableLive(payload) from exc
    if not isinstance(fields, dict) or fields.get("v") != _VERSION:
        raise UnreadableLive(payload)
    return fields
