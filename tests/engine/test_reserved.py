"""What extra arguments may not say, in every spelling that vLLM's parser takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.reserved import why_reserved


@pytest.mark.parametrize(
    "arguments",
    [
        ("--host", "0.0.0.0"),  # noqa: S104 - what must be refused
        ("--host=0.0.0.0",),
        ("--ho", "0.0.0.0"),  # noqa: S104 - likewise
        ("--root_path", "/"),
        ("--enforce-eager", "--port", "80"),
        ("--no-enable-prefix-caching",),
        ("--no_enable_prefix_caching",),
        ("--no-enable-prefix",),
        ("--no-enable-prefix-caching=1",),
        ("--config", "/tmp/other.yaml"),  # noqa: S108 - only a word here
        ("--api-key", "k"),
        ("--enable-log-requests",),
        ("--grpc",),
    ],
    ids=" ".join,
)
def test_what_the_assistant_stands_on_cannot_be_given_up(arguments: tuple[str, ...]) -> None:
    wrong = next(word for word in arguments if word != "--enforce-eager")
    assert why_reserved(arguments) == f"must not hold {wrong.partition('=')[0]}"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--quantization", "fp8"),
        ("--enable-expert-parallel",),
        ("--data-parallel-size", "8"),
        ("--seed", "-1"),
        ("--model-impl", "vllm"),
        ("--limit-mm-per-prompt", '{"image": 4}'),
    ],
    ids=" ".join,
)
def test_anything_else_may_be_said(arguments: tuple[str, ...]) -> None:
    assert why_reserved(arguments) == ""


def test_short_names_are_refused_because_they_can_mean_anything() -> None:
    assert why_reserved(("-tp", "4")) == "must hold long names only, not -tp"


def test_a_model_cannot_be_slipped_in_without_a_name() -> None:
    assert why_reserved(("another/model",)) == "must begin with an argument's name, not 'another/model'"


@given(st.integers(min_value=3), st.sets(st.integers(min_value=2)), st.sampled_from(["", "=1", ".key", "+"]))
def test_no_beginning_no_underscore_and_no_ending_gets_past(
    length: int, underscores: set[int], ending: str
) -> None:
    name = "--no-enable-prefix-caching"
    said = name[: 3 + length % (len(name) - 2)]
    spelt = "".join("_" if i in underscores and c == "-" else c for i, c in enumerate(said))
    assert why_reserved((spelt + ending,)).startswith("must not hold ")
