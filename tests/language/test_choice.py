"""Which language is spoken: the variable, then the configuration, then the locale."""

from __future__ import annotations

import pytest

from kakaocron.language.choice import (
    can_show_hangul,
    chosen_language,
    configured_language,
    of_browser,
)


@pytest.mark.parametrize(
    ("variables", "configured", "expected"),
    [
        ({}, None, "en"),
        ({}, "ko", "ko"),
        ({"KAKAOCRON_LANGUAGE": "en"}, "ko", "en"),
        ({"KAKAOCRON_LANGUAGE": "ko"}, "en", "ko"),
        ({"KAKAOCRON_LANGUAGE": "auto", "LANG": "ko_KR.UTF-8"}, "en", "ko"),
        ({"KAKAOCRON_LANGUAGE": "korean"}, "ko", "ko"),
        ({"LANG": "ko_KR.UTF-8"}, None, "ko"),
        ({"LANG": "ko_KR.UTF-8"}, "auto", "ko"),
        ({"LANG": "ko_KR.UTF-8"}, "en", "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_MESSAGES": "C"}, None, "en"),
        ({"LANG": "C", "LC_MESSAGES": "ko_KR"}, None, "ko"),
        ({"LC_MESSAGES": "ko_KR", "LC_ALL": "en_US.UTF-8"}, None, "en"),
        ({"LANG": "en_US", "LC_ALL": "ko"}, None, "ko"),
        ({"LANG": "ko_KR", "LC_ALL": ""}, None, "ko"),
        ({"LANG": "kok_IN"}, None, "en"),
    ],
)
def test_the_first_that_says_something_counts(
    variables: dict[str, str], configured: str | None, expected: str
) -> None:
    assert chosen_language(variables, configured) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('language = "ko"\n[kakao]\n', "ko"),
        ("\n  language='en' # so\n", "en"),
        ('# language = "ko"\n', None),
        ('[kakao]\nlanguage = "ko"\n', None),
        ("not [ TOML\nlanguage = ", None),
        ("", None),
    ],
)
def test_the_configuration_s_word_is_found_without_reading_the_rest(
    text: str, expected: str | None
) -> None:
    assert configured_language(text) == expected


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "en"), ("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("fr,ko;q=0.5", "ko"), ("fr", "en"), ("ko;q=0", "en"), ("ko;q=x", "en"), (";;,,", "en"),
    ],
)  # fmt: skip
def test_a_browser_gets_what_it_wants_most(accepted: str, expected: str) -> None:
    assert of_browser(accepted) == expected


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", True), ("euc-kr", True), ("cp949", True), ("ascii", False), ("latin-1", False),
     (None, True), ("no-such", False)],
)  # fmt: skip
def test_an_output_shows_hangul_or_not(encoding: str | None, expected: bool) -> None:
    assert can_show_hangul(encoding) is expected
