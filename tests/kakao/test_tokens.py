"""Tokens: when they count as fresh, what a reply changes, and what never shows."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.kakao.tokens import MARGIN, Tokens, from_json, merged, to_json
from kakaocron.kst import KST

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=KST)
SECOND = timedelta(seconds=1)
OLD = Tokens("AT", NOW, "RT", NOW + timedelta(days=20), "key", NOW, "KOE237", NOW)


@pytest.mark.parametrize(
    ("left", "is_fresh"), [(MARGIN - SECOND, False), (MARGIN, False), (MARGIN + SECOND, True)]
)
def test_a_token_is_fresh_while_more_than_the_margin_is_left(
    left: timedelta, is_fresh: bool
) -> None:
    assert Tokens("AT", NOW + left).is_fresh(NOW) is is_fresh


@pytest.mark.parametrize("tokens", [Tokens(), Tokens("AT"), Tokens(None, NOW + timedelta(days=1))])
def test_a_token_of_which_something_is_missing_is_not_fresh(tokens: Tokens) -> None:
    assert not tokens.is_fresh(NOW)


def test_a_reply_without_a_refresh_token_keeps_the_old_one() -> None:
    renewed = merged(OLD, {"access_token": "AT2", "expires_in": 21599}, NOW)

    assert (renewed.access_token, renewed.refresh_token) == ("AT2", "RT")
    assert renewed.access_expires_at == NOW + timedelta(seconds=21599)
    assert renewed.refresh_expires_at == OLD.refresh_expires_at
    assert renewed.client_id == "key"


def test_a_reply_with_a_refresh_token_replaces_the_old_one_and_its_expiry() -> None:
    reply = {
        "access_token": "AT2",
        "expires_in": 60,
        "refresh_token": "RT2",
        "refresh_token_expires_in": 5183999,
    }
    renewed = merged(OLD, reply, NOW)

    assert renewed.refresh_token == "RT2"
    assert renewed.refresh_expires_at == NOW + timedelta(seconds=5183999)


def test_a_reply_ends_an_earlier_refusal() -> None:
    renewed = merged(OLD, {"access_token": "AT2", "expires_in": 1}, NOW)

    assert (renewed.refused, renewed.refused_until, renewed.is_dead) == (None, None, False)


@pytest.mark.parametrize(
    ("refused", "until", "is_dead"),
    [(None, None, False), ("KOE237", NOW, False), ("KOE322", None, True)],
)
def test_a_login_is_dead_when_it_was_refused_without_an_end(
    refused: str | None, until: datetime | None, is_dead: bool
) -> None:
    assert Tokens(refused=refused, refused_until=until).is_dead is is_dead


@pytest.mark.parametrize(
    ("seconds", "is_to_wait"),
    [(-1, False), (0, False), (1, True), (3599, True), (3600, True), (3601, False), (86400, False)],
)
def test_a_pause_after_a_refusal_holds_unless_a_clock_ahead_has_reckoned_it(
    seconds: int, is_to_wait: bool
) -> None:
    tokens = Tokens(
        refresh_token="r", refused="KOE237", refused_until=NOW + timedelta(seconds=seconds)
    )

    assert tokens.is_to_wait(NOW) is is_to_wait
    assert tokens.wants_renewal(NOW) is not is_to_wait


def test_no_secret_shows_in_a_repr() -> None:
    shown = repr(Tokens("ACCESS-SECRET", NOW, "REFRESH-SECRET", NOW, "CLIENT-ID"))

    assert not any(word in shown for word in ("ACCESS-SECRET", "REFRESH-SECRET", "CLIENT-ID"))


_INSTANTS = st.none() | st.integers(0, 4_102_444_800_000).map(
    lambda number: datetime.fromtimestamp(0, KST) + timedelta(milliseconds=number)
)
_SECRETS = st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
_TEXTS = st.none() | st.text(st.characters(codec="utf-8"), max_size=40)


@given(
    st.builds(
        Tokens, _SECRETS, _INSTANTS, _SECRETS, _INSTANTS, _TEXTS, _INSTANTS, _TEXTS, _INSTANTS
    )
)
def test_a_token_file_is_read_back_as_it_was_written(tokens: Tokens) -> None:
    assert from_json(to_json(tokens)) == tokens


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"access_token": 5}',
        b'{"access_token": "SECRET", "access_expires_at": "soon"}',
        b'{"access_token": "SECRET", "access_expires_at": "2026-11-23T09:30:00"}',
        b'{"access_token": "SECRET", "access_expires_at": 5}',
        b'{"access_token": "SECRET", "access_expires_at": "9999-12-31T23:59:59-23:59"}',
        b'{"access_token": "SECRET", "refreshed_at": "0001-01-01T00:00:00+09:00"}',
        b'{"access_token": "SECRET \xed\x95\x9c"}',
        b'{"refresh_token": "SECRET\\r\\nX: y"}',
        b'{"access_token": "SECRET", "client_id": "\\ud800"}',
        to_json(OLD)[:-10],
    ],
)
def test_a_file_that_is_none_is_refused_without_quoting_it(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a token file") as caught:
        from_json(content)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("seconds", [10**12, 10**40, -1, -(10**40)])
def test_a_life_beyond_all_measure_is_cut(seconds: int) -> None:
    reply = {"access_token": "AT", "expires_in": seconds, "refresh_token": "RT"}
    renewed = merged(OLD, {**reply, "refresh_token_expires_in": seconds}, NOW)

    for end in (renewed.access_expires_at, renewed.refresh_expires_at):
        assert end is not None
        assert NOW <= end <= NOW + timedelta(days=3660)


def test_a_new_refresh_token_that_fits_no_request_is_passed_over() -> None:
    reply = {"access_token": "AT", "expires_in": 9, "refresh_token": "\ud800"}

    assert merged(OLD, reply, NOW).refresh_token == "RT"


def test_the_file_says_its_version() -> None:
    assert json.loads(to_json(Tokens()))["v"] == 1
