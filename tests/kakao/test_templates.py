"""Kakao's default templates: what passes here passes at the sandbox, and faults are named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.errors import ContentError
from kakaocron.kakao.templates import checked
from kakaocron.rehearsal.sandbox.templates import check_template
from kakaocron.text.placeholders import fill_all

LINK = {"web_url": "https://example.com"}
CONTENT = {"title": "제목", "link": LINK}
BUTTON = {"title": "보기", "link": LINK}
TEMPLATES: dict[str, dict[str, Any]] = {
    "text": {"object_type": "text", "text": "안녕", "link": LINK, "buttons": [BUTTON, BUTTON]},
    "feed": {
        "object_type": "feed",
        "content": {**CONTENT, "image_url": "https://example.com/a.png", "image_width": 640},
        "item_content": {"items": [{"item": "가격", "item_op": "1,000"}], "sum": "합계"},
        "social": {"like_count": 3},
        "button_title": "보기",
    },
    "list": {
        "object_type": "list",
        "header_title": "오늘",
        "header_link": LINK,
        "contents": [CONTENT, CONTENT, CONTENT],
    },
    "location": {
        "object_type": "location",
        "address": "경기 성남시 분당구 판교역로 235",
        "address_title": "판교",
        "content": CONTENT,
    },
    "commerce": {
        "object_type": "commerce",
        "content": CONTENT,
        "commerce": {"regular_price": 12000, "discount_rate": 10, "currency_unit_position": 0},
    },
    "calendar": {
        "object_type": "calendar",
        "id": "event-1",
        "id_type": "event",
        "content": {**CONTENT, "description": "회의"},
    },
}
REQUIRED = [
    ("text", "text"),
    ("text", "link"),
    ("feed", "content"),
    ("list", "header_title"),
    ("list", "header_link"),
    ("list", "contents"),
    ("location", "address"),
    ("location", "content"),
    ("commerce", "content"),
    ("commerce", "commerce"),
    ("calendar", "id"),
    ("calendar", "id_type"),
    ("calendar", "content"),
]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_default_template_passes_here_and_at_the_sandbox(kind: str) -> None:
    check_template(json.loads(json.dumps(checked(TEMPLATES[kind]))))


@pytest.mark.parametrize(("kind", "field"), REQUIRED)
def test_a_missing_field_is_named(kind: str, field: str) -> None:
    template = {key: value for key, value in TEMPLATES[kind].items() if key != field}
    for is_draft in (True, False):
        with pytest.raises(ContentError, match=rf"^template\.{field}: is missing$"):
            checked(template, is_draft=is_draft)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"object_type": "audio"}, "object_type must be text, feed"),
        ({"text": "가" * 201}, r"template\.text: has 201 characters"),
        ({"text": ""}, r"template\.text"),
        ({"colour": "red"}, r"template\.colour: is no field"),
        ({"link": {}}, r"template\.link: needs one of web_url"),
        ({"link": {"web_url": "example.com"}}, r"template\.link\.web_url: must be an address"),
        ({"buttons": [BUTTON] * 3}, r"template\.buttons"),
        ({"buttons": [{"title": "보기"}]}, r"template\.buttons\[1\]\.link: is missing"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_wrong(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ContentError, match=fault):
        checked({**TEMPLATES["text"], **change})


@pytest.mark.parametrize("count", [1, 4])
def test_a_list_has_two_or_three_contents(count: int) -> None:
    with pytest.raises(ContentError, match=r"template\.contents"):
        checked({**TEMPLATES["list"], "contents": [CONTENT] * count})


def test_a_draft_takes_placeholders_on_trust_and_what_fills_them_is_checked() -> None:
    draft = {**TEMPLATES["commerce"], "commerce": {"regular_price": "{price}"}}
    checked(draft, is_draft=True)
    good = checked(fill_all(draft, {"price": 9900}))
    assert good["commerce"]["regular_price"] == 9900
    with pytest.raises(ContentError, match=r"template\.commerce\.regular_price"):
        checked(fill_all(draft, {"price": "비쌈"}))


JSONLIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from([key for template in TEMPLATES.values() for key in template])


@given(
    st.sampled_from(sorted(TEMPLATES)),
    st.dictionaries(NAMES, JSONLIKE, max_size=4),
    st.dictionaries(st.sampled_from(["a", "b", "{c}"]), JSONLIKE),
)
def test_whatever_stands_in_a_template_only_a_content_error_is_raised(
    kind: str, change: dict[str, Any], fields: dict[str, Any]
) -> None:
    template = {**TEMPLATES[kind], **change}
    for is_draft in (True, False):
        try:
            found = checked(fill_all(template, fields), is_draft=is_draft)
        except ContentError:
            continue
        if not is_draft:
            check_template(json.loads(json.dumps(found)))
