import json
from typing import Any

import pytest

from tests.examples.conftest import Example

REFUSED = "-911@/v2/api/talk/message/image/upload"
SHELF = "🧺 09:00 진열대\n사진과 다르면 알려 주세요."


def arrived(example: Example) -> list[tuple[str, bool]]:
    """Return the words that arrived, and whether a picture is seen with them."""
    return [(words(one.template), one.picture is not None) for one in example.arrived]


def words(template: Any) -> str:
    content = template.get("content", {})
    lines = [content[name] for name in ("title", "description") if name in content]
    return "\n".join(lines) or str(template["text"])


def test_both_arrive_with_their_pictures(example: Example) -> None:
    example.tick("09:00")
    example.tick("11:00")
    assert arrived(example) == [(SHELF, True), ("🍚 11월 23일 오늘의 메뉴", True)]
    sizes = [(one.width, one.height) for one in example.sandbox.kakao.images]
    assert sizes == [(480, 300), (400, 400)]


def test_what_cannot_be_uploaded_is_said_and_the_text_is_on_time(example: Example) -> None:
    example.sandbox.faults.replace(REFUSED)
    said = [example.tick(time) for time in ("09:00", "09:01")]
    assert arrived(example) == [(SHELF, False)]
    assert said == ["", ""]
    [explained] = json.loads(example.run("explain", "09:00", "--json"))["messages"]
    assert (explained["state"], explained["reason"]) == ("confirmed", "picture-left-out")
    assert "(-911)" in explained["detail"]


@pytest.mark.parametrize(
    ("works_from", "what"),
    [
        ("11:01", ("🍚 11월 23일 오늘의 메뉴", True)),
        ("never", ("🍚 오늘의 메뉴는 가게 앞 칠판에 있어요", False)),
    ],
)
def test_a_picture_that_must_be_there_is_tried_again_until_its_time_is_over(
    example: Example, works_from: str, what: tuple[str, bool]
) -> None:
    example.sandbox.faults.replace(REFUSED)
    for time in ("11:00", "11:01", "11:02", "11:03"):
        if time == works_from:
            example.sandbox.faults.replace("")
        example.tick(time)
    assert arrived(example) == [what]
