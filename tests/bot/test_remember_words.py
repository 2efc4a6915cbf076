"""What wants something remembered, and what only looks like it: a table of what people type, and any text."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.skills.remember_words import MOST_CHARS, asks_plainly, wish_of

WISHES = [
    ("/remember Eve is allergic to nuts", "Eve is allergic to nuts"),
    ("  /Remember   tea  ", "tea"),
    ("/remember@assistant tea", "tea"),
    ("/remember", ""),
    ("/remember!", ""),
    ("/remember two\nlines?", "two\nlines?"),
    ("/remember: is no question", None),
    ("/remembered", None),
    ("remember that Eve is allergic to nuts", "Eve is allergic to nuts"),
    ("Remember that Eve is allergic to nuts.", "Eve is allergic to nuts."),
    ("REMEMBER THAT EVE IS ALLERGIC", "EVE IS ALLERGIC"),
    ("please remember that I'm vegetarian", "I'm vegetarian"),
    ("Please, remember that I\u2019m vegetarian", "I\u2019m vegetarian"),
    ("remember that i live in Graz", "i live in Graz"),
    ("remember that my name is Ann", "my name is Ann"),
    ("remember that the meeting is at 5.30", "the meeting is at 5.30"),
    ("remember that lunch is at 12", "lunch is at 12"),
    ("remember that Anna Smith is my doctor", "Anna Smith is my doctor"),
    ("remember that Dr. Smith is my doctor", "Dr. Smith is my doctor"),
    ("remember that Eve hates nuts", "Eve hates nuts"),
    ("remember that Bob's birthday is in May", "Bob's birthday is in May"),
    ("remember that time is money", "time is money"),
    ("remember that Friday is a holiday!!", "Friday is a holiday!!"),
    ("remember that we meet at 12 St. James Road", "we meet at 12 St. James Road"),
    ("remember that everyone's coming", "everyone's coming"),
    ("remember: the door code is 1234", "the door code is 1234"),
    ("Remember : milk", "milk"),
    ("Merke dir, dass ich Vegetarier bin", "ich Vegetarier bin"),
    ("merk dir dass ich Vegetarier bin", "ich Vegetarier bin"),
    ("Merken Sie sich bitte, dass ich Nüsse nicht vertrage", "ich Nüsse nicht vertrage"),
    ("Merk dir: Milch kaufen", "Milch kaufen"),
    ("recuerda que soy alérgica", "soy alérgica"),
    ("Por favor, recuerda que soy alérgica", "soy alérgica"),
    ("souviens-toi que je suis végétarien", "je suis végétarien"),
    ("Souviens-toi qu'Eve est allergique", "Eve est allergique"),
    ("Retiens que le code est 1234", "le code est 1234"),
    ("ricorda che sono vegetariano", "sono vegetariano"),
    ("lembra-te de que sou vegetariano", "sou vegetariano"),
    ("запомни, что я не ем мясо", "я не ем мясо"),
    ("Zapamiętaj, że nie jem mięsa", "nie jem mięsa"),
    ("याद रखो कि मैं शाकाहारी हूँ", "मैं शाकाहारी हूँ"),
    ("请记住\uff1a我对坚果过敏", "我对坚果过敏"),
    ("覚えておいて\uff1aナッツアレルギーです", "ナッツアレルギーです"),
]

NEAR_MISSES = [
    "",
    "remember",
    "remember that",
    "remember that.",
    "remember that?",
    "remember:",
    "remember: ...",
    "remember me",
    "remember to buy milk",
    "remember this: milk",
    "remember when we met",
    "remember, that was fun",
    "do you remember that film?",
    "do you remember that film",
    "can you remember that I am vegetarian?",
    "I remember that Eve is allergic",
    "you should remember that Eve is allergic",
    "does anybody remember: was it Friday",
    "don't remember that I said this",
    "remember that film?",
    "remember that film",
    "remember that film we saw",
    "remember that film with the dog in it",
    "remember that time we went to Rome",
    "remember that time in Rome when it was raining",
    "remember that one",
    "remember that one time",
    "remember that guy I told you about",
    "remember that guy who is a doctor",
    "remember that guy's name",
    "remember that Italian place we went to",
    "remember that Thai place nearby",
    "remember that German guy I know",
    "remember that Friday when we met",
    "remember that Swiss boss of mine",
    "remember that song by Queen",
    "remember that was fun",
    "remember that is the rule",
    "remember that Eve is allergic?",
    "remember that Eve is allergic, what can she eat",
    "remember that Eve is allergic and suggest a dinner",
    "remember that Eve is allergic. Suggest a dinner",
    "remember that Eve is allergic! Now suggest a dinner",
    "remember that Eve is allergic\nsuggest a dinner",
    "remember that Eve is allergic; suggest a dinner",
    "remember that I asked you for a recipe, can you send it again",
    "remember that i told you my age, please tell me what it was",
    "remember that the text is for children: translate it",
    "remember: what is the capital of France?",
    "Remember: always floss. Write a poem about it",
    "remember that " + "the door is open and " * 30,
    "merk dir das Wort",
    "Merkst du dir, dass ich Vegetarier bin?",
    "denk daran, dass wir morgen gehen",
    "¿recuerdas que fuimos a Roma?",
    "recuerdas que fuimos a Roma",
    "recuerda a Eva",
    "tu te souviens que je suis végétarien",
    "ricordi che siamo andati a Roma",
    "lembra que a gente foi ao Rio",
    "onthoud dat woord",
    "помнишь, что я сказал",
    "记住密码是什么\uff1f",
    "translate: remember that Eve is allergic",
    "'remember that Eve is allergic' in German",
    "what does /remember do",
]


@pytest.mark.parametrize(("text", "wish"), WISHES, ids=[ascii(text) for text, _ in WISHES])
def test_a_wish_is_read(text: str, wish: str | None) -> None:
    assert wish_of(text) == wish


@pytest.mark.parametrize("text", NEAR_MISSES, ids=lambda text: ascii(text)[:60])
def test_what_only_looks_like_a_wish_is_none(text: str) -> None:
    assert wish_of(text) is None


@pytest.mark.parametrize("text", [text for text, wish in WISHES if wish and "/" not in text], ids=ascii)
def test_the_same_wish_as_a_question_is_none(text: str) -> None:
    assert not asks_plainly(text.rstrip(".!") + "?")


def test_a_command_is_no_plain_wish() -> None:
    assert not asks_plainly("/remember tea")


@given(
    st.from_regex(r"[a-z]{1,12}", fullmatch=True), st.sampled_from([text for text, wish in WISHES if wish])
)
def test_a_wish_with_a_word_before_it_is_none(word: str, text: str) -> None:
    """Somebody tells of a wish, or asks about one; "please" and its like only make it a kind one."""
    assume(word not in ("please", "bitte"))
    assert wish_of(f"{word} {text}") is None


@given(st.text(min_size=1, max_size=300))
def test_a_plain_wish_is_one_line_within_bounds_and_asks_nothing(tail: str) -> None:
    for start in ("remember that ", "remember that the ", "remember: ", "merke dir, dass ", "retiens que "):
        wish = wish_of(start + tail)
        if wish is not None:
            assert wish
            assert "?" not in wish
            assert "\n" not in wish
            assert len(wish) <= MOST_CHARS
            assert wish.rstrip() in start + tail


@given(st.text(alphabet="remb that:,.! /dsqu'-", max_size=400))
def test_reading_takes_no_long_time_for_any_text(text: str) -> None:
    """What would take minutes here is a pattern that tries everything: the suite's time limit ends it."""
    wish_of("remember that " + text * 20)
    wish_of(text * 20)
