"""[alimtalk], [phones] and templates: what is wrong is said before its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from kakaocron.config.contacts import ALIMTALK, KAKAOTALK
from kakaocron.config.reading import ConfigError, parse_config
from kakaocron.config.schema import Config, wanted_scopes
from kakaocron.errors import ContentError
from kakaocron.installation import goes_by_kakaotalk
from kakaocron.ledger.stats import Slots
from kakaocron.messages.faults import faults, quota_faults
from kakaocron.messages.making import Contents
from kakaocron.schedule.slots import Slot
from kakaocron.system.programs import Programs
from tests.alimtalk.parts import MESSAGE, both, table
from tests.fakes import NOW

URL = "http://127.0.0.1:9"
TEMPLATES = """
[alimtalk.templates]
KC_REPORT_01 = "#{이름}님, #{시간} 보고입니다."
"""


def config_of(text: str) -> Config:
    return parse_config(text, "config.toml")


def contents_of(text: str) -> Contents:
    return Contents(config_of(text), Path(), Programs({}))


def said(text: str) -> list[tuple[str, str]]:
    """Return what `config check` says: the last key, and the sentence."""
    return [(keys[-1], what) for keys, what in faults(contents_of(text), "/bin")]


def sent_to(*to: str, more: str = "", dealer: str = "nhn") -> str:
    listed = ", ".join(f'"{one}"' for one in to)
    return table(dealer, URL, more) + MESSAGE.replace('["010-1234-5678"]', f"[{listed}]")


@both
def test_a_right_configuration_is_fine(dealer: str) -> None:
    text = sent_to("010-1234-5678", "민수", dealer=dealer, more=TEMPLATES)
    text += '[phones]\n"민수" = "+82 10 2222 3333"\n'

    assert said(text) == []
    (series,) = config_of(text).series()
    assert series.to == ("01012345678", "01022223333")
    assert config_of(text).contacts.names()["01022223333"] == "민수"
    assert {config_of(text).contacts.channel_of(one) for one in series.to} == {ALIMTALK}


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("02-123-4567", "is a landline: 알림톡 goes to mobile numbers"),
        ("+1 415 555 0100", "is a foreign number: 알림톡 goes to Korean mobile numbers"),
        ("010-123-456", "is no mobile number such as 010-1234-5678"),
        (
            "me",
            "'me' is no phone: a template of 알림톡 goes to phone numbers",
        ),
        ("민수", "'민수' is neither in [friends] nor a uuid"),
    ],
)
def test_a_receiver_that_cannot_have_it_is_named(to: str, words: str) -> None:
    ((key, what),) = said(sent_to(to))

    assert key == "to"
    assert words in what


def test_a_number_twice_is_one_receiver() -> None:
    with pytest.raises(ConfigError, match="are the same receiver"):
        config_of(sent_to("010-1234-5678", "01012345678"))
    with pytest.raises(ConfigError, match="'민수' and '01012345678' are the same receiver"):
        config_of(sent_to("민수", "01012345678") + '[phones]\n"민수" = "010 1234 5678"\n')


def test_a_number_in_phones_is_looked_at() -> None:
    ((key, what),) = said(sent_to("010-1234-5678") + '[phones]\n"집" = "02-123-4567"\n')
    ((key2, what2),) = said(sent_to("010-1234-5678") + '[phones]\n"집" = "없음"\n')

    assert (key, what) == ("집", "'021234567' is a landline: 알림톡 goes to mobile numbers")
    assert key2 == "집"
    assert "has no phone number in [phones]" in what2


def test_a_phone_gets_templates_only() -> None:
    text = sent_to("me") + '[[message]]\nname = "words"\nslots = ["peak"]\ntext = "안녕"\n'
    found = said(text.replace('to = ["me"]', 'to = ["010-1234-5678"]') + 'to = ["010-1234-5678"]\n')

    assert found == [
        ("to", "'010-1234-5678' is a phone: it gets templates only, as in alimtalk = \"CODE\"")
    ]


def test_without_the_table_a_phone_cannot_be_reached() -> None:
    found = said(MESSAGE)

    assert ("to", "'010-1234-5678' is a phone: 알림톡 needs the table [alimtalk]") in found
    assert ("alimtalk", "needs the table [alimtalk]") in found
    assert config_of(MESSAGE).contacts.channel_of("01012345678") == KAKAOTALK


@pytest.mark.parametrize(
    ("before", "after", "key", "words"),
    [
        ('"시간" = "{time:%H:%M}"', '"때" = "1"', "variables", "not given: 시간"),
        ('"이름" = "민수"', '"이름" = "민수", "성" = "김"', "variables", "has no variable 성"),
        ("KC_REPORT_01\"\nvar", "KC_REPORT_02\"\nvar", "alimtalk", "did you mean 'KC_REPORT_01'?"),
        ("{time:%H:%M}", "{tiem}", "시간", "tiem"),
    ],
)  # fmt: skip
def test_a_template_is_checked_as_far_as_it_is_known(
    before: str, after: str, key: str, words: str
) -> None:
    text = sent_to("010-1234-5678", more=TEMPLATES)
    assert before in text
    ((found, what),) = said(text.replace(before, after))

    assert found == key
    assert words in what


def test_a_variable_may_be_written_as_the_template_has_it() -> None:
    text = sent_to("010-1234-5678", more=TEMPLATES).replace('"이름" =', '"#{이름}" =')

    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[alimtalk]\ndealer = "aligo"\n', "must be 'nhn' or 'solapi'"),
        ('[alimtalk]\ndealer = "nhn"\nsender_key = "x"\n', "app_key: is missing"),
        ('[alimtalk]\ndealer = "solapi"\napi_key = "x"\npf_id = "y"\n', "sender_number"),
        (table("nhn", URL, 'secret_key = "abc"'), "the .env, as ALIMTALK_SECRET_KEY"),
        (table("solapi", URL, 'api_secret = "abc"'), "the .env, as ALIMTALK_API_SECRET"),
        (table("nhn", "http://example.com"), "must begin with https://"),
        (table("nhn", URL, "daily_cap = -1"), "must be at least 0"),
        (table("nhn", URL, "price = -1"), "must be at least 0"),
        (table("nhn", URL) + "[phones]\n민수 = 5\n", "a key with anything but A to Z"),
        (table("nhn", URL) + '[phones]\n"민수" = 5\n', "must be a string"),
        (MESSAGE.replace("alimtalk =", "text ="), "with alimtalk only"),
        (MESSAGE + 'fallback_text = "x"\n', "alimtalk sends templates only"),
        (MESSAGE + 'text = "x"\n', "it has text and alimtalk"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(Exception, match=words.replace("[", r"\[")):
        config_of(text)


def test_no_key_of_a_dealers_is_shown() -> None:
    text = table("nhn", URL).replace("app_key = ", "app_key = ")
    shown = str(config_of(text).fields()["alimtalk"])

    assert "**********" in shown
    assert "sandboxAppKey001" not in shown


def made(text: str) -> str:
    contents = contents_of(text)
    (message,) = contents.config.message
    return contents.of_message(message, Slot("report", NOW, "regular"), Slots()).text


@both
def test_what_is_sent_is_shown_as_far_as_it_is_known(dealer: str) -> None:
    known = sent_to("010-1234-5678", more=TEMPLATES, dealer=dealer)
    unknown = sent_to("010-1234-5678", dealer=dealer)

    assert made(known) == "민수님, 09:30 보고입니다."
    assert made(unknown) == "KC_REPORT_01 이름: 민수 시간: 09:30"


@pytest.mark.parametrize(("dealer", "most"), [("nhn", 1300), ("solapi", 1000)])
def test_a_text_has_its_longest_length(dealer: str, most: int) -> None:
    text = sent_to("010-1234-5678", more=TEMPLATES, dealer=dealer)
    rest = len("님, 09:30 보고입니다.")
    fitting, long = (text.replace("민수", "가" * (most - rest + n)) for n in (0, 1))

    assert len(made(fitting)) == most
    with pytest.raises(ContentError, match=f"the text has {most + 1} characters"):
        made(long)


@pytest.mark.parametrize(("cap", "over"), [(47, 1), (48, 0), (49, 0)])
def test_a_plan_over_the_daily_cap_is_told_of(cap: int, over: int) -> None:
    config = config_of(sent_to("010-1234-5678", more=f"daily_cap = {cap}"))
    found = quota_faults(config, NOW.date())

    assert [f"{over} would end as failed (quota)" in one for one in found] == [True] * over


def test_phones_count_against_no_quota_of_kakaos() -> None:
    config = config_of(sent_to(*(f"010-1234-{n:04}" for n in range(99))))

    assert quota_faults(config, NOW.date()) == []
    assert wanted_scopes(config) == ("talk_message",)
    assert not goes_by_kakaotalk(config)
