"""Documents say their version, and those of a later one are refused in a sentence."""

from __future__ import annotations

import json

import pytest

from kakaocron.text.documents import VERSION, NewerDocumentError, versioned, with_version


def test_what_is_written_is_read_back_without_its_version() -> None:
    assert versioned(json.dumps(with_version({"a": 1}))) == {"a": 1}
    assert next(iter(with_version({"a": 1}))) == "v"


def test_one_without_a_version_is_of_the_first() -> None:
    assert versioned(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("later", [VERSION + 1, 99])
def test_a_later_version_is_refused_without_a_word_of_what_it_holds(later: int) -> None:
    with pytest.raises(NewerDocumentError, match=f"format {later}; this one reads 1") as caught:
        versioned(json.dumps({"v": later, "token": "s3cret"}))

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    ["", "[1]", "5", "null", '{"v": 0}', '{"v": -1}', '{"v": "2"}', '{"v": true}', '{"v": null}',
     '{"v": 1.5}', "[" * 100_000, b"\xff\xfe", '{"v": 1'],
)  # fmt: skip
def test_what_is_no_document_is_no_later_one_either(content: str | bytes) -> None:
    with pytest.raises(
        ValueError, match=r"^(not JSON|not a JSON object|its version is no number)$"
    ):
        versioned(content)
