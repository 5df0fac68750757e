from collections.abc import Iterator
from contextlib import contextmanager

from tests.examples.conftest import Example
from tests.system.wires import Wire, wire

SHEET = "https://docs.google.com/spreadsheets/d/e/YOUR-SHEET/pub?output=csv"
ROWS = "날짜,품목,재고,담당\r\n2026-11-22,감귤,40,민수\r\n2026-11-23,사과,1200,지영\r\n"


@contextmanager
def published(example: Example, *answers: bytes) -> Iterator[Wire]:
    """Publish a sheet on this machine, where the example is to look for it."""
    said = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(a), a) for a in answers]
    with wire(*said) as server:
        config = (example.folder / "config.toml").read_text("utf-8")
        assert SHEET in config
        example.write("config.toml", config.replace(SHEET, f"{server.url}/pub?output=csv"))
        yield server


def test_the_last_row_of_a_published_sheet_arrives(example: Example) -> None:
    with published(example, ROWS.encode()) as server:
        example.tick("18:00")
        assert example.texts == ["📦 11월 23일 (월) 재고\n사과 1200개 · 모두 1,240개\n지영"]
        said = f"'{server.url}/…': CSV in UTF-8, rows: 2, the last is row 3"
        assert said in " ".join(example.run("explain", "stock@20261123T1800").split())


def test_a_sheet_that_is_not_published_is_told_as_time_runs_out(example: Example) -> None:
    with published(example, *[b"<!doctype html>sign in"] * 2):
        example.tick("18:00")
        assert example.texts == []
        example.tick("18:09:45")
    assert example.texts == ["📦 11월 23일 재고를 읽지 못했어요. 시트를 봐 주세요."]
