"""The content tree: frozen, and without any node that could act."""

import dataclasses
import typing

import pytest

from adapters import content
from adapters.content import Bold, Code, Content, Italic, Link, Paragraph, Strike, Text, inline_text, plain


def test_plain_means_nothing_but_itself():
    assert plain("**@all** ![x](y)\n\nz") == Content((Paragraph((Text("**@all** ![x](y)\n\nz"),)),))


def test_plain_of_nothing_is_an_empty_message():
    assert plain("") == Content(())


def test_there_is_no_node_that_could_ping_load_or_preview():
    """A mention, an image or a card cannot be expressed, so nothing a model writes can become one."""
    inlines = {kind.__name__ for kind in typing.get_args(content.Inline)}
    blocks = {kind.__name__ for kind in typing.get_args(content.Block)}
    assert inlines == {"Text", "Code", "Link", "Bold", "Italic", "Strike"}
    assert blocks == {"Paragraph", "Heading", "CodeBlock", "ListBlock", "Quote", "Table", "Rule"}


def test_nodes_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Text("a").text = "b"


def test_inline_text_leaves_the_marks_out():
    inlines = (Text("a "), Bold((Italic((Code("b"),)),)), Strike((Link("c", "https://example.org"),)))
    assert inline_text(inlines) == "a bc"
