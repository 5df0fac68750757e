"""The checker of forms finds what is not of a form."""

from __future__ import annotations

from typing import Any

import pytest

from tests.forms import INSTANT, AnyCount, Each, Form, Maybe, faults

FORM = {"v": 1, "at": INSTANT, "share": Maybe(float), "of": Each(int), "all": [str], "more?": bool}
DOCUMENT = {
    "v": 1,
    "at": "2026-11-23T09:30:00.041+09:00",
    "share": 1,
    "of": {"me": 1},
    "all": ["a"],
}


def test_a_document_of_its_form_has_no_fault() -> None:
    assert list(faults(DOCUMENT, FORM)) == []
    assert list(faults({**DOCUMENT, "share": None, "more": True}, FORM)) == []
    assert list(faults([], AnyCount(str))) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"v": 2}, ".v: 2"),
        ({"v": True}, ".v: True"),
        ({"at": "2026-11-23T09:30:00+00:00"}, ".at: '2026-11-23T09:30:00+00:00'"),
        ({"at": None}, ".at: None"),
        ({"share": "1"}, ".share: '1'"),
        ({"share": False}, ".share: False"),
        ({"of": {"me": 1.5}}, ".of.me: 1.5"),
        ({"of": ["me"]}, ".of: ['me']"),
        ({"all": []}, ".all: empty, so nothing is known of its elements"),
        ({"all": ["a", 1]}, ".all[1]: 1"),
        ({"all": {}}, ".all: {}"),
        ({"more": 0}, ".more: 0"),
        ({"other": 1}, ".other: not in the form"),
    ],
)
def test_one_wrong_value_is_one_fault(change: dict[str, Any], fault: str) -> None:
    assert list(faults({**DOCUMENT, **change}, FORM)) == [fault]


def test_a_missing_key_is_a_fault() -> None:
    assert list(faults({}, {"v": 1, "more?": bool})) == [".v: not there"]


@pytest.mark.parametrize("form", [str, INSTANT, {"a"}, [str], {"a": str}, Each(str), AnyCount(str)])
def test_null_is_of_no_form_that_does_not_say_so(form: Form) -> None:
    assert list(faults(None, form)) == [": None"]
    assert list(faults(None, Maybe(form))) == []
