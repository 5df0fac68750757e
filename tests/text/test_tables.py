"""What is wrong with a table from outside: a code and its facts, whatever is spoken."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct, ValidationError, convert

from kakaocron.errors import Cause
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import speak, speaking
from kakaocron.text.causes import in_words
from kakaocron.text.tables import FaultError, fault_of

KOREAN = catalogue_of("ko")


class Table(Struct, forbid_unknown_fields=True, kw_only=True):
    needed: int
    whole: Annotated[int, Meta(ge=1, le=9)] = 1
    part: Annotated[float, Meta(gt=0)] = 1
    name: Annotated[str, Meta(min_length=2, max_length=3)] = "ab"
    known: bool = True
    names: Annotated[tuple[str, ...], Meta(min_length=1, max_length=2)] = ("a",)
    more: dict[str, int] = {}
    kind: Literal["a", "b"] = "a"

    def __post_init__(self) -> None:
        if self.whole == 7:
            raise FaultError(("whole",), Cause("at-most", {"bound": 6}))
        if self.whole == 8:
            raise FaultError(("whole",), "50% of {x} are in words")


FAULTS: list[tuple[dict[str, Any], str, Cause, str, str]] = [
    ({}, "needed", Cause("missing"), "is missing", "없어요"),
    ({"a b": 1}, "a b", Cause("unknown-key"), "unknown key", "모르는 항목이에요"),
    (
        {"kind": "가{x}"},
        "kind",
        Cause("bad-choice", {"value": "'가{x}'"}),
        "invalid enum value '가{x}'",
        "'가{x}': 여기에 쓸 수 없는 값이에요",
    ),
    (
        {"whole": 0},
        "whole",
        Cause("at-least", {"bound": "1"}),
        "must be at least 1",
        "1 이상이어야 해요",
    ),
    (
        {"whole": 10},
        "whole",
        Cause("at-most", {"bound": "9"}),
        "must be at most 9",
        "9 이하여야 해요",
    ),
    (
        {"part": 0.0},
        "part",
        Cause("more-than", {"bound": "0.0"}),
        "must be greater than 0.0",
        "0.0보다 커야 해요",
    ),
    (
        {"name": "a"},
        "name",
        Cause("short-value", {"count": 2}),
        "must have at least 2 characters",
        "2자 이상이어야 해요",
    ),
    (
        {"name": "abcd"},
        "name",
        Cause("long-value", {"count": 3}),
        "must have at most 3 characters",
        "3자 이하여야 해요",
    ),
    (
        {"names": []},
        "names",
        Cause("few-elements", {"count": 1}),
        "must have at least 1 elements",
        "1개 이상 있어야 해요",
    ),
    (
        {"names": ["a"] * 3},
        "names",
        Cause("many-elements", {"count": 2}),
        "must have at most 2 elements",
        "2개까지만 쓸 수 있어요",
    ),
    ({"whole": "1"}, "whole", Cause("not-integer"), "must be an integer", "정수여야 해요"),
    ({"part": "1"}, "part", Cause("not-number"), "must be a number", "숫자여야 해요"),
    ({"name": 1}, "name", Cause("not-string"), "must be a string", "글이어야 해요"),
    (
        {"known": 1},
        "known",
        Cause("not-boolean"),
        "must be a boolean: true or false",
        "true나 false여야 해요",
    ),
    (
        {"names": 1},
        "names",
        Cause("not-list"),
        'must be a list, as in [1, 2] or ["a", "b"]',
        '[1, 2]나 ["a", "b"] 같은 목록이어야 해요',
    ),
    ({"more": 1}, "more", Cause("not-table"), "must be a table", "표여야 해요"),
    ({"whole": 7}, "whole", Cause("at-most", {"bound": 6}), "must be at most 6", "6 이하여야 해요"),
    (
        {"whole": 8},
        "whole",
        Cause("said", {"words": "50% of {x} are in words"}),
        "50% of {x} are in words",
        "50% of {x} are in words",
    ),
]


@pytest.mark.parametrize(("change", "key", "cause", "said", "korean"), FAULTS)
@pytest.mark.parametrize("spoken", ["en", "ko"])
def test_a_fault_is_a_code_in_every_language_and_is_said_in_the_one_that_is_spoken(
    change: dict[str, Any], key: str, cause: Cause, said: str, korean: str, spoken: str
) -> None:
    speak(KOREAN if spoken == "ko" else None)
    with pytest.raises(ValidationError) as found:
        convert({"needed": 1, **change} if change else {}, Table)

    assert fault_of(found.value) == ((key,), cause)
    with speaking(None):
        assert in_words(cause) == said
    with speaking(KOREAN):
        assert in_words(cause) == korean


def test_what_msgspec_says_else_is_shown_by_its_own_words() -> None:
    with pytest.raises(ValidationError) as found:
        convert(None, int | str)

    keys, cause = fault_of(found.value)
    assert (keys, cause.code) == ((), "said")
    assert in_words(cause).startswith("expected `int | str`")
