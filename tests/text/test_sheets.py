"""What placeholders say of a table, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.errors import ContentError
from kakaocron.text.placeholders import fill
from kakaocron.text.sheets import (
    MAX_COLUMNS,
    MAX_ROWS,
    Cell,
    Sheet,
    SheetRow,
    Unreckoned,
    decoded,
    fields_of,
    number_of,
    plain_name,
    rows_of_csv,
    sheet_of,
)

NAME = "orders.csv"


def csv_sheet(text: str) -> Sheet:
    return sheet_of(NAME, rows_of_csv(text, NAME))


def said(text: str, template: str) -> str:
    return fill(template, fields_of(csv_sheet(text)))


def of_cells(*cells: Cell) -> Sheet:
    """Return a workbook's sheet of one column."""

    def rows() -> Iterator[SheetRow]:
        yield 1, ("값",)
        yield from ((number, (cell,)) for number, cell in enumerate(cells, 2))

    return sheet_of("a.xlsx", rows)


ORDERS = '주문 번호,상품,금액(원),비고\r\n001,사과,"12,300",\r\n002,배,800.5,선물\r\n'


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{주문_번호} {상품} {금액_원} {비고}", "002 배 800.5 선물"),
        ("{상품_last}", "배"),
        ("{금액_원_sum}", "13100.5"),
        ("{금액_원_sum:,.1f}", "13,100.5"),
        ("{금액_원_count} {비고_count} {row_count}", "2 1 2"),
        ("{금액_원:,.2f}", "800.50"),
        ("{주문_번호_sum}", "3"),
        ("{상품:>3}|{상품:<3}|", "  배|배  |"),
        ("{주문_번호:>5}", "  002"),
    ],
)
def test_the_last_row_and_sums_and_counts_of_columns(template: str, expected: str) -> None:
    assert said(ORDERS, template) == expected


def test_the_last_row_is_the_last_that_holds_anything_and_rows_are_those_of_the_file() -> None:
    sheet = csv_sheet('\n\na,b\n1,"x\ny"\n,\n3,4\n , \n\n')
    assert (sheet.heading_row, sheet.count, sheet.last) == (3, 2, (6, ["3", "4"]))


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_cells_may_be_parted_by_tabs_and_semicolons(delimiter: str) -> None:
    text = "상품,금액\n사과,3\n".replace(",", delimiter)
    assert said(text, "{상품} {금액_sum}") == "사과 3"


FAULTS = [
    ("", "{a}", "'orders.csv' holds nothing"),
    ("\n , \n", "{a}", "'orders.csv' holds nothing"),
    ("a,b\n", "{a}", "headings in row 1, and no row below them"),
    ("a,b\n1,2\n", "{c}", "no value for '{c}'"),
    ("a,b\n1,\n", "{b}", "row 2, column 'b': the cell is empty; write {b:s} if it may be"),
    ("a,b\n1\n", "{b}", "row 2, column 'b': the cell is empty"),
    ("a,b\n1,\n", "{b:,}", "row 2, column 'b': the cell is empty"),
    ("a,b\n1,\n", "{b_last}", "write {b_last:s}"),
    ("a\n1\nx\n", "{a:,}", "row 3, column 'a': the format ',' cannot show what is"),
    ("a\n1\nx\n", "{a:05}", "row 3, column 'a': the format '05'"),
    ("a\n1\nx\n2\n", "{a_sum}", "row 3, column 'a': no sum can be made with what is in the cell"),
    ("a\n#N/A\n2\n", "{a_sum}", "row 2, column 'a': the cell holds the error #N/A"),
    ("a\n2\n#REF!\n", "{a}", "row 3, column 'a': the cell holds the error #REF!"),
    ("a,a\n1,2\n", "{a}", "row 1: 2 headings are called 'a'"),
    ("a b,a(b)\n1,2\n", "{a_b_sum}", "row 1: 2 headings are called 'a b'"),
    ("date\n1\n", "{date}", "column 'date': 'date' is kakaocron's own placeholder too; write {d"),
    ("completed\n1\n", "{completed_count}", "'completed_count' is kakaocron's own placeholder too"),
    ("a,b\n1,2,3\n", "{a}", "row 2: it has more cells than the 2 headings"),
    ('a,b\n1,"2\n3,4\n', "{a}", "row 2: this is not CSV: a quote is not closed"),
    ('a,b\n1,"2"3\n', "{a}", "row 2: this is not CSV: a quote stands inside a cell"),
    ("a\n1\n" + "x" * 200_000, "{a}", "row 3: this is not CSV: a cell is too long"),
    ("a\n1\n", "{a_sum:d}{a_sum:q}", "'{a_sum:q}': the value of 'a_sum' is a number"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "template", "expected"), FAULTS)
