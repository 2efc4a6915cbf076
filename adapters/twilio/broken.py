"""Addresses that no phone makes a link of: `https[://]evil[.]example/x`. Pure.

WhatsApp and SMS have no way to say that a text is not a link; every phone decides for itself. Invisible characters work
on some phones only, cost an SMS its cheap alphabet, and spoil what is copied without a word. Brackets around the signs
that make a link work everywhere, are read by everybody, and say that this was done on purpose.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from adapters.addresses import AddressKind, addresses
from adapters.runs import Run, RunKind, dead_spans


def broken(runs: Sequence[Run]) -> list[Run]:
    """Break the addresses of a line's runs, but for live links; in code only those that are written out as links.

    Code is full of dotted names (`np.array`), which no one could use any more.
    """
    starts = [0, *accumulate(len(run.text) for run in runs)]
    text = "".join(run.text for run in runs)
    kept = [
        (start, start + len(run.text))
        for start, run in zip(starts, runs, strict=False)
        if run.kind is not RunKind.TEXT
    ]
    signs = list(text)
    for start, end in dead_spans(text, kept):
        _break(signs, text, start, end)
    made = []
    for start, run in zip(starts, runs, strict=False):
        if run.kind is RunKind.CODE:
            made.append(replace(run, text=broken_code(run.text)))
        else:
            made.append(replace(run, text="".join(signs[start : start + len(run.text)])))
    return made


def broken_code(text: str) -> str:
    """Break the addresses in code that are written out with a scheme."""
    signs = list(text)
    for found in addresses(text):
        if found.kind is AddressKind.WEB and "://" in text[found.start : found.end]:
            _break(signs, text, found.start, found.end)
    return "".join(signs)


def _break(signs: list[str], text: str, start: int, end: int) -> None:
    """Put brackets around the signs by which an address between two places is known."""
    for at in range(start, end):
        match text[at]:
            case ".":
                signs[at] = "[.]"
            case ":" if text[at : at + 3] == "://":
                signs[at : at + 3] = ["[://]", "", ""]
            case ":" if text[start:at].isalpha():
                signs[at] = "[:]"
