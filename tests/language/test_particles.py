"""Particles fit the last sound of what stands before them."""

from __future__ import annotations

import pytest

from kakaocron.language.particles import fitted


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("보고", "를"), ("발송", "을"), ("서울", "을"),
        # Digits as they are read: 영, 일, 이, 삼, 사, 오, 육, 칠, 팔, 구.
        ("0", "을"), ("1", "을"), ("2", "를"), ("3", "을"), ("4", "를"), ("5", "를"), ("6", "을"),
        ("7", "을"), ("8", "을"), ("9", "를"), ("09:30", "을"), ("12", "를"),
        # Latin words as they are written in Hangul: 리포트, 제이슨, 틱, 톰엘, 폼, 닥터, 포맷.
        ("report", "를"), ("json", "을"), ("tick", "을"), ("config.toml", "을"), ("form", "을"),
        ("doctor", "를"), ("format", "을"), ("ping", "을"), ("KAKAO_URL", "을"), ("URI", "를"),
        ("~/.env", "를"), ("XDG_DATA_HOME", "을"), ("line", "을"), ("file", "을"), ("me", "를"),
    ],
)  # fmt: skip
def test_the_object_s_particle_fits_the_last_sound(word: str, expected: str) -> None:
    assert fitted(f"{word}을(를)") == f"{word}{expected}"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("'보고'이(가) 없어요", "'보고'가 없어요"),
        ("“발송”은(는) 끝났어요", "“발송”은 끝났어요"),
        ("서울(으)로, 보고(으)로, 발송(으)로", "서울로, 보고로, 발송으로"),
        ("설정과(와) 보고과(와)", "설정과 보고와"),
        ("발송이에요(예요) 보고이에요(예요)", "발송이에요 보고예요"),
    ],
)
def test_every_particle_has_its_two_forms_whatever_closes_the_word(
    sentence: str, expected: str
) -> None:
    assert fitted(sentence) == expected


def test_a_sentence_without_a_choice_stays_as_it_is() -> None:
    assert fitted("보고 (가) 그리고 (report)") == "보고 (가) 그리고 (report)"


@pytest.mark.parametrize("fact", ["집이(가)", "a을(를)b", "보고 이(가)"])
def test_what_others_write_stays_as_it_is(fact: str) -> None:
    assert fitted("'{fact}'은(는) 없어요", lambda said: said.format(fact=fact)).startswith(
        f"'{fact}'"
    )


def test_a_word_of_any_length_is_looked_at_no_further_than_its_end() -> None:
    fact = f"{'a' * 60_000}-b"  # as long as a request's first line may be
    said = fitted("'{fact}'을(를) 읽을 수 없어요", lambda said: said.format(fact=fact))
    assert said == f"'{fact}'를 읽을 수 없어요"
