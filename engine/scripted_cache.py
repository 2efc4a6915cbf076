"""The prefix cache of the engine in memory: how much of a prompt was seen before, counted in whole blocks."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator

#: Roughly what one token holds, and how many tokens make one block.
CHARS_PER_TOKEN = 4
BLOCK_TOKENS = 16


class PrefixCache:
    """Remember texts by salt and block, each block bound to all before it, the oldest forgotten first."""

    def __init__(self, *, max_blocks: int = 10_000) -> None:
        """Keep the bound, in blocks."""
        self._max_blocks = max_blocks
        self._blocks: OrderedDict[bytes, None] = OrderedDict()

    def cached_tokens(self, salt: str | None, text: str) -> int:
        """Return the tokens of the longest known prefix; the end of a prompt is always computed."""
        known = 0
        for block in _chain(salt, text[:-1]):
            if block not in self._blocks:
                break
            known += 1
        return known * BLOCK_TOKENS

    def remember(self, salt: str | None, text: str) -> None:
        """Keep the text's blocks."""
        for block in _chain(salt, text):
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._max_blocks:
            self._blocks.popitem(last=False)


def _chain(salt: str | None, text: str) -> Iterator[bytes]:
    size = BLOCK_TOKENS * CHARS_PER_TOKEN
    digest = hashlib.sha256((salt or "").encode())
    for start in range(0, len(text) - size + 1, size):
        digest.update(text[start : start + size].encode(errors="surrogatepass"))
        yield digest.digest()
