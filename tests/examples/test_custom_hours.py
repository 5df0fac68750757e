import runpy

from tests.examples.conftest import Example


def test_its_own_hours_and_delays_are_followed(example: Example) -> None:
    example.clock.set("12:30:10")
    runpy.run_path(str(example.folder / "next_peak.py"))
    example.tick("13:00")
    example.tick("14:00")
    example.sandbox.faults.enqueue("-10")
    example.tick("14:10:00")
    example.tick("14:10:09")
    before_the_retry = len(example.texts)
    example.tick("14:10:10")
    assert before_the_retry == 3
    assert sorted(example.texts) == [
        "📊 13:00 보고 (regular)",
        "📊 14:00 보고 (peak)",
        "📊 14:10 보고 (peak)",
        "🚀 우리 가게의 피크",
    ]