def test_what_is_wrong_names_file_row_and_column(text: str, template: str, expected: str) -> None:
    with pytest.raises(ContentError) as caught:
        said(text, template)
    assert expected in str(caught.value)


def test_what_is_not_used_may_be_wrong() -> None:
    text = "a,a,date,,d,e\n1,2,3,4,,#N/A\n"
    assert said(text, "{row_count} {d:s} {date_last} {e_count}") == "1  3 1"


def test_a_column_of_that_very_name_is_meant() -> None:
    assert said("a,a_sum,row_count\n5,x,y\n", "{a_sum} {row_count} {a_count}") == "x y 1"


@pytest.mark.parametrize("count", [MAX_ROWS - 1, MAX_ROWS, MAX_ROWS + 1])
def test_a_table_has_a_longest_length(count: int) -> None:
    text = "a\n" + "1\n" * count
    if count <= MAX_ROWS:
        assert said(text, "{a_sum}") == str(count)
    else:
        with pytest.raises(ContentError, match=f"more than {MAX_ROWS} rows"):
            csv_sheet(text)


@pytest.mark.parametrize("count", [MAX_COLUMNS - 1, MAX_COLUMNS, MAX_COLUMNS + 1])
def test_a_table_has_a_greatest_width(count: int) -> None:
    text = ",".join(f"c{n}" for n in range(count)) + "\n" + "1," * (count - 1) + "2\n"
    if count <= MAX_COLUMNS:
        assert said(text, f"{{c{count - 1}}}") == "2"
    else:
        with pytest.raises(ContentError, match=f"more than {MAX_COLUMNS} columns"):
            csv_sheet(text)


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("금액", "금액"), ("주문 금액", "주문_금액"), ("금액(원)", "금액_원"), ("a-b.c", "a_b_c"),
        ("2026", "_2026"), ("%", ""), ("  x  ", "x"), ("a_b", "a_b"), ("a\u0301", "a"),
    ],
)  # fmt: skip
def test_blanks_and_signs_of_a_heading_become_underscores(heading: str, name: str) -> None:
    assert plain_name(heading) == name


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", 12), ("-12", -12), ("+1.50", 1.5), ("1,234,567", 1234567), ("₩1,000", 1000),
        ("₩ 1,000", 1000), ("-₩5", -5), ("₩-5", -5), ("12,300원", 12300), ("12,300 원", 12300),
        ("007", 7), ("0.1", 0.1), (3, 3), (2.5, 2.5), ("1" * 30, int("1" * 30)),
        ("1,23", None), ("12,3456", None), ("1.", None), (".5", None), ("1e3", None), ("", None),
        ("５", None), ("1" * 31, None), ("10%", None), (True, None), (None, None), ("- 5", None),
    ],
)  # fmt: skip
def test_a_number_is_what_people_write_as_one(cell: Cell, number: float | None) -> None:
    assert number_of(cell) == number


def test_decimals_add_up() -> None:
    assert said("a\n0.1\n0.2\n", "{a_sum}") == "0.3"
    assert fill("{값_sum} {값_sum:.2f}", fields_of(of_cells(0.1, 0.2, 1))) == "1.3 1.30"


