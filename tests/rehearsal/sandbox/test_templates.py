from typing import Any

import pytest

from kakaocron.rehearsal.sandbox.codes import RefusedError
from kakaocron.rehearsal.sandbox.templates import check_template, shown_text
from tests.rehearsal.sandbox.support import LINK, text_template

CONTENT = {"title": "제목", "link": LINK}
BUTTON = {"title": "보기", "link": LINK}
GOOD: dict[str, dict[str, Any]] = {
    "text": text_template(),
    "feed": {
        "object_type": "feed",
        "content": {**CONTENT, "image_url": "https://example.org/a.png", "image_width": 10},
        "item_content": {"items": [{"item": "a", "item_op": "b"}] * 5, "sum": "x", "sum_op": "y"},
        "social": {"like_count": 1, "view_count": 0},
        "buttons": [BUTTON, BUTTON],
    },
    "list": {
        "object_type": "list",
        "header_title": "목록",
        "header_link": LINK,
        "contents": [CONTENT, CONTENT],
    },
    "location": {"object_type": "location", "address": "판교역로 166", "content": CONTENT},
    "commerce": {
        "object_type": "commerce",
        "content": CONTENT,
        "commerce": {"regular_price": 100, "currency_unit_position": 0},
    },
    "calendar": {
        "object_type": "calendar",
        "id": "42",
        "id_type": "event",
        "content": CONTENT,
    },
}


@pytest.mark.parametrize("kind", GOOD)
def test_good_templates_are_taken(kind: str) -> None:
    check_template(GOOD[kind])
    assert shown_text(GOOD[kind])


@pytest.mark.parametrize("kind", GOOD)
def test_every_required_field_is_required(kind: str) -> None:
    required = GOOD[kind].keys() - {"item_content", "social", "buttons"}
    for name in required:
        template = {key: value for key, value in GOOD[kind].items() if key != name}
        with pytest.raises(RefusedError) as refusal:
            check_template(template)
        assert refusal.value.code == -2


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize(
    "change",
    [
        {"unknown": "field"},
        {"buttons": [BUTTON] * 3},
        {"buttons": BUTTON},
        {"buttons": [{"title": "보기"}]},
        {"buttons": [{"link": LINK}]},
        {"button_title": ""},
    ],
)
def test_wrong_extras_are_refused(kind: str, change: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        check_template({**GOOD[kind], **change})


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("text", {"object_type": "sticker"}),
        ("text", {"object_type": ["text"]}),
        ("text", {"text": ""}),
        ("text", {"text": 5}),
        ("text", {"link": {}}),
        ("text", {"link": "https://example.org"}),
        ("text", {"link": {"web_url": "example.org"}}),
        ("text", {"link": {"url": "https://example.org"}}),
        ("feed", {"content": {"title": "no link"}}),
        ("feed", {"content": {**CONTENT, "image_url": "/home/me/a.png"}}),
        ("feed", {"content": {**CONTENT, "image_width": -1}}),
        ("feed", {"social": {"like_count": "1"}}),
        ("feed", {"social": {"like_count": True}}),
        ("feed", {"item_content": {"items": [{"item": "a", "item_op": "b"}] * 6}}),
        ("list", {"contents": [CONTENT]}),
        ("list", {"contents": [CONTENT] * 4}),
        ("commerce", {"commerce": {"discount_price": 5}}),
        ("commerce", {"commerce": {"regular_price": 1.5}}),
        ("commerce", {"commerce": {"regular_price": 1, "currency_unit_position": 2}}),
        ("calendar", {"id_type": "meeting"}),
    ],
)
def test_wrong_values_are_refused(kind: str, change: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        check_template({**GOOD[kind], **change})


@pytest.mark.parametrize("text", ["가" * 199, "가" * 200, "🙂" * 100, "a" + "🙂" * 99])
def test_up_to_200_utf16_units_are_taken(text: str) -> None:
    check_template(text_template(text))


@pytest.mark.parametrize("text", ["가" * 201, "🙂" * 100 + "a", "🙂" * 101])
def test_over_200_utf16_units_are_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        check_template(text_template(text))
