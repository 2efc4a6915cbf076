"""What Telegram makes of a plain text by itself: mentions, commands, addresses, hashtags and the like.

Every message is searched, those of bots too: a bot that passes no entity for `@ann` has mentioned Ann all the same.
The rules are those of TDLib (MessageEntity.cpp), drawn a little wider where they are long: what is found here but not
there is a text that a careful bot would not have sent either.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tests.adapters.telegram_bot.utf16 import units

Entity = dict[str, Any]

#: Top-level domains under which a bare name becomes a link, beside those of two letters.
_DOMAINS_LISTED: Final = (
    "com net org info biz name pro int edu gov mil aero asia cat coop jobs mobi museum post tel travel xxx app dev "
    "page blog cloud online site store shop tech xyz top club live news wiki zip mov bot chat link click email media "
    "agency studio design digital world today space website fun one art bank eco group games host icu life ltd inc "
    "ngo ong photo run social team tips tools video vip work zone ton onion arpa example test"
)
_DOMAINS: Final = _DOMAINS_LISTED.split()
_TWO_LETTERS_LISTED: Final = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc "
    "cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga "
    "gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp "
    "ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms "
    "mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro "
    "rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt "
    "tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
_TWO_LETTERS: Final = _TWO_LETTERS_LISTED.split()
_TOP: Final = frozenset(_DOMAINS) | frozenset(_TWO_LETTERS)

_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])?"
_URL: Final = re.compile(
    rf"(?P<scheme>(?:https?|ftp|tonsite|tg)://)?(?P<user>[^\s/@]+@)?"
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})+)(?P<port>:\d+)?(?P<rest>[/?#][^\s<>«»\"]*)?",
    re.IGNORECASE,
)
_SIMPLE: Final = {
    "mention": re.compile(r"(?<![\w@/])@([A-Za-z0-9_]{4,32})(?!\w)"),
    "bot_command": re.compile(r"(?<![\w/<>@])/([A-Za-z0-9_]{1,64})(@[A-Za-z0-9_]{3,32})?(?![\w/])"),
    "hashtag": re.compile(r"(?<![\w#])#(?=\w{1,256}(?!\w))\w*[^\W\d]\w*"),
    "cashtag": re.compile(r"(?<![\w$])\$[A-Z]{3,8}(?!\w)"),
    "phone_number": re.compile(r"(?<![\w+])\+\d[\d ()-]{6,15}\d(?!\w)"),
}
#: Where one of these stands, nothing else is looked for.
_OPAQUE: Final = {"code", "pre", "text_link", "text_mention"}


def found_in(text: str, given: Iterable[Entity] = ()) -> list[Entity]:
    """Find what Telegram links by itself in a text that has these entities, in reading order."""
    covered = [(e["offset"], e["offset"] + e["length"]) for e in given if e["type"] in _OPAQUE]
    found: list[Entity] = []
    for kind, start, end in sorted(_all(text), key=lambda match: (match[1], -match[2])):
        place = {"offset": units(text[:start]), "length": units(text[start:end])}
        span = (place["offset"], place["offset"] + place["length"])
        if not any(span[0] < stop and begin < span[1] for begin, stop in covered):
            covered.append(span)
            found.append({"type": kind, **place})
    return found


def _all(text: str) -> Iterator[tuple[str, int, int]]:
    # Without a dot there is no host, and looking for one takes time by the square of a long word's length.
    for match in _URL.finditer(text) if "." in text else ():
        yield from _address(text, match)
    for kind, pattern in _SIMPLE.items():
        for match in pattern.finditer(text):
            yield kind, match.start(), match.end()


def _address(text: str, match: "re.Match[str]") -> Iterator[tuple[str, int, int]]:
    scheme, user, host = match["scheme"], match["user"], match["host"]
    known = host.rpartition(".")[2].lower() in _TOP
    if user and not scheme:
        if known and not match["rest"]:
            yield "email", match.start(), match.end("host")
        return
    if scheme or (known and text[match.start() - 1 : match.start()] not in ("@", ".", "/", "-")):
        rest = (match["rest"] or "").rstrip(".,:;!?'\")]}")
        yield "url", match.start(), (match.start("rest") + len(rest)) if rest else _host_end(match)


def _host_end(match: "re.Match[str]") -> int:
    return match.end("port") if match["port"] else match.end("host")
