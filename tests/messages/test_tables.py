"""Messages whose data are a table in a file, as they arrive at the sandbox; and what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kakaocron.cli import run
from kakaocron.doctor.finding import Status
from kakaocron.messages import tables, workbook
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.watching.sentences import detail_of
from tests.doctor.test_examination import found, without_cron
from tests.fakes import MESSAGE, FakeClock, install, run_tick, texts
from tests.messages.test_making import HEAD, one
from tests.test_cli import Shell, shell

__all__ = ["shell"]

ID = "m@20261123T0930"
ORDERS = '날짜,상품,금액\r\n2026-11-22,사과,12000\r\n2026-11-23,배,"1,500"\r\n'
SUMMED = 'data_file = "orders.csv"\ntext = "{날짜:%m/%d} {상품}, 모두 {금액_sum:,}원 {row_count}건"'
SAID = "11/23 배, 모두 13,500원 2건"


def book(path: Path, *rows: list[Any]) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)  # type: ignore[union-attr]
    made.save(path)
    return made


def arrived(folder: Path, sandbox: SandboxServer, clock: FakeClock, config: str) -> list[str]:
    run_tick(install(folder, sandbox, clock, HEAD + config))
    return texts(sandbox)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_the_last_row_and_a_sum_of_csv_arrive_whichever_way_it_was_saved(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, encoding: str
) -> None:
    (tmp_path / "orders.csv").write_bytes(ORDERS.encode(encoding))
    assert arrived(tmp_path, sandbox, clock, SUMMED) == [SAID]


def test_the_last_row_and_a_sum_of_a_workbook_arrive(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    rows = [[date(2026, 11, 22), "사과", 12000], [date(2026, 11, 23), "배", 1500]]
    book(tmp_path / "orders.xlsx", ["날짜", "상품", "금액"], *rows)
    config = SUMMED.replace(".csv", ".xlsx")
    assert arrived(tmp_path, sandbox, clock, config) == [SAID]


def test_a_template_is_filled_from_a_table(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS)
    config = """
