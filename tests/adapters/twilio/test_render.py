"""WhatsApp and SMS: what a message reads like; no mark and no link by accident; nothing lost, every part within."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.addresses import AddressKind, addresses
from adapters.content import Bold, Content, Paragraph, Text, plain
from adapters.doubt import limit_beside_label
from adapters.markdown import parse
from adapters.markdown_growing import GrowingMarkdown
from adapters.twilio.render import (
    BODY_LIMIT,
    body_length,
    longest_sms,
    longest_whatsapp,
    render_sms,
    render_whatsapp,
    split,
)

JOINER = "\N{WORD JOINER}"


@pytest.mark.parametrize(
    ("markdown", "whatsapp", "sms"),
    [
        pytest.param("hello", "hello", "hello", id="plain"),
        pytest.param("**b** *i* ~~s~~ `c`", "*b* _i_ ~s~ `c`", "b i s c", id="marks"),
        pytest.param("***both***", "*_both_*", "both", id="both marks"),
        pytest.param("**a *b* c**", "*a _b_ c*", "a b c", id="nested"),
        pytest.param("**a **x", "**a **x", "**a **x", id="not a mark in Markdown, nor here"),
        pytest.param("a**b**c", "abc", "abc", id="a mark within a word is left out"),
        pytest.param("(**b**), **c**!", "(*b*), *c*!", "(b), c!", id="beside punctuation"),
        pytest.param("**a\nb**", "*a*\n*b*", "a\nb", id="a mark ends with its line"),
        pytest.param("# T", "*T*", "T", id="heading"),
        pytest.param("2*3*4 = 24", "2*3*4 = 24", "2*3*4 = 24", id="arithmetic"),
        pytest.param("snake_case_name", "snake_case_name", "snake_case_name", id="within a word"),
        pytest.param(r"\*note\*", "\u2217note\u2217", "*note*", id="stars that are stars"),
        pytest.param(r"\_x\_ and \~y\~", "\u02cdx\u02cd and \u223cy\u223c", "_x_ and ~y~", id="other signs"),
        pytest.param("**a * b**", "*a \u2217 b*", "a * b", id="a star within bold"),
        pytest.param(r"\> x", f"{JOINER}> x", "> x", id="no quote"),
        pytest.param(r"\- x", f"{JOINER}- x", "- x", id="no item"),
        pytest.param(r"1986\. A year", f"{JOINER}1986. A year", "1986. A year", id="no number"),
        pytest.param("-5 and 3.5", "-5 and 3.5", "-5 and 3.5", id="numbers"),
        pytest.param("- a\n- b", "- a\n- b", "- a\n- b", id="list"),
        pytest.param("3. a\n4. b", "3. a\n4. b", "3. a\n4. b", id="numbered"),
        pytest.param("- a\n  - b\n    c", "- a\n  ◦ b\n    c", "- a\n  - b\n    c", id="nested list"),
        pytest.param("> a\n> b", "> a\n> b", "> a\n> b", id="quote"),
        pytest.param("```py\nx = 1\n\n y\n```", "```x = 1\n\n y```", "x = 1\n\n y", id="code"),
        pytest.param("> ```\n> a\n> b\n> ```", "> ```a```\n> ```b```", "> a\n> b", id="code in a quote"),
        pytest.param(
            "- a\n  ```\n  x\n    y\n  ```", "- a\n```x\n  y```", "- a\nx\n  y", id="code in a list"
        ),
        pytest.param("a\n\n---\n\nb", "a\n\n———\n\nb", "a\n\n---\n\nb", id="rule"),
        pytest.param(
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "```a   | b\n----+----\n1   | 2```",
            "- a: 1\n  b: 2",
            id="table",
        ),
        pytest.param(
            "[g](https://a.example/x)", "g (https://a.example/x)", "g (https://a.example/x)", id="link"
        ),
        pytest.param(
            "**[g](https://a.example)**",
            "*g* (https://a.example)",
            "g (https://a.example)",
            id="link in bold",
        ),
        pytest.param("<mailto:a@b.example>", "a@b.example", "a@b.example", id="mail"),
        pytest.param(
            "see https://evil.example/x.html",
            "see https[://]evil[.]example/x[.]html",
            "see https[://]evil[.]example/x[.]html",
            id="an address",
        ),
        pytest.param("**ev**il.example", "evil[.]example", "evil[.]example", id="an address in pieces"),
        pytest.param("write a@b.example", "write a@b[.]example", "write a@b[.]example", id="a mail address"),
        pytest.param(
            "`curl https://e.example` `np.array`",
            "`curl https[://]e[.]example` `np.array`",
            "curl https[://]e[.]example np.array",
            id="code",
        ),
        pytest.param("hi @ann", "hi @ann", "hi @ann", id="a name is no mention here"),
        pytest.param(
            "it\u2019s “fine” \u2013 really…",
            "it\u2019s “fine” \u2013 really…",
            'it\'s "fine" - really...',
            id="smart signs",
        ),
        pytest.param(
            "it\u2019s 你好…", "it\u2019s 你好…", "it\u2019s 你好…", id="smart signs that save nothing stay"
        ),
    ],
)
def test_what_it_looks_like(markdown, whatsapp, sms):
    content = parse(markdown)
    assert (render_whatsapp(content), render_sms(content)) == (whatsapp, sms)


_CODE = r"```.*?```|`[^`]*`"


def marks_read(text):
    """What WhatsApp would mark on a line, read as generously as it can be: a sign at a word's edge, and its partner."""
    found = []
    for line in text.split("\n"):
        bare = re.sub(_CODE, lambda code: " " * len(code[0]), line)
        for sign in "*_~`":
            begins = [at for at, one in enumerate(bare) if one == sign and _begins(bare, at)]
            ends = [at for at, one in enumerate(bare) if one == sign and _ends(bare, at)]
            found += [(sign, at, end) for at in begins for end in ends if end > at + 1]
        if re.match(r"\s*(>|[-*] |\d+[.)] )", re.sub(_CODE, lambda code: "." * len(code[0]), line)):
            found.append((line, 0, 0))
    return found


