"""Names: readable, short, and never the assistant's."""

import pytest

from adapters.names import MAX_NAME, NameRefused, identity, normalise, person_name


@pytest.mark.parametrize(
    "name", ["Anna", "Žofia", "李雷", "anna-lena", "O'Neil", "R2.D2", "Ana Maria", "x" * MAX_NAME]
)
def test_ordinary_names_are_taken(name):
    assert person_name(name, ("assistant",)) == name


@pytest.mark.parametrize(
    "name",
    [
        "assistant",
        "ASSISTANT",
        " Assistant ",
        "a s s i s t a n t",
        "as-sis.tant",
        "ássistant",
        "\u0430ssistant",
        "assi\u0455tant",
        "ass1stant",
        "\uff41ssistant",
        "ass\u0131stant",
    ],
    ids=ascii,
)
def test_names_that_look_like_the_assistants_are_refused(name):
    with pytest.raises(NameRefused, match="looks like the assistant's name"):
        person_name(name, ("Ada", "assistant"))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "a\nb",
        "a\x1b[1m",
        "a\u200bb",
        "a\u202eb",
        "\u3164",
        "a:b",
        "@anna",
        "...",
        "a  b",
        "x" * (MAX_NAME + 1),
    ],
    ids=ascii,
)
def test_names_nobody_could_read_are_refused(name):
    with pytest.raises(NameRefused):
        normalise(name)


def test_case_does_not_make_another_person():
    assert identity("Anna") == identity("ANNA") != identity("Ana")
