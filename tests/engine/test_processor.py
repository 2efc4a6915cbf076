"""What is read of the processor here."""

import pytest

from engine.processor import computes_bfloat16, parse_cpu_flags


def test_flags_are_read_from_the_first_processor() -> None:
    text = "processor\t: 0\nflags\t\t: fpu avx2 sse\n\nprocessor\t: 1\nflags\t\t: fpu\n"
    assert parse_cpu_flags(text) == {"fpu", "avx2", "sse"}


def test_a_system_that_tells_nothing_has_no_flags() -> None:
    assert parse_cpu_flags("") == frozenset()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [({"avx2", "avx512f"}, False), ({"avx512_bf16"}, True), ({"avx2", "amx_bf16"}, True)],
)
def test_bfloat16_needs_a_feature_of_its_own(flags: set[str], expected: bool) -> None:
    assert computes_bfloat16(flags) is expected
