"""One form for every way of writing the same URL, and none for those that are written to deceive. Pure.

RFC 3986 section 6.2.2 (case, percent-encoding, dot segments), RFC 3492 (punycode). What a browser may understand in
another way than a person does (user information, backslashes, white space, direction marks, invisible characters) has
no such form; letters that only look alike stay different, because nothing is mapped by looks.
"""

import re
import unicodedata
from urllib.parse import quote, unquote_to_bytes

_PARTS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]@]+)(?::(?P<port>\d{0,5}))?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:(?!\d)")
_MAIL = re.compile(r"(?P<user>[^\s@?#/:]+)@(?P<host>[^\s@?#/:]+)")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_\-]*[a-z0-9_])?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LONGEST = 2_048
#: Unreserved characters, and those that mean something by themselves where they stand.
_KEPT = "-._~!$&'()*+,;=:@/?"
#: The full stops that browsers take for a dot in a host (UTS 46): nobody writes them there by accident.
_DOTS = "\u3002\uff0e\uff61\u2024"


def canonical(url: str) -> str | None:
    """Return the one form of an http, https or mailto address, or of one without a scheme; None where it has none.

    An address without a scheme keeps to none: `example.org/a` becomes `//example.org/a`.
    """
    url = url.strip(" ")
    if not url or len(url) > _LONGEST or any(map(_is_deceptive, url)):
        return None
    if url[:7].lower() == "mailto:":
        return _mail(url[7:])
    if not _SCHEME.match(url) and _MAIL.fullmatch(url):
        return _mail(url)
    has_scheme = "://" in url.partition("/")[0] + "//" and _SCHEME.match(url) is not None
    found = _PARTS.fullmatch(_with_small_scheme(url) if has_scheme else f"https://{url.removeprefix('//')}")
    if found is None:
        return None
    authority = _authority(found["host"], found["scheme"] if has_scheme else "https")
    if authority is None:
        return None
    scheme = f"{found['scheme']}:" if has_scheme else ""
    query = _encoded(found["query"] or "")
    fragment = _encoded(found["fragment"] or "", "#")
    return f"{scheme}//{authority}{_path(found['path'])}{query.removesuffix('?')}{fragment.removesuffix('#')}"


def without_fragment(address: str) -> str:
    """Return a canonical address without its fragment."""
    return address.partition("#")[0]


def host_of(address: str) -> str:
    """Return the host of a canonical address, without its port."""
    if address.startswith("mailto:"):
        return address.rpartition("@")[2]
    return re.sub(r":\d+\Z", "", address.partition("//")[2].partition("/")[0])


def ascii_host(host: str) -> str | None:
    """Return a host in small ASCII letters (punycode); None for what is no host."""
    labels = host.removesuffix(".").split(".")
    written = [_ascii_label(label) for label in labels]
    return ".".join(label for label in written if label) if all(written) else None


def is_mixed(host: str) -> bool:
    """Tell whether a label of a host mixes scripts, as `paypal` with a Cyrillic a would."""
    return any(_is_mixed_label(label) for label in _readable(host).split("."))


def _with_small_scheme(url: str) -> str:
    scheme, between, rest = url.partition("://")
    return scheme.lower() + between + rest


def _is_deceptive(sign: str) -> bool:
    """Tell whether a character is never part of an honest address: invisible, turning, spacing, or a backslash."""
    return (
        sign in '\\<>"`{}|^'
        or sign in _DOTS
        or unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp")
    )


def _mail(address: str) -> str | None:
    found = _MAIL.fullmatch(address)
    host = ascii_host(found["host"]) if found else None
    return f"mailto:{found['user']}@{host}" if found and host else None


def _authority(authority: str, scheme: str) -> str | None:
    found = _HOST.fullmatch(authority)
    if found is None:
        return None
    name = found["name"]
    host = name.lower() if name[0] == "[" else ascii_host(name)
    port = (found["port"] or "").lstrip("0")
    if host is None or (port and int(port) > 65_535):  # noqa: PLR2004 - the largest port there is
        return None
    return host if port in ("", _DEFAULT_PORTS[scheme]) else f"{host}:{port}"


def _ascii_label(label: str) -> str | None:
    label = unicodedata.normalize("NFC", label).lower()
    if "%" in label:
        return None
    if not label.isascii():
        label = "xn--" + label.encode("punycode").decode("ascii")
    return label if _LABEL.fullmatch(label) and len(label) <= 63 else None  # noqa: PLR2004 - RFC 1035


def _path(path: str) -> str:
    """Normalise a path; a slash at its end makes no difference."""
    kept: list[str] = []
    for segment in _encoded(path).split("/")[1:]:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    return ("/" + "/".join(kept)).rstrip("/") + "/"


def _encoded(part: str, also: str = "") -> str:
    """Write percent-encoding in one way: only where it is needed, in capitals."""
    pieces = re.split(r"((?:%[0-9A-Fa-f]{2})+)", part)
    written = []
    for number, piece in enumerate(pieces):
        if number % 2:
            written.append(quote(unquote_to_bytes(piece), safe="-._~"))
        else:
            written.append(quote(piece, safe=_KEPT + also))
    return "".join(written)


def _readable(host: str) -> str:
    labels = []
    for label in host.split("."):
        try:
            labels.append(
                label[4:].encode("ascii").decode("punycode") if label[:4].lower() == "xn--" else label
            )
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)


#: Scripts that are written together.
_TOGETHER = (
    {"CJK", "HIRAGANA", "KATAKANA", "LATIN"},
    {"CJK", "HANGUL", "LATIN"},
    {"CJK", "BOPOMOFO", "LATIN"},
)


def _is_mixed_label(label: str) -> bool:
    scripts = {unicodedata.name(sign, "UNKNOWN").split(" ", 1)[0] for sign in label if sign.isalpha()}
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)
