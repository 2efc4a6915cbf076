"""Find what a client may turn into a link by itself, or a platform into a mention: in plain text nobody asked for one.

Clients differ, and their rules change; so this finds rather too much than too little: everything with a scheme, every
dotted name whose last part could be a top-level domain (there are some 1,500, `.py` and `.zip` among them), numeric
addresses, mail addresses, and names behind an @. Pure, never raises, in time linear in the text.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, takewhile

#: Endings of file names and the like that are no top-level domains: `Node.js` and `index.html` are left alone.
NO_DOMAINS = frozenset(
    re.findall(
        r"\w+",
        """
        asp aspx avi bak bat bin bmp cfg cgi cmd conf cpp css csv cxx dat db dll dmg doc docx env exe flac gif git
        gz hpp htm html ico ini ipynb iso jpeg jpg js json jsonl jsp jsx kt lock log lua mkv msi ods odt ogg pdf
        php png ppt pptx pyc rar rtf scss sql sqlite svg swift tar tex tmp toml ts tsv tsx txt vb vue wasm wav
        webm webp whl xhtml xls xlsx xml yaml yml
        """,
    )
)
#: What ends an address: white space, quotes, and the punctuation of Chinese and Japanese.
_ENDS = r"\s<>\"«»\u3000-\u303f\uff00-\uff0f"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]{0,15}://"
_BARE_SCHEME = (
    r"(?<!\w)(?:mailto|tel|sms|smsto|sip|sips|xmpp|magnet|bitcoin|geo|data|javascript|tg|whatsapp|intent):"
)
#: Letters, digits and marks of any script, and what may stand between them in a host or a mail address.
_NAME = (
    r"[^\s\x00-\x2a\x2c\x2f\x3a-\x3f\x5b-\x5e\x60\x7b-\xbf\u2000-\u200b\u200e-\u2bff\u3000-\u303f"
    r"\ufe30-\ufe4f\uff00-\uff0f\uff1a-\uff1f\uff3b-\uff3d\uff5b-\uff65]"
)
_START = re.compile(rf"(?P<url>(?i:{_SCHEME}|{_BARE_SCHEME})[^{_ENDS}]+)|(?P<name>{_NAME}+)")
_BEHIND = re.compile(rf"(?::\d{{1,5}})?(?:[/?#][^{_ENDS}]*)?")
_MENTION = re.compile(r"(?<!\w)@\w+")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_NEVER_LAST = (
    ".,:;!?'\"*_~`-+>\N{HORIZONTAL ELLIPSIS}\N{RIGHT SINGLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
)
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class AddressKind(StrEnum):
    """What a piece of text would become."""

    #: A web address, with or without a scheme.
    WEB = "web"
    #: A mail address.
    MAIL = "mail"
    #: A person's or a group's name.
    MENTION = "mention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where it stands in the text, in code points."""

    start: int
    end: int
    kind: AddressKind


def addresses(text: str) -> Iterator[Address]:
    """Find addresses and mentions, from left to right, none inside another. Pure."""
    at = 0
    while found := _START.search(text, at):
        if found["url"]:
            end = found.start() + _trimmed(found["url"])
            yield Address(start=found.start(), end=end, kind=AddressKind.WEB)
            at = max(end, found.start() + 1)
        else:
            at = found.end()
            for address in _in_name(text, found.start(), found.end()):
                yield address
                at = max(at, address.end)


def _in_name(text: str, start: int, end: int) -> Iterator[Address]:
    """Look into one run of letters, digits and `.@+-_`."""
    name = text[start:end].rstrip(".-+@")
    if "." in name and _is_host(name.rpartition("@")[2]):
        # A name behind an @ may be a mention and a host at once: all of it is one address.
        kind = AddressKind.MAIL if "@" in name else AddressKind.WEB
        behind = _BEHIND.match(text, start + len(name))
        whole = name + (behind[0] if behind and start + len(name) == end else "")
        yield Address(start=start, end=start + max(len(name), _trimmed(whole)), kind=kind)
    elif "@" in name:
        for mention in _MENTION.finditer(name):
            yield Address(start=start + mention.start(), end=start + mention.end(), kind=AddressKind.MENTION)


def _is_host(name: str) -> bool:
    if _IPV4.fullmatch(name):
        return True
    labels = name.split(".")
    return any(before and _may_be_domain(label) for before, label in pairwise(labels))


def _may_be_domain(label: str) -> bool:
    """Tell whether a label could be a top-level domain, or begins with one: an emoji behind it ends it for clients."""
    label = "".join(takewhile(lambda sign: unicodedata.category(sign)[0] != "S", label))
    if label[:4].lower() == "xn--":
        return True
    letters = [sign for sign in label if unicodedata.category(sign)[0] in "LM"]
    is_only_letters = len(letters) == len(label.replace("\u200c", "").replace("\u200d", ""))
    return len(letters) > 1 and is_only_letters and label.lower() not in NO_DOMAINS


def _trimmed(address: str) -> int:
    """Return an address's length without the punctuation of the sentence around it."""
    end = len(address)
    open_counts = {closing: address.count(opening) for closing, opening in _BRACKETS.items()}
    close_counts = {closing: address.count(closing) for closing in _BRACKETS}
    while end:
        last = address[end - 1]
        if last in _BRACKETS and close_counts[last] > open_counts[last]:
            close_counts[last] -= 1
        elif last not in _NEVER_LAST:
            break
        end -= 1
    return end
