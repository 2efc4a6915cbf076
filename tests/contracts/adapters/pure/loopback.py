"""The platform in memory: nothing comes in, Markdown goes out."""

from adapters.markdown_source import to_markdown
from adapters.split import split_markdown
from tests.contracts.adapters.pure.cases import Parser, Writer

PARSERS: tuple[Parser, ...] = ()
WRITERS = (
    Writer(
        name="markdown",
        write=lambda content, known: to_markdown(content),
        cut=lambda markdown, limit: split_markdown(markdown, to_markdown, len, limit),
        measure=len,
    ),
)
