"""The page is in the language of its reader; what programs ask for is not."""

from __future__ import annotations

import re

import pytest

from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import speak
from tests.sites import Site, site, thirty_days

__all__ = ["site", "thirty_days"]

KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}
HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize(
    ("headers", "language", "words"),
    [
        ({}, "en", "This page reads the ledger and changes nothing."),
        (KOREAN, "ko", "이 화면은 발송 기록을 읽기만 하고 아무것도 바꾸지 않아요."),
        ({**KOREAN, "Cookie": "language=en"}, "en", "changes nothing."),
        ({"Cookie": "language=ko"}, "ko", "아무것도 바꾸지 않아요."),
        ({**KOREAN, "Cookie": "language=xx"}, "ko", "아무것도 바꾸지 않아요."),
    ],
)
def test_the_page_is_in_the_language_that_its_reader_chose_or_the_browser_asks_for(
    site: Site, headers: dict[str, str], language: str, words: str
) -> None:
    page = site.get("/", headers=headers).text

    assert f'<html lang="{language}">' in page
    assert words in page
    assert "{{" not in page


def test_its_script_gets_its_sentences_and_the_words_of_states(site: Site) -> None:
    assert site.get("/words").json() == {"v": 1}
    words = site.get("/words", headers=KOREAN).json()
    assert (words["No delivery fits."], words["unknown"]) == ("맞는 발송이 없어요.", "결과 불명")
    assert words["no-tick"] == "점검 없음"


def test_what_is_wrong_is_said_in_each_reader_s_language_side_by_side(site: Site) -> None:
    said = [site.get("/api/page", headers=one).json()["health"]["problems"] for one in (KOREAN, {})]
    assert all(HANGUL.search(problem) for problem in said[0])
    assert len(said[0]) == len(said[1]) > 0
    assert not any(HANGUL.search(problem) for problem in said[1])


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_programs_are_answered_in_english_whatever_the_server_and_they_speak(
    site: Site, path: str
) -> None:
    speak(catalogue_of("ko"))
    said = re.sub("보고", "", site.get(path, headers=KOREAN).text)
    assert HANGUL.findall(said) == []