data_file = "orders.csv"
template_id = 3
template_args = { item = "{상품}", total = "{금액_sum}" }
"""
    run_tick(install(tmp_path, sandbox, clock, HEAD + config))
    (delivery,) = sandbox.deliveries
    assert delivery.template["template_args"] == {"item": "배", "total": "13500"}


BAD = [
    (ORDERS + "2026-11-24,,1\r\n", "'orders.csv', row 4, column '상품': the cell is empty"),
    (ORDERS + "2026-11-24,감,없음\r\n", "'orders.csv', row 4, column '금액': no sum"),
    (ORDERS + "2026-11-24,감,1,500\r\n", "'orders.csv', row 4: it has more cells than the 3"),
    (ORDERS.replace("금액", "가격"), "'orders.csv', row 1: no heading is called '금액_sum'; there "
     "are: 날짜, 상품, 가격"),
    ("날짜,상품,금액\r\n", "'orders.csv' has headings in row 1, and no row below them"),
    ("", "'orders.csv' holds nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "said"), BAD)
def test_what_is_wrong_is_told_by_file_row_and_column_and_others_go_out(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, content: str, said: str
) -> None:
    (tmp_path / "orders.csv").write_bytes(content.encode("cp949"))
    installation = install(tmp_path, sandbox, clock, f"{HEAD}{SUMMED}\n{MESSAGE}")
    run_tick(installation)
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    delivery = one(installation, ID)
    assert (delivery.state, delivery.reason) == (State.RETRYING, Reason.CONTENT_FAILED)
    assert said in (detail_of(delivery) or "")


def test_a_table_that_comes_late_is_read_by_the_retry(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, HEAD + SUMMED)
    run_tick(installation)
    (tmp_path / "orders.csv").write_text(ORDERS)
    clock.set("09:31")
    run_tick(installation)
    assert texts(sandbox) == [SAID]


READ = "'orders.csv': CSV in CP949, rows: 2, the last is row 3"


def test_everything_that_shows_a_message_says_what_was_read(shell: Shell, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config.read_text("utf-8") + HEAD + SUMMED, "utf-8")
    (tmp_path / "orders.csv").write_bytes(ORDERS.encode("cp949"))

    assert READ in shell.run("config", "check")[1].splitlines()
    assert f"data: {READ}" in shell.run("preview", "--message", "m")[1].splitlines()
    assert shell.json("preview", "--message", "m")[0]["read"] == READ
    assert [f["what"] for f in shell.json("doctor")["findings"] if f["name"] == "data"] == [READ]

    shell.run("tick")
    assert f"data  {READ}" in shell.run("explain", ID)[1]
    assert shell.json("explain", ID)["messages"][0]["read"] == READ
    assert shell.json("explain", "report@20261123T0930")["messages"][0]["read"] is None


def test_what_was_read_stays_with_a_delivery_whose_rest_is_sent_later(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (tmp_path / "orders.csv").write_text("a\n" + "가" * 300)
    config = HEAD + 'text = "{a}"\noverflow = "split"\ndata_file = "orders.csv"'
    installation = install(tmp_path, sandbox, clock, config)
    sandbox.faults.enqueue("date=0", "-10")
    run_tick(installation)
    (tmp_path / "orders.csv").unlink()
    clock.set("09:31")
    run_tick(installation)
    delivery = one(installation, ID)
    assert delivery.state is State.CONFIRMED
    assert delivery.read
    assert delivery.read.facts["name"] == "orders.csv"


def test_json_is_said_to_be_read_too(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'{HEAD}data_file = "d.json"\ntext = "{{a}}"', "utf-8")
    (tmp_path / "d.json").write_text('{"a": 1, "b": 2}')
    assert "'d.json': JSON, fields: 2" in shell.run("config", "check")[1]
    assert "data: 'd.json': JSON, fields: 2" in shell.run("preview")[1]


CHECKS = [
    ("a.csv", b"a,b\n1,2\n", "{c}", "message[1].text: 'a.csv', row 1: no heading is called 'c'"),
    ("a.csv", b"a\n1,2\n", "{a}", "message[1].data_file: 'a.csv', row 2: it has more cells"),
    ("a.csv", b"\xff\xff", "{a}", "message[1].data_file: 'a.csv' is neither UTF-8 nor CP949"),
    ("a.CSV", b"a\n1\n", "{a.b}", "message[1].text: '{a.b}' is not a plain name"),
    ("a.xls", b"", "{a}", "message[1].data_file: 'a.xls' is a workbook of the old kind"),
    ("a.xlsx", b"no zip", "{a}", "'a.xlsx' is no workbook that can be read: File is not a zip"),
]


@pytest.mark.parametrize(("name", "content", "text", "said"), CHECKS)
def test_config_check_finds_what_can_be_known_of_a_table(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes,
    text: str,
    said: str,
) -> None:
    (tmp_path / name).write_bytes(content)
    path = tmp_path / "config.toml"
    path.write_text(f'{HEAD}data_file = "{name}"\ntext = "{text}"', "utf-8")
    assert run(["config", "check", "--config", str(path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_table_without_rows_is_no_fault_of_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    path = tmp_path / "config.toml"
    path.write_text(f'{HEAD}data_file = "a.csv"\ntext = "{{a}}"', "utf-8")
    assert run(["config", "check", "--config", str(path)]) == 0
    assert capsys.readouterr().err == ""


def test_without_the_extra_a_workbook_says_how_to_install_it(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book(tmp_path / "a.xlsx", ["a"], [1])
    monkeypatch.setattr(tables, "find_spec", lambda _: None)
    config = f'{HEAD}data_file = "a.xlsx"\ntext = "{{a}}"'
    installation = install(tmp_path, sandbox, clock, config)
    run_tick(installation)
    said = "'a.xlsx' needs openpyxl: pip install 'kakaocron[excel]'"
    assert detail_of(one(installation, ID)) == said


@pytest.mark.parametrize("size", [19, 20, 21])
def test_a_file_has_a_greatest_length(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 20)
    (tmp_path / "a.csv").write_text("a\n" + "1" * (size - 2))
    config = 'data_file = "a.csv"\ntext = "{a_count}"'
    assert arrived(tmp_path, sandbox, clock, config) == (["1"] if size <= 20 else [])


# --- workbooks ------------------------------------------------------------------------------------


def printed(path: Path, most_bytes: int = 10**6, most_rows: int = 100) -> list[Any]:
    lines = workbook.lines(str(path), most_bytes, most_rows)
    return [json.loads(json.dumps(line)) for line in lines]


def test_a_workbooks_cells_keep_their_kinds(tmp_path: Path) -> None:
    at = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001 - a workbook knows no zone
    book(tmp_path / "a.xlsx", [], ["a", " b ", 3], [1, 2.5, True, at, date(2026, 1, 2), at.time()])
    assert printed(tmp_path / "a.xlsx") == [
        {"sheet": "Sheet"},
        [2, ["a", "b", 3]],
        [
            3,
            [
                1,
                2.5,
                True,
                {"at": "2026-11-23T09:30:00"},
                {"at": "2026-01-02T00:00:00"},
                {"at": "09:30:00"},
            ],
        ],
    ]


def rewritten(path: Path, **changes: str) -> None:
    """Write a workbook's sheet again, with each text in it that is a key replaced by its value."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    for old, new in changes.items():
        assert old in sheet
        sheet = sheet.replace(old, new)
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_formulas_are_their_values_and_one_without_a_value_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, ["a", "b", "c", "d"], ["=ONE()", "=TWO()", "=NONE()", 4], ["=LAST()"])
    rewritten(
        path,
        **{
            "<f>ONE()</f><v />": "<f>ONE()</f><v>7</v>",
            # Excel's way to say that a formula gives an empty text.
            '<c r="B2"><f>TWO()</f><v />': '<c r="B2" t="str"><f>TWO()</f><v></v>',
        },
    )
    assert printed(path)[1:] == [[1, ["a", "b", "c", "d"]], [2, [7, None, {}, 4]], [3, [{}]]]


