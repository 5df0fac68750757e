"""Kakao's default templates: what passes here passes at the sandbox, and faults are named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.errors import Cause, ContentError
from kakaocron.kakao.causes import in_words
from kakaocron.kakao.templates import checked
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import speak, speaking
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


EMOJI = "🙂"  # two UTF-16 units
STORED: list[tuple[dict[str, Any], dict[str, str | int], str, str]] = [
    (
        {"object_type": "audio"},
        {"key": "template", "fault": "object-type"},
        "object_type must be text, feed, list, location, commerce or calendar",
        "object_type은 text, feed, list, location, commerce, calendar 가운데 하나여야 해요",
    ),
    (
        {"colour": "red"},
        {"key": "template.colour", "fault": "no-field"},
        "is no field of this template",
        "이 템플릿에 없는 항목이에요",
    ),
    (
        {"text": ""},
        {"key": "template.text", "fault": "empty-value"},
        "must be a text of at least 1 character",
        "한 글자 이상의 글이어야 해요",
    ),
    (
        {"text": "가" * 201},
        {
            "key": "template.text",
            "fault": "long-words",
            "fault.seen": 201,
            "fault.units": 201,
            "fault.most": 200,
        },
        "has 201 characters, Kakao takes 200",
        "201자예요. 카카오는 200자까지 받아요",
    ),
    (
        {"text": EMOJI * 101},
        {
            "key": "template.text",
            "fault": "long-words",
            "fault.seen": 101,
            "fault.units": 202,
            "fault.most": 200,
        },
        "101 characters count 202 (an emoji two or more): has 202 characters, Kakao takes 200",
        "101글자가 202자로 세어져요(이모지는 둘 이상): 202자예요. 카카오는 200자까지 받아요",
    ),
    (
        {"link": {"web_url": "a.example"}},
        {"key": "template.link.web_url", "fault": "not-web"},
        "must be an address such as https://example.com",
        "https://example.com 같은 주소여야 해요",
    ),
    (
        {"object_type": "feed", "content": {**CONTENT, "image_width": "넓이"}},
        {"key": "template.content.image_width", "fault": "not-whole"},
        "must be a whole number",
        "정수여야 해요",
    ),
    (
        {"object_type": "feed", "content": {**CONTENT, "image_width": -1}},
        {"key": "template.content.image_width", "fault": "at-least", "fault.bound": 0},
        "must be at least 0",
        "0 이상이어야 해요",
    ),
    (
        {"buttons": [{"title": "가", "link": {}}]},
        {
            "key": "template.buttons[1].link",
            "fault": "no-address",
            "fault.names": "web_url, mobile_web_url, android_execution_params, "
            "ios_execution_params",
        },
        "needs one of web_url, mobile_web_url, android_execution_params, ios_execution_params",
        "web_url, mobile_web_url, android_execution_params, ios_execution_params 가운데 하나가 "
        "있어야 해요",
    ),
]


@pytest.mark.parametrize(("change", "facts", "said", "korean"), STORED)
@pytest.mark.parametrize("spoken", ["en", "ko"])
def test_a_fault_is_stored_as_a_code_and_said_in_the_language_that_is_spoken(
    change: dict[str, Any], facts: dict[str, str | int], said: str, korean: str, spoken: str
) -> None:
    speak(catalogue_of(spoken))  # type: ignore[arg-type]
    kind = change.get("object_type")
    with pytest.raises(ContentError) as found:
        checked({**TEMPLATES[kind if kind in TEMPLATES else "text"], **change})

    assert found.value.cause == Cause("template", facts)
    for language, words in ((None, said), (catalogue_of("ko"), korean)):
        with speaking(language):
            assert in_words(Cause("template", facts)) == f"{facts['key']}: {words}"


@pytest.mark.parametrize(
    "fault",
    [
        "must be at least 0",
        "정수여야 해요",
        "50% {x} {0.__class__} {",
        "101 characters count 202 (an emoji two or more): has 202 characters, Kakao takes 200",
        "of-later",
    ],
)
def test_a_fault_that_was_stored_in_words_is_said_by_them(fault: str) -> None:
    cause = Cause("template", {"key": "template.a", "fault": fault})
    for language in (None, catalogue_of("ko")):
        with speaking(language):
            assert in_words(cause) == f"template.a: {fault}"


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
