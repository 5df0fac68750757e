from typing import Any

from tests.examples.conftest import Example

SHOP = "https://shop.example.com"


def to(url: str) -> dict[str, str]:
    return {"web_url": url, "mobile_web_url": url}


def arrived(example: Example) -> list[dict[str, Any]]:
    return [dict(one.template) for one in example.arrived]


def test_a_button_opens_the_page_of_the_day(example: Example) -> None:
    example.tick("21:30")
    assert arrived(example) == [
        {
            "object_type": "text",
            "text": "📊 11월 23일 (월) 매출 1,284,000원 (어제보다 +3.5%)",
            "link": to(f"{SHOP}/sales?day=2026-11-23"),
            "button_title": "상황판 열기",
        }
    ]


def test_two_buttons_open_a_page_each(example: Example) -> None:
    example.tick("08:00")
    (template,) = arrived(example)
    assert template["link"] == to(f"{SHOP}/shift")
    assert template["buttons"] == [
        {"title": "출근", "link": to(f"{SHOP}/shift/in?day=2026-11-23")},
        {"title": "휴가 신청", "link": to(f"{SHOP}/leave")},
    ]


def test_doctor_names_the_domain_that_must_be_registered(example: Example) -> None:
    assert f"{SHOP}: messages lead there" in example.run("doctor", exit_code=1)
