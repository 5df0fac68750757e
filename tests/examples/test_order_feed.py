from tests.examples.conftest import Example

LINK = {
    "web_url": "https://developers.kakao.com",
    "mobile_web_url": "https://developers.kakao.com",
}


def test_the_rows_arrive_filled(example: Example) -> None:
    example.tick("12:59")
    example.tick("13:00")
    (feed,) = example.arrived
    assert feed.template == {
        "object_type": "feed",
        "button_title": "주문 보기",
        "content": {"title": "13시 주문 현황", "description": "새 주문 12건", "link": LINK},
        "item_content": {
            "items": [
                {"item": "접수", "item_op": "5건"},
                {"item": "조리 중", "item_op": "4건"},
                {"item": "배달 중", "item_op": "3건"},
            ],
            "sum": "매출",
            "sum_op": "318,000원",
        },
    }


def test_a_file_that_names_no_sales_sends_nothing_and_says_which_field(example: Example) -> None:
    example.write("orders.json", '{"new": 1, "accepted": 1, "cooking": 0, "on_the_way": 0}')
    assert "sales" in example.run("preview", exit_code=1)
    example.tick("13:00")
    assert example.texts == []