NINE = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001 - a workbook knows no zone
CELLS: list[tuple[Cell, str, str]] = [
    (1200, "{값} {값:,}", "1200 1,200"),
    (0.1 + 0.2, "{값}", "0.3"),
    (12000.0, "{값}", "12000"),
    (datetime(2026, 11, 23), "{값} {값:%m월 %d일 (%a)}", "2026-11-23 11월 23일 (월)"),  # noqa: DTZ001
    (NINE, "{값} {값:%p %I:%M}", "2026-11-23 09:30 오전 09:30"),
    (time(14, 5), "{값} {값:%p}", "14:05 오후"),
    (True, "{값} {값:s}", "TRUE TRUE"),
    ("2026-11-23", "{값:%m/%d}", "11/23"),
    ("2026-11-23 14:00", "{값:%H시}", "14시"),
    ("0.125", "{값:.1%}", "12.5%"),
    ("가", "{값:3}|", "가  |"),
    (None, "{값:s}|", "|"),
]


@pytest.mark.parametrize(("cell", "template", "expected"), CELLS)
def test_a_cell_is_shown_as_people_write_it(cell: Cell, template: str, expected: str) -> None:
    # Below it another column, so that a row with nothing in it is one.
    def rows() -> Iterator[SheetRow]:
        yield 1, ("값", "끝")
        yield 2, (cell, 1)

    assert fill(template, fields_of(sheet_of("a.xlsx", rows))) == expected


@pytest.mark.parametrize("template", ["{값}", "{값:s}", "{값_sum}"])
def test_a_formula_that_nobody_reckoned_is_no_empty_cell(template: str) -> None:
    with pytest.raises(ContentError, match="row 2, column '값': the cell's formula has no value"):
        fill(template, fields_of(of_cells(Unreckoned())))


@pytest.mark.parametrize(("cell", "kind"), [(True, "true or false"), (NINE, "a time")])
def test_what_is_no_number_has_no_sum(cell: Cell, kind: str) -> None:
    with pytest.raises(ContentError, match=f"row 3, column '값': no sum .*: {kind}"):
        fill("{값_sum}", fields_of(of_cells(5, cell)))


ENCODED = [
    ("금액".encode(), "utf-8"),
    ("금액".encode("utf-8-sig"), "utf-8"),
    ("금액".encode("cp949"), "cp949"),
    ("금액".encode("utf-16"), "utf-16"),
    ("금액".encode("utf-16-be").join([b"\xfe\xff", b""]), "utf-16"),
    ("똠방각하 뷁".encode("cp949"), "cp949"),  # not in EUC-KR
    (b"a,b", "utf-8"),
    ("징수".encode("cp949"), "cp949"),  # its first bytes are one letter of UTF-8
]


@pytest.mark.parametrize(("content", "encoding"), ENCODED)
def test_the_encoding_is_recognised(content: bytes, encoding: str) -> None:
    text, found = decoded(content, NAME)
    assert found == encoding
    assert text in {"금액", "똠방각하 뷁", "a,b", "징수"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("금액,상품\n12,사과".encode()[:-1], "not-utf8"),  # cut off
        ("금액".encode() + b"\xff", "not-utf8"),
        (b"\xff\xff", "no-encoding"),
        ("금액".encode("cp949") + b"\xff", "no-encoding"),
        (b"\xff\xfea", "no-encoding"),
    ],
)
def test_what_is_of_no_encoding_is_not_taken_for_another(content: bytes, code: str) -> None:
    with pytest.raises(ContentError) as caught:
        decoded(content, NAME)
    assert caught.value.cause.code == code


HANGUL = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1)


@given(HANGUL)
def test_all_hangul_is_read_back_whichever_way_excel_saved_it(text: str) -> None:
    for encoding in ("utf-8", "cp949"):
        # Some few characters of CP949 are others of UTF-8: no file is of these alone.
        whole = f"주문,{text}"
        assert decoded(whole.encode(encoding), NAME) == (whole, encoding)


@given(st.text(max_size=200), st.sampled_from(["{a}", "{a_sum:,}", "{row_count}", "{a_count}"]))
def test_whatever_a_file_holds_it_is_said_or_refused_in_a_line(text: str, template: str) -> None:
    try:
        said("a," + text, template)
    except ContentError as error:
        assert str(error)
