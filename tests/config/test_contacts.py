"""Whom a message can go to: what names mean, by which channel each is reached, and which clash."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from msgspec.structs import fields

from kakaocron.config.contacts import KAKAOTALK, UUID
from kakaocron.config.reading import ConfigError, parse_config
from kakaocron.config.schema import AccountSettings, Config, KakaoSettings, wanted_scopes
from kakaocron.messages.faults import faults
from kakaocron.messages.making import Contents
from kakaocron.system.programs import Programs
from tests.fakes import MESSAGE

PEOPLE = """
[friends]
"지우" = "uuid-aaa"
[account.minji]
[account.bot]
[group]
riders = ["minji", "지우", "uuid-ccc"]
all = ["me", "minji"]
"""


def read(text: str) -> Config:
    return parse_config(text, "config.toml")


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("to", "kept"),
    [
        (["me"], ["me"]),
        (["minji"], ["minji"]),
        (["지우", "uuid-bbb"], ["uuid-aaa", "uuid-bbb"]),
        (["riders"], ["minji", "uuid-aaa", "uuid-ccc"]),
        (["all", "riders", "지우"], ["me", "minji", "uuid-aaa", "uuid-ccc"]),
        (["nobody"], ["nobody"]),
        ([unicodedata.normalize("NFD", "지우")], ["uuid-aaa"]),
    ],
)
def test_a_name_means_its_receivers_each_once(to: list[str], kept: list[str]) -> None:
    assert list(read(PEOPLE + MESSAGE).contacts.receivers(to)) == kept


def test_another_sender_is_named_with_each_friend_and_with_nobody_else() -> None:
    contacts = read(PEOPLE + MESSAGE).contacts

    assert contacts.receivers(["me", "riders", "nobody"], "bot") == (
        "me", "minji", "uuid-aaa@bot", "uuid-ccc@bot", "nobody",
    )  # fmt: skip
    assert contacts.names()["uuid-aaa@bot"] == contacts.names()["uuid-aaa"] == "지우"


@pytest.mark.parametrize(
    ("receiver", "channel", "sender"),
    [
        ("me", KAKAOTALK, None),
        ("minji", f"{KAKAOTALK}:minji", None),
        ("uuid-aaa", KAKAOTALK, ""),
        ("uuid-aaa@bot", f"{KAKAOTALK}:bot", "bot"),
        ("uuid-aaa@gone", KAKAOTALK, ""),  # an account that was taken out: nobody may be reached
        ("gone", KAKAOTALK, ""),
    ],
)
def test_the_form_tells_the_channel_and_who_sends(
    receiver: str, channel: str, sender: str | None
) -> None:
    contacts = read(PEOPLE + MESSAGE).contacts

    assert contacts.channel_of(receiver) == channel
    assert contacts.sender_of(receiver) == sender


@pytest.mark.parametrize("known", ["me", "minji", "지우", "riders", "uuid-bbb", "uuid-aaa@bot"])
def test_who_can_be_reached_is_no_stranger(known: str) -> None:
    assert read(PEOPLE + MESSAGE).contacts.stranger(known) is None


@pytest.mark.parametrize("unknown", ["mingi", "uuid-aaa@gone", "minji@bot", "me@bot", "ab@bot", ""])
def test_who_cannot_be_reached_is_a_stranger(unknown: str) -> None:
    assert f"'{unknown}' is neither" in str(read(PEOPLE + MESSAGE).contacts.stranger(unknown))


def test_a_name_like_that_of_an_account_is_asked_after() -> None:
    assert "did you mean 'minji'?" in str(read(PEOPLE + MESSAGE).contacts.stranger("minij"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[account.me]\n", "1: account.me: 'me' is yourself"),
        ('[group]\nme = ["uuid-aaa"]\n', "2: group.me: 'me' is yourself"),
        (
            '[friends]\nminji = "uuid-aaa"\n[account.minji]\n',
            "3: account.minji: 'minji' is in [friends] too",
        ),
        (
            '[account.minji]\n[group]\nminji = ["me"]\n',
            "3: group.minji: 'minji' is in [account] too",
        ),
        (
            '[friends]\nmum = "uuid-aaa"\n[group]\n"mum" = ["me"]\n',
            "4: group.mum: 'mum' is in [friends] too",
        ),
        (
            '[friends]\nmum = "uuid-aaa"\n[account.uuid-aaa]\n',
            "3: account.uuid-aaa: 'uuid-aaa' is a friend's uuid",
        ),
        (
            "[account.shop-1]\n[account.shop_1]\n",
            "2: account.shop_1: 'shop_1' and 'shop-1' would share their variables, "
            "KAKAO_ACCOUNT_SHOP_1_",
        ),
        (
            "[account.Minji]\n[account.minji]\n",
            "2: account.minji: 'minji' and 'Minji' would share their variables",
        ),
        ('[account."a.b"]\n', "1: account.a.b: an account's name may hold"),
        (f"[account.{'a' * 33}]\n", f"1: account.{'a' * 33}: an account's name may hold"),
        ('[account."../x"]\n', "an account's name may hold"),
        ("[account.minji]\ntimeout = 0\n", "2: account.minji.timeout: must be greater than 0"),
        (
            '[account.minji]\nrest_key = "x"\n',
            "2: account.minji.rest_key: unknown key; did you mean 'rest_api_key'?",
        ),
        ('[account.minji]\nlink = "x"\n', "2: account.minji.link: must be an address"),
        ("[account.minji]\nclient_secret = 5\n", "account.minji.client_secret: must be a string"),
        ('[account]\nminji = "x"\n', "2: account.minji: must be a table"),
        ("[group]\nriders = []\n", "2: group.riders: is empty"),
        ('[group]\nriders = "minji"\n', "2: group.riders: must be a list of receivers"),
        ('[group]\nriders = ["me", "me"]\n', "2: group.riders: receiver 'me' is empty or listed"),
        (
            '[group]\na = ["me"]\nb = ["a", "uuid-aaa"]\n',
            "3: group.b: 'a' is a group; a group holds receivers",
        ),
        (
            '[friends]\nmum = "uuid-aaa"\n[group]\na = ["mum", "uuid-aaa"]\n',
            "4: group.a: 'mum' and 'uuid-aaa' are the same receiver",
        ),
        (
            '[account.minji]\n[[message]]\nname = "m"\nslots = ["regular"]\ntext = "x"\n'
            'to = ["uuid-aaa"]\nfrom = "mingi"\n',
            "7: message[1].from: there is no account 'mingi'; did you mean 'minji'?",
        ),
        (
            '[account.minji]\n[[message]]\nname = "m"\nslots = ["regular"]\ntext = "x"\n'
            'to = ["me", "minji"]\nfrom = "minji"\n',
            "7: message[1].from: there is no friend in to",
        ),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_line(text: str, fault: str) -> None:
    found = refused(text if "[[message]]" in text else text + MESSAGE)

    assert len(found) == 1
    assert fault in found[0]


def test_a_fault_of_an_account_says_nothing_of_the_messages_that_name_it() -> None:
    text = '[account.minji]\ntimeout = 0\n[group]\nall = ["me", "minji"]\n'
    message = MESSAGE + 'to = ["all"]\nfrom = "minji"\n'

    assert [fault.partition(": ")[0] for fault in refused(text + message)] == ["config.toml:2"]


@pytest.mark.parametrize(("count", "is_fine"), [(99, True), (100, True), (101, False)])
def test_a_message_has_a_hundred_receivers_at_most_those_of_groups_counted(
    count: int, is_fine: bool
) -> None:
    members = ", ".join(f'"uuid-{number:04d}"' for number in range(count))
    text = f"[group]\nmany = [{members}]\n{MESSAGE}" + 'to = ["many"]\n'

    if is_fine:
        assert len(read(text).series()[0].to) == count
    else:
        assert "is 101 receivers with those of its groups, and 100 may be" in refused(text)[0]


def test_a_stranger_in_a_group_is_named(tmp_path: Path) -> None:
    config = read('[group]\nall = ["me", "mum"]\n' + MESSAGE + 'to = ["all"]\n')
    contents = Contents(config, tmp_path, Programs({}))

    assert [keys for keys, said in faults(contents, None) if "'mum' is neither" in said] == [
        ("group", "all")
    ]


def test_what_an_account_does_not_say_is_as_in_kakao() -> None:
    text = (
        '[kakao]\nrest_api_key = "one"\nclient_secret = "its"\ntimeout = 3\n'
        '[account.minji]\ntimeout = 5\n[account.jun]\nlink = "https://jun.example"\n'
    )
    config = read(text + MESSAGE)
    minji, jun = config.kakao_of("minji"), config.kakao_of("jun")

    assert (minji.timeout, jun.timeout) == (5, 3)
    assert (minji.link, jun.link) == (config.kakao.link, "https://jun.example")
    assert minji.api_url == config.kakao.api_url
    assert config.kakao_of("") == config.kakao


def test_an_account_has_the_keys_of_kakao() -> None:
    assert [one.name for one in fields(AccountSettings)] == [
        one.name for one in fields(KakaoSettings)
    ]


def test_the_configuration_is_shown_without_the_secrets_of_accounts() -> None:
    text = (
        '[account.minji]\nrest_api_key = "parrot"\nclient_secret = "macaw"\n[group]\na = ["me"]\n'
    )
    shown = read(text + MESSAGE + 'to = ["a", "uuid-bbb"]\nfrom = "minji"\n').fields()

    assert "parrot" not in str(shown)
    assert "macaw" not in str(shown)
    assert shown["group"] == {"a": ["me"]}
    assert shown["message"][0]["from"] == "minji"


def test_a_profile_may_give_an_account_other_servers() -> None:
    text = (
        f'[account.minji]\n{MESSAGE}[profile.testing.account.minji]\napi_url = "http://[::1]:1"\n'
    )

    assert (
        parse_config(text, "config.toml", "testing").kakao_of("minji").api_url == "http://[::1]:1"
    )
    assert read(text).kakao_of("minji").api_url == "https://kapi.kakao.com"


@pytest.mark.parametrize(
    ("text", "default", "minji"),
    [
        ("[account.minji]\n" + MESSAGE + 'to = ["me", "minji"]\n', 1, 1),
        ("[account.minji]\n" + MESSAGE + 'to = ["uuid-aaa"]\nfrom = "minji"\n', 1, 2),
        ("[friends]\n[account.minji]\n" + MESSAGE + 'to = ["me", "minji"]\n', 2, 1),
        ("[friends]\n[account.minji]\n" + MESSAGE + 'to = ["uuid-aaa"]\nfrom = "minji"\n', 1, 2),
        ("[account.minji]\n" + MESSAGE + 'to = ["uuid-aaa"]\n', 2, 1),
    ],
)
def test_an_account_is_asked_for_the_friends_that_it_sends_to(
    text: str, default: int, minji: int
) -> None:
    config = read(text)

    assert len(wanted_scopes(config)) == default
    assert len(wanted_scopes(config, "minji")) == minji


def test_no_uuid_of_kakaos_holds_what_stands_before_the_sender() -> None:
    assert UUID.fullmatch("uuid-aaa@bot") is None
