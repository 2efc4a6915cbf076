"""Telling a wish to have something remembered from everything else that people write. Pure.

`/remember ...` always is one. In plain words only a sentence is that can be nothing else: "remember that" with a whole
sentence behind it, or "remember:". Whatever may be a question, asks for something more, or speaks of "that evening",
is left to be answered: a question taken for a wish stays unanswered, a wish taken for a question can be said again.
"""

import re

#: The longest thing that is remembered, in characters.
MOST_CHARS = 500

_COMMAND = re.compile(r"/remember(?:@[^\s@]+)?[.!?]?(?:\s+|$)", re.IGNORECASE)
_PLEASE = (
    "(?:(?:please|bitte|por favor|s['\u2019]il te pla[iî]t|s['\u2019]il vous pla[iî]t|per favore|alsjeblieft"
    "|пожалуйста|请|請)\\s*[,\uff0c]?\\s*)?"
)
_COLON = r"\s*[:\uff1a]\s*"
#: "Remember:" in languages many people write; each is an order, and none a question.
_COLON_WORDS = (
    *("remember", "merke? dir", "merkt euch", "merken sie sich"),
    *("recuerda", "recuerde", "souviens-toi", "souvenez-vous", "retiens", "retenez"),
    *("ricorda", "ricordati", "lembre-se", "lembra-te", "onthoud", "zapamiętaj", "zapamiętajcie"),
    *("запомни", "запомните", "запам['\u2019]ятай", "запам['\u2019]ятайте", "याद रखो", "याद रखना"),
    *("记住", "記住", "覚えて", "覚えておいて", "기억해", "기억해 줘", "기억해줘", "ingat", "hat\u0131rla"),
)
#: "Remember that" where the language has a word for this "that" alone. Left out for what they also mean: "lembra que"
#: asks whether one remembers, "onthoud dat" may be "keep that one", "تذكر أن" tells of somebody who did.
_THAT_WORDS = (
    r"(?:merke?\s+dir|merkt\s+euch|merken\s+sie\s+sich)\s*,?\s*(?:bitte\s*,?\s*)?da(?:ss|\u00df)\s+",
    r"(?:recuerda|recuerde|acu[eé]rdate\s+de|acu[eé]rdese\s+de)\s+que\s+",
    r"(?:(?:souviens|rappelle)[- ]toi|(?:souvenez|rappelez)[- ]vous|retiens|retenez)\s+qu(?:e\s+|['\u2019]\s*)",
    r"(?:ricorda|ricordati)\s+che\s+",
    r"(?:lembre-se|lembra-te)\s+(?:de\s+)?que\s+",
    r"zapamiętaj(?:cie)?\s*,?\s*że\s+",
    r"(?:запомни(?:те)?\s*,?\s*что|запам['\u2019]ятай(?:те)?\s*,?\s*що)\s+",
    r"याद\s+(?:रखो|रखना|रखिए|रखिएगा)\s+कि\s+",
)
_OTHERS = re.compile(
    f"{_PLEASE}(?:(?:{'|'.join(_COLON_WORDS)}){_COLON}|{'|'.join(_THAT_WORDS)})(?P<said>.+)", re.IGNORECASE
)
_ENGLISH = re.compile(rf"{_PLEASE}remember\s+that\s+(?P<said>.+)", re.IGNORECASE)

#: Who asks anything, in one of these languages, is answered.
_ASKS = re.compile("[?\uff1f\u061f\u037e\u00bf\n\r\u2028\u2029]")
#: The end of one sentence and the beginning of another; a dot behind a few letters is an abbreviation's.
_TWO_SENTENCES = re.compile(
    "(?:\\w{4,}[)\"'\u201d]?\\.|\\d\\.|!)\\s+\\S|(?:[\u3002\uff01\u0964\u2026;]|\\.\\.)\\s*\\w"
)
_AND_NOW = re.compile(
    r"(?:[,:\u2014\u2013-]\s+(?:(?:so|and|but|then|now)\s+)*|\band\s+(?:then\s+|now\s+)?|\bthen\s+)"
    r"(?:what|how|why|when|where|who|which|please|(?:can|could|would|will|do|did|are|have)\s+you"
    r"|(?:is|are)\s+(?:it|that|there|they)|tell|give|write|make|translate|suggest|recommend|explain|help|show|list"
    r"|find|draft|summari[sz]e|plan|create|answer)\b",
    re.IGNORECASE,
)
_QUOTES = "\"'\u2018\u2019\u201c\u201d\u00ab\u00bb"


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


