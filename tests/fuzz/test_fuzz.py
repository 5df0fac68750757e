"""A sample of the tries; `python -m tests.fuzz --cpu-minutes 30` plays many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kakaocron.rehearsal.sandbox.wire import WireRequest
from tests.fuzz.answers import let_the_token_die
from tests.fuzz.campaign import KINDS, Campaign, houses
from tests.fuzz.files import put_in_place
from tests.fuzz.house import House
from tests.fuzz.judge import faults
from tests.fuzz.server import Reply


@pytest.fixture(scope="module")
def furnished() -> Iterator[list[House]]:
    with houses() as found:
        yield found


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize(("kind", "seeds"), [("files", range(24)), ("answers", range(40))])
def test_a_sample_of_spoilt_files_and_answers(
    kind: str, seeds: range, furnished: list[House]
) -> None:
    assert kind in KINDS
    campaign = Campaign(kind, furnished)
    for seed in seeds:
        campaign.play(seed)

    assert campaign.faults == []
    assert campaign.tally.cases == len(seeds)


READ_BY_A_TICK = (
    "config/config.toml",
    "config/.env",
    "credentials/kakao_rest_api_key",
    "data/ledger/2026-11-23.jsonl",
    "data/ledger.lock",
    "data/tokens.json",
    "data/pauses.json",
    "data/timetables.json",
    "data/alarms.json",
    "log/ticks/2026-11-23",
    "log/kakaocron.log",
)


@pytest.mark.parametrize("way", ["fifo", "dev/zero"])
@pytest.mark.parametrize("name", READ_BY_A_TICK)
def test_a_pipe_or_an_endless_device_in_a_files_place_keeps_nobody_waiting(
    name: str, way: str, furnished: list[House]
) -> None:
    house = furnished[0]
    house.restore()
    with house.lived_in():
        put_in_place(house, name, way)
        house.set("09:46:01")
        done = house.kakaocron("tick")

        assert faults(done, house) == []


def test_the_doctor_works_where_the_configuration_may_not_be_seen(furnished: list[House]) -> None:
    house = furnished[0]
    house.restore()
    with house.lived_in():
        put_in_place(house, "config", "forbidden")
        done = house.kakaocron("doctor", nobody=True)

        assert (done.code, faults(done, house)) == (1, [])
        assert "Permission denied" in done.out


SHAPES = (
    ("/v1/api/talk/friends", ("friends", "--json"), b'{"elements":"x","after_url":"y"}'),
    ("/v1/api/talk/friends", ("friends",), b'{"elements":[null,{"uuid":["x"]},{"uuid":5}]}'),
    ("/v1/api/talk/friends", ("doctor",), b'{"elements":{"uuid":"x"}}'),
    ("/v2/user/scopes", ("doctor",), b'{"scopes":[true,{"id":[]},{"id":null,"agreed":"x"}]}'),
    ("/v2/user/scopes", ("login", "--no-browser"), b'{"scopes":5}'),
    ("/v2/user/me", ("login", "--no-browser"), b'{"id":{"a":1},"properties":[]}'),
    ("/v1/user/access_token_info", ("doctor", "--json"), b'{"id":"\\u001b[2J"}'),
    ("/oauth/token", ("login", "--no-browser"), b'{"error_code":"\\u001b[2J"}'),
    ("/oauth/token", ("tick",), b'{"error_code":"\\u202e"}'),
    ("/oauth/token", ("tick",), b'{"access_token":"\\u202e","expires_in":9}'),
    ("/oauth/token", ("tick",), b'{"access_token":"x","expires_in":1%b}' % (b"0" * 40)),
    ("/oauth/token", ("tick",), b'{"access_token":"x","expires_in":9,"refresh_token":"\\ud800"}'),
)


@pytest.mark.parametrize(("path", "words", "body"), SHAPES)
def test_json_of_a_wrong_shape_is_no_surprise(
    path: str, words: tuple[str, ...], body: bytes, furnished: list[House]
) -> None:
    house = furnished[0]
    house.restore()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)

    def hostile(request: WireRequest, _: object) -> Reply | None:
        return Reply([head + body]) if request.path == path else None

    with house.lived_in():
        let_the_token_die(house)
        house.set("09:45:01")
        house.server.hostile = hostile
        done = house.kakaocron(*words, stdin=b"http-code-1234567890\n")

        assert faults(done, house) == []