def test_of_merged_cells_the_first_has_the_value(tmp_path: Path) -> None:
    made = book(tmp_path / "a.xlsx", ["a", "b"], ["같은 날", 1], [None, 2])
    made.active.merge_cells("A2:A3")  # type: ignore[union-attr]
    made.save(tmp_path / "a.xlsx")
    assert printed(tmp_path / "a.xlsx")[2:] == [[2, ["같은 날", 1]], [3, [None, 2]]]


def test_what_lies_beyond_the_size_that_a_sheet_says_it_has_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, ["a", "b"], [1, 2], [3, 4])
    rewritten(path, **{'<dimension ref="A1:B3"': '<dimension ref="A1:A2"'})
    assert printed(path)[-1] == [3, [3, 4]]


@pytest.mark.parametrize("count", [4, 5, 6])
def test_a_workbook_has_most_rows(tmp_path: Path, count: int) -> None:
    book(tmp_path / "a.xlsx", ["a"], *[[n] for n in range(count)])
    found = printed(tmp_path / "a.xlsx", most_rows=5)
    assert found[0] == ({"sheet": "Sheet"} if count <= 5 else {"fault": "many-rows", "most": 5})


def test_the_first_sheet_is_read(tmp_path: Path) -> None:
    made = book(tmp_path / "a.xlsx", ["a"], [1])
    made.active.title = "11월"  # type: ignore[union-attr]
    made.create_sheet("옛 자료").append(["b"])
    made.save(tmp_path / "a.xlsx")
    assert printed(tmp_path / "a.xlsx") == [{"sheet": "11월"}, [1, ["a"]], [2, [1]]]


def of_program(path: Path, *limits: int) -> Any:
    """Return the first line that the program prints of a file."""
    argv = [sys.executable, "-P", workbook.__file__, str(path), *map(str, limits)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout.splitlines()[0])


def test_what_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, ["a"], [1])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/blank.bin", bytes(10**6))
    assert path.stat().st_size < 10_000
    assert of_program(path, 10**6, 9) == {"fault": "big-workbook", "most": 10**6}
    assert of_program(path, 2 * 10**6, 9) == {"sheet": "Sheet"}


def test_a_workbook_that_takes_too_long_is_given_up_and_others_go_out(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(workbook, "__file__", str(slow))
    book(tmp_path / "a.xlsx", ["a"], [1])
    config = f'{HEAD}data_file = "a.xlsx"\ntext = "{{a}}"\ntimeout = 0.5\n{MESSAGE}'
    installation = install(tmp_path, sandbox, clock, config)
    run_tick(installation)
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    assert detail_of(one(installation, ID)) == "'a.xlsx' took longer than 0.5 s"


def test_doctor_names_the_message_whose_table_is_wrong(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS + "x,,\r\n")
    bench = without_cron(install(tmp_path, sandbox, clock, HEAD + SUMMED))
    finding = found(bench, "contents")
    assert finding.status is Status.FAIL
    assert "message 'm', made as cron would: 'orders.csv', row 4, column '날짜'" in finding.what
