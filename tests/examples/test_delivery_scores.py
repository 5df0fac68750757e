from tests.examples.conftest import Example


def test_each_slot_brings_the_scores_as_they_stand(example: Example) -> None:
    example.tick("12:29:59")
    example.tick("12:30")
    example.write("scores.csv", "라이더,점수\n민수,1087\n지영,92\n")
    example.tick("12:44:59")
    example.tick("12:45")
    assert example.texts == [
        "🛵 12:30 배달 점수\n총점 243점 · 목표의 81%\n1위 지영 92점",
        "🛵 12:45 배달 점수\n총점 1,179점 · 목표의 393%\n1위 민수 1087점",
    ]


def test_a_script_that_fails_is_tried_again_with_the_next_tick(example: Example) -> None:
    example.write("scores.csv", "라이더,점수\n민수,\n")
    example.tick("12:30")
    example.write("scores.csv", "라이더,점수\n민수,40\n")
    example.tick("12:31")
    assert example.texts == ["🛵 12:30 배달 점수\n총점 40점 · 목표의 13%\n1위 민수 40점"]