#: With these a sentence begins, and no film, evening or person that somebody may mean by "that".
_BEGINNINGS = _words(
    "i we you he she it they there my our your his her its their the a an this these those every everyone "
    "everybody everything all both each no nobody nothing neither today tomorrow tonight"
)
#: "I'm", "we'll", "everyone's", "Bob's".
_SHORT_FORM = re.compile(r"(?:i|we|you|he|she|it|they|there|every\w+|nobody)'\w+")
_SOMEBODYS = re.compile(r"[^\W\d_].*['\u2019]\w+")
_VERBS = _words(
    "is are was were am isn't aren't wasn't weren't has have had hasn't haven't hadn't will won't would "
    "wouldn't can can't cannot could couldn't should shouldn't must mustn't may might does doesn't do "
    "don't did didn't needs need wants want likes like loves love hates hate prefers prefer lives live "
    "works work goes go comes come starts start begins begin ends end closes close opens open means costs "
    "owes eats eat drinks drink plays speaks takes uses knows moves moved left became turns gets makes "
    "stays arrives leaves expires belongs"
)
#: Behind "that film" and before its verb stands one of these, or nothing does.
_BLOCKERS = _words(
    "i we you he she it they who whom whose which when where from with in at by of about my our your his "
    "her their the a an i'd i'm i've we'd we've you'd you've"
)
#: Words of a sentence among which its verb is looked for.
_LOOK_WORDS = 5


def wish_of(text: str) -> str | None:
    """Return what a text wants remembered, empty where it does not say; None where it wants nothing remembered."""
    if found := _COMMAND.match(text.strip()):
        return text.strip()[found.end() :].strip()
    return _plainly(text)


def asks_plainly(text: str) -> bool:
    """Tell whether a text asks in plain words to have something remembered, and for nothing else."""
    return _plainly(text) is not None


def _plainly(text: str) -> str | None:
    whole = text.strip()
    # What is longer is a task with a text in it.
    if len(whole) > MOST_CHARS:
        return None
    english = _ENGLISH.fullmatch(whole)
    found = english or _OTHERS.fullmatch(whole)
    said = found["said"].strip() if found else ""
    if not re.search(r"\w", said) or (english and not _is_sentence(said)):
        return None
    asks_more = _ASKS.search(whole) or _TWO_SENTENCES.search(said) or _AND_NOW.search(said)
    return None if asks_more else said


def _is_sentence(said: str) -> bool:
    """Tell a sentence from a thing that somebody points at: "the film was good" from "film we saw"."""
    words = [word.strip(_QUOTES + ".,!()") for word in said.split()[:_LOOK_WORDS]]
    lower = [word.casefold().replace("\u2019", "'") for word in words]
    if len(words) < 2:  # noqa: PLR2004 - a sentence has a subject and a verb
        return False
    if lower[0] in _BEGINNINGS or _SHORT_FORM.fullmatch(lower[0]):
        return True
    if words[0][:1].isupper() and _SOMEBODYS.fullmatch(words[0]):
        return True
    for word in lower[1:]:
        if word in _BLOCKERS:
            return False
        if word in _VERBS:
            return True
    return words[0][:1].isupper() and _is_sentence_of_name(words)


def _is_sentence_of_name(words: list[str]) -> bool:
    """Tell "Eve hates nuts" from "Thai place nearby": a name, and a word with a verb's ending."""
    second = words[1]
    return second.islower() and second.endswith(("s", "ed")) and not second.endswith(("ss", "us"))
