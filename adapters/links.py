"""A link is live only if its address stood in this chat or on the operator's list. Pure.

The model's own addresses stay readable, but as text: what a model makes up may belong to anybody, and what it was
talked into may carry this chat's secrets away. A `Link` that comes out of here is live; an address in a `Text` is not,
and every renderer keeps the platform and its clients from making a link of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapters.addresses import AddressKind, addresses
from adapters.content import (
    Block,
    Bold,
    Content,
    Heading,
    Inline,
    Italic,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Strike,
    Table,
    Text,
)
from adapters.urls import ascii_host, canonical, host_of, is_mixed, without_fragment


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLinks:
    """The addresses that may be live, in their canonical form."""

    urls: frozenset[str] = frozenset()
    #: The operator's hosts; a dot in front means everything below it, too.
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, urls: Iterable[str] = (), hosts: Iterable[str] = ()) -> "KnownLinks":
        """Gather addresses that stood in a chat, as people wrote them, and an operator's hosts (`.example.org`)."""
        forms = frozenset(form for url in urls for form in _forms(url))
        written = {host: ascii_host(host.lower().removeprefix("*").removeprefix(".")) for host in hosts}
        return cls(
            urls=forms,
            hosts=frozenset(
                f".{name}" if host.startswith((".", "*.")) else name for host, name in written.items() if name
            ),
        )

    def __bool__(self) -> bool:
        return bool(self.urls or self.hosts)

    def allow(self, url: str) -> bool:
        """Tell whether a link to this address may be live."""
        address = canonical(url) if self else None
        if address is None:
            return False
        address = f"https:{address}" if address.startswith("//") else address
        return address in self.urls or self._is_the_operators(host_of(address))

    def _is_the_operators(self, host: str) -> bool:
        labels = host.split(".")
        above = (".".join(labels[at:]) for at in range(len(labels)))
        return host in self.hosts or any(f".{name}" in self.hosts for name in above)


#: Nothing is live: also how every message is measured, because an address that is shown takes more room than a link.
NO_LINKS = KnownLinks()


def found_in(text: str) -> frozenset[str]:
    """Return the addresses that stand in what a person wrote, as written."""
    return frozenset(
        text[found.start : found.end] for found in addresses(text) if found.kind is not AddressKind.MENTION
    )


def only_known(content: Content, known: KnownLinks) -> Content:
    """Make links of what is known, wherever it stands, and text of every other link. Pure; twice is harmless."""
    return Content(tuple(_block(block, known) for block in content.blocks))


def _forms(url: str) -> Iterable[str]:
    """Give every address that a known one stands for: with https for http or for nothing, without its fragment."""
    address = canonical(url)
    if address is None:
        return
    for form in {address, without_fragment(address)}:
        if form.startswith("//"):
            yield from (f"http:{form}", f"https:{form}")
        else:
            yield form
            yield form.replace("http://", "https://", 1)


def _block(block: Block, known: KnownLinks) -> Block:
    match block:
        case Paragraph() | Heading():
            return replace(block, inlines=_inlines(block.inlines, known))
        case Quote():
            return Quote(tuple(_block(inner, known) for inner in block.blocks))
        case ListBlock():
            items = tuple(tuple(_block(inner, known) for inner in item) for item in block.items)
            return replace(block, items=items)
        case Table():
            header = tuple(_inlines(cell, known) for cell in block.header)
            rows = tuple(tuple(_inlines(cell, known) for cell in row) for row in block.rows)
            return replace(block, header=header, rows=rows)
        case _:
            return block


def _inlines(inlines: tuple[Inline, ...], known: KnownLinks) -> tuple[Inline, ...]:
    return tuple(made for inline in inlines for made in _inline(inline, known))


def _inline(inline: Inline, known: KnownLinks) -> tuple[Inline, ...]:
    match inline:
        case Text():
            return _with_links(inline.text, known)
        case Link():
            return _link(inline, known)
        case Bold() | Italic() | Strike():
            return (type(inline)(_inlines(inline.children, known)),)
        case _:
            return (inline,)


def _with_links(text: str, known: KnownLinks) -> tuple[Inline, ...]:
    """Make links of the known addresses in a text."""
    if not known:
        return (Text(text),)
    made: list[Inline] = []
    done = 0
    for found in addresses(text):
        written = text[found.start : found.end]
        if found.kind is not AddressKind.MENTION and known.allow(written):
            made += [Text(text[done : found.start]), Link(written, _with_scheme(written, found.kind))]
            done = found.end
    made.append(Text(text[done:]))
    return tuple(inline for inline in made if not isinstance(inline, Text) or inline.text)


def _with_scheme(written: str, kind: AddressKind) -> str:
    if kind is AddressKind.MAIL:
        return f"mailto:{written}"
    return written if "://" in written or written[:7].lower() == "mailto:" else f"https://{written}"


def _link(link: Link, known: KnownLinks) -> tuple[Inline, ...]:
    label, url = link.text.strip(), link.url
    if not known.allow(url):
        address = shown(url)
        return (Text(address if _is_same(label, url) else f"{label} ({address})"),)
    if _is_same(label, url) or not found_in(label):
        return (Link(label or url, url),)
    # A label that names another address than it leads to would deceive: both are shown, and the true one is live.
    return (Text(f"{label} ("), Link(url, url), Text(")"))


def _is_same(label: str, url: str) -> bool:
    """Tell whether a label is nothing but the address itself."""
    if not label or label == url:
        return True
    if "." not in label and ":" not in label:
        return False
    one, two = canonical(label), canonical(url)
    return one is not None and two is not None and _bare(one) == _bare(two)


def _bare(address: str) -> str:
    return address.removeprefix("https:").removeprefix("http:")


def shown(url: str) -> str:
    """Write an address for a person; a host of mixed scripts in punycode, because it would look like another's."""
    if url.isascii() and "xn--" not in url.lower():
        return url
    address = canonical(url)
    if address is None or address.startswith("mailto:") or not is_mixed(host_of(address)):
        return url
    return address