def _begins(line, at):
    return (at == 0 or not line[at - 1].isalnum()) and at + 1 < len(line) and not line[at + 1].isspace()


def _ends(line, at):
    return at > 0 and not line[at - 1].isspace() and (at + 1 == len(line) or not line[at + 1].isalnum())


LITERAL = st.text(alphabet=st.sampled_from("ab1 *_~`>-.)é\n,"), max_size=60)


@settings(max_examples=400, deadline=None)
@given(LITERAL)
def test_literal_signs_never_make_a_mark(text):
    assert marks_read(render_whatsapp(plain(text))) == []


@settings(max_examples=300, deadline=None)
@given(LITERAL, st.sampled_from(["bold", "bold words", "x*y", "(a)"]), LITERAL)
def test_beside_bold_text_literal_signs_make_no_other_mark(before, bold, behind):
    written = render_whatsapp(Content((Paragraph((Text(before), Bold((Text(bold),)), Text(behind))),)))
    read = marks_read(written)
    assert [sign for sign, _, _ in read] in ([], ["*"])


MARKDOWN = st.text(alphabet=st.sampled_from("ab.c@/:#*_~`[]()|-> \n1👍é"), max_size=150)


@settings(max_examples=300, deadline=None)
@given(MARKDOWN)
def test_nothing_is_live_by_accident(markdown):
    for render in (longest_whatsapp, longest_sms):
        written = render(parse(markdown))
        bare = re.sub(r"```.*?```|`[^`]*`", " ", written, flags=re.DOTALL)
        kinds = {found.kind for found in addresses(bare)}
        # In code dotted names stay, and an SMS does not show what is code.
        assert kinds <= {AddressKind.MENTION} or ("`" in markdown and render is longest_sms)


@settings(max_examples=150, deadline=None)
@given(MARKDOWN)
def test_a_growing_reply_can_be_written_at_every_length(markdown):
    growing = GrowingMarkdown()
    for end in range(0, len(markdown) + 1, 7):
        content = growing.read(markdown[:end])
        assert render_whatsapp(content).count("```") % 2 == 0
        render_sms(content)


def test_a_fence_that_is_cut_is_opened_again():
    source = "```\n" + "\n".join(f"line {number}" for number in range(300)) + "\n```"
    written = [render_whatsapp(parse(part)) for part in split(source, longest_whatsapp)]
    assert len(written) > 1
    assert all(part.startswith("```") and part.endswith("```") for part in written)
    assert "\n".join(part[3:-3] for part in written).count("line") == 300


def test_there_is_room_for_the_label_of_a_possible_duplicate():
    room = limit_beside_label(longest_whatsapp, body_length, BODY_LIMIT)
    assert room == BODY_LIMIT - len("_(may be a duplicate)_\n\n")
