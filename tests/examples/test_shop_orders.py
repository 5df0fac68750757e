from tests.examples.conftest import Example


def test_the_newest_order_and_the_sum_arrive_from_cp949(example: Example) -> None:
    example.tick("12:00")
    more = '20261123-004,2026-11-23 12:20,최서연,감귤 5kg,1,"23,900",\r\n'
    orders = (example.folder / "orders.csv").read_bytes() + more.encode("cp949")
    (example.folder / "orders.csv").write_bytes(orders)
    example.tick("12:30")
    assert example.texts == [
        "🛒 12:00 주문 3건, 107,900원\n마지막 주문: 배 선물 세트 1개, 박준호\n"
        "배송 메모: 경비실에 맡겨 주세요",
        "🛒 12:30 주문 4건, 131,800원\n마지막 주문: 감귤 5kg 1개, 최서연\n배송 메모: ",
    ]
    said = "'orders.csv': CSV in CP949, rows: 4, the last is row 5"
    assert said in example.run("explain", "orders@20261123T1230")


def test_a_price_that_is_none_names_its_row_and_column(example: Example) -> None:
    orders = (example.folder / "orders.csv").read_bytes().replace(b"35,000", "품절".encode("cp949"))
    (example.folder / "orders.csv").write_bytes(orders)
    example.tick("12:00")
    assert example.texts == []
    said = "'orders.csv', row 3, column '결제 금액(원)': no sum can be made with what is in the"
    assert said in " ".join(example.run("explain", "orders@20261123T1200").split())
