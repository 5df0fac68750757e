"""One login for all hosts: sealed in the database, renewed by one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kakaocron.errors import LedgerError, LoginError
from kakaocron.installation import Installation
from kakaocron.kakao.login import NoTokenNowError
from kakaocron.kakao.tokens import from_json
from kakaocron.ledger.ledger import OvertakenError
from kakaocron.ledger.postgres.documents import SharedDocument
from tests.hosts.house import House

KEY = "a-long-and-random-text-that-only-the-hosts-have"


@pytest.fixture
def sharing(house: House) -> House:
    """Hosts with the key, of which one has logged in."""
    house.variables = {"KAKAOCRON_LOGIN_KEY": KEY}
    house.host("a").login.renew(None)
    house.variables |= {"KAKAO_REFRESH_TOKEN": ""}
    return house


def tokens_of(here: Installation) -> str:
    return here.login.read().access_token or ""


def test_who_has_not_logged_in_has_the_login_of_the_others(sharing: House) -> None:
    a, b = sharing.host("a"), sharing.host("b")

    assert tokens_of(b) == tokens_of(a) != ""
    assert b.login.access_token() == tokens_of(a)


def test_the_database_holds_no_token(sharing: House) -> None:
    tokens = sharing.host("a").login.read()
    kept = sharing.server.psql("SELECT name, content FROM kakaocron.document")

    assert kept.startswith("login|")
    assert tokens.access_token and tokens.access_token not in kept
    assert tokens.refresh_token and tokens.refresh_token not in kept


def test_one_renewal_serves_all(sharing: House) -> None:
    first = tokens_of(sharing.host("a"))
    renewed = sharing.host("b").login.renew(first)

    assert renewed != first
    assert sharing.host("a").login.renew(first) == renewed  # found, and not asked for again
    assert tokens_of(sharing.host("c")) == renewed


def test_while_one_renews_the_others_wait_for_a_later_tick(sharing: House) -> None:
    a, b = sharing.host("a").login, sharing.host("b").login
    assert a.shelf is not None

    with a.shelf.alone(), pytest.raises(NoTokenNowError, match="Another host is at 'login'"):
        b.renew(tokens_of(sharing.host("b")))


def test_a_key_that_is_another_reads_nothing_and_says_so(sharing: House) -> None:
    sharing.variables |= {"KAKAOCRON_LOGIN_KEY": KEY + "x"}

    with pytest.raises(LoginError, match="cannot be read with this KAKAOCRON_LOGIN_KEY"):
        sharing.host("b").login.read()


def test_without_the_database_a_host_goes_on_with_its_copy(
    sharing: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kakaocron.ledger.postgres.connection.ASKING_SECONDS", 0.05)
    b = sharing.host("b")
    known = tokens_of(b)
    sharing.faults = [lambda *_: True]

    assert tokens_of(sharing.host("b")) == known


def test_what_was_renewed_while_the_database_was_away_counts(
    sharing: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer came, and the database did not take it any more."""
    from kakaocron.ledger.postgres import documents  # noqa: PLC0415

    monkeypatch.setattr("kakaocron.ledger.postgres.connection.ASKING_SECONDS", 0.05)
    first = tokens_of(sharing.host("a"))
    sharing.clock.set("09:40:00")
    sharing.faults = [lambda what, _: what == documents._WRITE]
    renewed = sharing.host("a").login.renew(first)
    sharing.faults = []
    assert tokens_of(sharing.host("b")) == first

    assert sharing.host("a").login.renew(first) == renewed
    sharing.host("a").login.share()
    assert tokens_of(sharing.host("b")) == renewed


def test_who_logs_out_logs_out_all(sharing: House) -> None:
    assert tokens_of(sharing.host("b"))
    assert sharing.host("a").login.forget()

    assert tokens_of(sharing.host("b")) == ""
    assert not Path(sharing.host("b").login.path).exists()


def test_without_a_key_each_host_has_a_login_of_its_own(house: House) -> None:
    house.tick("a")

    assert house.host("a").login.shelf is None
    count = "SELECT count(*) FROM kakaocron.document WHERE name LIKE 'login%'"
    assert house.server.psql(count) == "0"
    assert from_json(Path(house.host("a").login.path).read_bytes()).access_token


@pytest.mark.parametrize(("times", "is_put"), [(3, True), (4, True), (5, False)])
def test_a_login_that_others_change_again_and_again_is_left_to_the_next_renewal(
    sharing: House, monkeypatch: pytest.MonkeyPatch, times: int, is_put: bool
) -> None:
    shelf, left = sharing.host("a").login.shelf, [times]
    write = SharedDocument.write

    def overtaken(self: SharedDocument, content: bytes) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise OvertakenError("login")
        write(self, content)

    monkeypatch.setattr(SharedDocument, "write", overtaken)
    assert shelf is not None
    if is_put:
        shelf.put(b"tokens")
        assert shelf.fetch() == b"tokens"
    else:
        with pytest.raises(LedgerError, match="'login' was changed by another host"):
            shelf.put(b"tokens")
