"""The server: what it answers, to whom, and what every answer carries."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from kakaocron.cli import run
from kakaocron.commands.serve import is_local_only
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.events import to_line
from kakaocron.ledger.ledger import Ledger
from kakaocron.ledger.lookup import deliveries_of
from kakaocron.rehearsal.sandbox.pictures import draw
from kakaocron.schedule.slots import Slot
from kakaocron.system.clock import SystemClock
from kakaocron.watching.prometheus import Gauge, Sample, exposition
from kakaocron.web.server import HEADERS
from kakaocron.web.views import Views
from tests.fakes import keep_off_midnight
from tests.sites import Site, site, thirty_days
from tests.years import FINE, sent

__all__ = ["site", "thirty_days"]


def test_health_is_503_until_a_tick_runs_and_200_after_it(site: Site) -> None:
    before = site.get("/health")
    assert (before.status_code, before.json()["status"]) == (503, "unhealthy")

    site.tick()
    after = site.get("/health")
    assert set(after.json()) == {"v", "status", "scheduled_count", "success_rate", "problems"}
    ticks = [problem for problem in after.json()["problems"] if "tick" in problem]
    assert ticks == []


def test_health_with_a_broken_configuration_is_503_and_says_why(site: Site, home: Path) -> None:
    (home / "config.toml").write_text("nonsense")

    answer = site.get("/health")
    assert answer.status_code == 503
    assert "not TOML" in answer.json()["problems"][0]


@pytest.mark.parametrize("path", ["/metrics", "/api/status", "/api/page", "/api/explain?at=09:30"])
def test_a_broken_configuration_is_no_fault_of_who_asks(site: Site, home: Path, path: str) -> None:
    (home / "config.toml").write_text("nonsense")

    answer = site.get(path)
    assert answer.status_code == 503
    assert "not TOML" in answer.json()["problems"][0]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/explain", 400, "Cannot read the time ''"),
        ("/api/explain?at=soon", 400, "Cannot read the time 'soon'"),
        ("/api/deliveries/nonsense", 404, "is not a delivery id"),
        ("/api/deliveries/report@20200101T0930", 404, "The ledger has no delivery"),
    ],
)
def test_what_cannot_be_found_or_read_is_the_asker_s_fault(
    site: Site, path: str, status: int, said: str
) -> None:
    answer = site.get(path)

    assert answer.status_code == status
    assert said in answer.json()["problems"][0]


def test_the_status_is_that_of_the_command(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.tick()
    found = site.get("/api/status").json()
    assert run(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert found.keys() == told.keys()
    assert found["today"] == told["today"]


def test_the_metrics_are_read_by_prometheus_own_parser(site: Site) -> None:
    site.tick()
    answer = site.get("/metrics")
    families = {one.name: one for one in text_string_to_metric_families(answer.text)}

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert all(one.type == "gauge" for one in families.values())
    counts = {s.labels["state"]: s.value for s in families["kakaocron_deliveries_today"].samples}
    assert counts["confirmed"] == site.get("/api/status").json()["stats"]["total_confirmed"]


def test_a_label_keeps_its_quotes_and_newlines() -> None:
    text = 'a "quoted"\\ \n name'
    page = exposition([Gauge("m", "a \\ b\nc", (Sample(1.5, {"message": text}), Sample(None)))])
    (family,) = text_string_to_metric_families(page)

    assert family.samples[0].labels == {"message": text}
    assert family.documentation == "a \\ b\nc"


def test_the_textfile_is_whole_and_readable_by_others(
    site: Site, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = home / "kakaocron.prom"
    target.write_text("old")
    assert run(["metrics", "--textfile", str(target)]) == 0

    assert list(text_string_to_metric_families(target.read_text()))
    assert target.stat().st_mode & 0o777 == 0o644
    assert [found.name for found in home.glob("kakaocron.prom*")] == ["kakaocron.prom"]
    assert capsys.readouterr().out == ""


def test_a_textfile_in_no_folder_is_refused_with_its_name(
    site: Site, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["metrics", "--textfile", str(home / "none" / "k.prom")]) == 2
    assert "none/k.prom" in capsys.readouterr().err


def test_a_textfile_that_cannot_be_put_in_place_leaves_nothing_behind(
    site: Site, home: Path
) -> None:
    (home / "k.prom").mkdir()

    assert run(["metrics", "--textfile", str(home / "k.prom")]) == 2
    assert [found.name for found in home.glob("k.prom*")] == ["k.prom"]


@pytest.mark.parametrize("path", ["/", "", "."])
def test_a_textfile_without_a_name_is_refused(site: Site, path: str) -> None:
    assert run(["metrics", "--textfile", path]) == 2


def test_the_textfile_does_not_go_on_saying_that_all_is_well(site: Site, home: Path) -> None:
    target = home / "kakaocron.prom"
    site.tick()
    assert run(["metrics", "--textfile", str(target)]) == 0
    assert "kakaocron_healthy 1" in target.read_text()
    (home / "config.toml").write_text("nonsense")

    assert run(["metrics", "--textfile", str(target)]) == 2
    (family,) = text_string_to_metric_families(target.read_text())
    assert [(one.name, one.value) for one in family.samples] == [("kakaocron_healthy", 0)]


def test_what_is_sent_by_hand_adds_no_label_each_time(site: Site) -> None:
    keep_off_midnight()
    for text in ("하나", "둘"):
        assert run(["send", text]) == 0
        assert run(["schedule", text, "--in", "1m"]) == 0
    families = {one.name: one for one in text_string_to_metric_families(site.get("/metrics").text)}
    counts = {
        (sample.labels["message"], sample.labels["state"]): sample.value
        for sample in families["kakaocron_deliveries_today"].samples
    }

    assert {message for message, _ in counts} <= {"report", "send", "once"}
    assert (counts["send", "confirmed"], counts["once", "scheduled"]) == (2, 2)


@pytest.mark.parametrize(
    "path", ["/", "/health", "/metrics", "/api/status", "/api/none", "/static/app.js"]
)
def test_every_answer_carries_the_security_headers(site: Site, path: str) -> None:
    found = site.get(path).headers

    assert {name: found.get(name) for name in HEADERS} == HEADERS
    assert "server" not in found


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/health", "/api/status", "/api/deliveries"])
def test_nothing_can_be_written(site: Site, method: str, path: str) -> None:
    assert requests.request(method, site.url + path, timeout=10).status_code == 405


def test_another_host_s_name_is_refused(site: Site) -> None:
    assert site.get("/api/status", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/static/../views.py",
        "/static/%2e%2e/views.py",
        "/static/..%2f..%2fconfig.py",
        "/static//etc/passwd",
        "/api/deliveries/..%2f..%2ftokens.json",
    ],
)
def test_no_other_file_can_be_read(site: Site, path: str) -> None:
    prepared = requests.Request("GET", site.url).prepare()
    prepared.url = site.url + path
    with requests.Session() as session:
        assert session.send(prepared, timeout=10).status_code == 404


def test_what_rests_is_told_with_its_end(site: Site) -> None:
    assert site.get("/api/page").json()["pauses"] == []
    day = SystemClock().now().date() + timedelta(days=90)
    assert run(["pause", "report", "--until", f"{day} 03:04", "--note", "a move"]) == 0
    assert run(["pause"]) == 0

    assert site.get("/api/page").json()["pauses"] == [
        {"message": "report", "until": f"{day}T03:04:00+09:00", "note": "a move"},
        {"message": None, "until": None, "note": None},
    ]


def test_a_message_of_the_past_can_be_chosen_too(site: Site, home: Path) -> None:
    at = datetime.combine(SystemClock().now(), time(9, 30), KST) - timedelta(days=20)
    events = sent(Slot("old", at, "regular"), at, FINE, random.Random(1))
    with (home / "data" / "ledger" / f"{at.date()}.jsonl").open("ab") as ledger:
        ledger.writelines(to_line(event) for event in events)

    assert site.get("/api/page").json()["messages"] == ["old", "report"]


def test_the_picture_of_a_message_is_shown_as_it_is_now(site: Site, home: Path) -> None:
    chart, config = draw(300, 200).content, home / "config.toml"
    config.write_text(config.read_text("utf-8") + 'image = "chart.png"\n', "utf-8")
    missing = site.get("/api/pictures/report")
    (home / "chart.png").write_bytes(chart)
    shown = site.get("/api/pictures/report")
    (home / "chart.png").write_text("<script>alert(1)</script>")
    hostile = site.get("/api/pictures/report")

    assert (shown.status_code, shown.content) == (200, chart)
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert [one.status_code for one in (missing, hostile)] == [404, 404]
    assert "script" not in hostile.text
    assert site.get("/api/page").json()["pictures"] == ["report"]


def test_no_command_is_run_for_who_looks(site: Site, home: Path) -> None:
    config = home / "config.toml"
    config.write_text(config.read_text("utf-8") + 'image_command = ["touch", "ran"]\n', "utf-8")

    for name in ("report", "none", "..%2fconfig.toml"):
        assert site.get(f"/api/pictures/{name}").status_code == 404
    assert site.get("/api/page").json()["pictures"] == []
    assert not (home / "ran").exists()


def test_deliveries_are_filtered(site: Site) -> None:
    everything = site.get("/api/deliveries?days=30").json()["rows"]
    unknown = site.get("/api/deliveries?days=30&state=unknown").json()["rows"]
    worded = site.get("/api/deliveries?days=30&text=NO-SUCH").json()["rows"]

    assert {one["state"] for one in everything} >= {"confirmed", "unknown", "missed"}
    assert {one["state"] for one in unknown} == {"unknown"}
    assert worded == []
    slots = [one["slot"] for one in everything]
    assert slots == sorted(slots, reverse=True)


def test_a_list_that_is_cut_says_how_long_it_would_be(site: Site) -> None:
    found = site.get("/api/deliveries?days=30").json()
    days = site.get("/api/days").json()

    assert len(found["rows"]) == 500
    assert found["total"] == sum(hour["count"] for day in days for hour in day["hours"] if hour)
    assert site.get("/api/deliveries?text=NO-SUCH").json() == {"v": 1, "total": 0, "rows": []}


@pytest.mark.parametrize("query", ["days=x", "days=-1", "days=999999999999", "state=%00", "text=("])
def test_any_query_is_answered(site: Site, query: str) -> None:
    assert site.get(f"/api/deliveries?{query}").status_code == 200


def test_one_delivery_comes_with_its_attempts_and_its_explanation(site: Site) -> None:
    unknown = site.get("/api/deliveries?days=30&state=unknown").json()["rows"][0]
    found = site.get(f"/api/deliveries/{unknown['id']}").json()

    assert found["attempt_log"][0]["results"]["me"]["state"] == "unknown"
    assert f"kakaocron resolve {unknown['id']}" in found["explained"]["next"]


def test_the_version_changes_when_a_tick_sends_and_not_before(site: Site) -> None:
    before, again = (_version(site) for _ in range(2))
    site.tick()

    assert before == again != _version(site)


def _version(site: Site) -> str:
    version: str = site.get("/api/version").json()["version"]
    return version.partition("-")[2]  # before it stands the minute, which may turn here


def test_only_what_has_changed_is_read_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[date] = []

    def noted(ledger: Ledger, day: date) -> tuple[Delivery, ...]:
        read.append(day)
        return deliveries_of(ledger, day)

    monkeypatch.setattr("kakaocron.web.views.deliveries_of", noted)
    views = Views(None)
    days = [date.fromisoformat(one["day"]) for one in views.days()]
    assert read == days
    site.tick()
    views.days()

    assert views.installation() is views.installation()
    assert len(days) == 30
    assert set(read[30:]) == {views.installation().clock.now().date()}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("h", False)],
)
def test_what_an_address_means_is_known(host: str, expected: bool) -> None:
    assert is_local_only(host) is expected


def test_a_port_in_use_is_said(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    port = site.url.rpartition(":")[2]
    assert run(["serve", "--port", port]) == 2
    assert f"port {port}" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "\udcff"])
def test_a_host_that_is_none_is_said(site: Site, host: str) -> None:
    argv = [sys.executable, "-m", "kakaocron", "serve", "--host", host, "--port", "0"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)

    assert ended.returncode == 2
    assert ended.stderr.endswith("is no address or host name\n")


def test_requests_side_by_side_are_all_answered(site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda days: site.get(f"/api/deliveries?days={days}"), range(1, 9))

    assert {answer.status_code for answer in answers} == {200}
