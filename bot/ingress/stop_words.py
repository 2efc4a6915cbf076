"""The words with which people stop somebody who talks: said alone to the assistant, they stop it. Pure."""

import re
import unicodedata

#: Each is a word for "stop" in a language many people write; a message that says more asks for something.
_WORDS = (
    *("stop", "stopp", "halt", "cancel"),  # English, German, Dutch, Polish, Swedish
    *("arrête", "arrêtez", "arrete", "annule"),  # French
    *("para", "detente", "detén", "alto", "cancela"),  # Spanish
    *("pare", "pára", "parar", "cancelar"),  # Portuguese
    *("ferma", "fermati", "basta", "annulla"),  # Italian
    *("стоп", "стой", "хватит", "отмена", "стій"),  # Russian, Ukrainian
    *("dur", "durdur", "iptal"),  # Turkish
    *("berhenti", "hentikan", "batal"),  # Indonesian
    *("توقف", "قف", "إلغاء"),  # Arabic
    *("रुको", "रुकिए"),  # Hindi
    *("停", "停止", "取消", "停下"),  # Chinese
    *("ストップ", "止めて", "やめて", "キャンセル"),  # Japanese
    *("중지", "그만", "멈춰", "취소"),  # Korean
)
#: Space, quotes, markup and punctuation, full-width, Arabic and Indic ones included.
_AROUND = " \t\r\n\"'*_`.,!?\u2026\u3002\uff01\uff1f\u3001\uff0c\u060c\u061f\u0964"
#: No word is longer; anything longer costs one comparison.
_LONGEST = 16
_SPACES = re.compile(r"\s+")


def _spelled(text: str) -> str:
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text.strip(_AROUND))).casefold()


_STOPS = frozenset(_spelled(word) for word in _WORDS)


def is_stop(text: str) -> bool:
    """Tell whether a text is nothing but a word for "stop"."""
    return len(text) <= _LONGEST and _spelled(text) in _STOPS
