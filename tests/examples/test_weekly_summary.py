import pytest

from tests.examples.conftest import Example


def test_monday_brings_the_week_before(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAKAOCRON_LANGUAGE")
    for day in range(23, 30):
        example.tick("09:00", day)
        if day == 23:
            example.tick("09:05", day)
        if day == 25:
            example.sandbox.faults.enqueue("cut-after")
        example.tick("18:00", day, exit_code=1 if day == 25 else 0)
    example.tick("09:00", 30)
    previewed = example.run("preview", "--message", "weekly", "--at", "2026-11-30 09:05")
    example.tick("09:05", 30)
    assert example.texts[0] == "📊 11월 23일 오전 마감을 확인하세요"
    assert example.texts[1].splitlines() == [
        "📊 kakaocron 2026-11-16 – 11-22",
        "보낼 것이 없었어요",
        "발송 기록은 11-23부터 있어요",
    ]
    assert example.texts[-1].splitlines() == [
        "📊 kakaocron 2026-11-23 – 11-29",
        "15건 중 14건 전송 확인",
        "결과 불명 1",
        "11-25 18:00 report: 결과 불명 (연결 끊김)",
    ]
    assert all(line in previewed for line in example.texts[-1].splitlines())
