"""Debian's Prometheus and node_exporter, on a machine of the test's own, watch a real kakaocron.

Grafana is in no Debian: of its dashboard each query is put to the running Prometheus. Takes some
minutes: pytest -m deploy
"""

from __future__ import annotations

import json
import re
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.deploy.machines import (
    REPOSITORY,
    Machine,
    add_kakaocron,
    add_packages,
    booted,
    copy_root,
)
from tests.deploy.units import KAKAOCRON, every_minute, install_units, wait_until, write_config
from tests.fakes import free_port

DEPLOY = REPOSITORY / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "kakaocron.json").read_text())
TEXTFILE = "/var/lib/prometheus/node-exporter/kakaocron.prom"
SHOWN = re.compile(r"kakaocron_\w+")


class Prometheus:
    """The HTTP API of a running Prometheus."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/"

    def ask(self, what: str, **query: str) -> Any:
        address = self._url + what + "?" + urllib.parse.urlencode(query)
        with urllib.request.urlopen(address, timeout=20) as answer:
            said = json.load(answer)
        assert said["status"] == "success"
        return said["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        return list(self.ask("query", query=expression)["result"])

    def up(self) -> set[str]:
        """Return the jobs of which Prometheus has had an answer."""
        try:
            return {one["metric"]["job"] for one in self.query("up == 1")}
        except OSError:  # not there yet
            return set()

    def firing(self) -> set[str]:
        return {one["metric"]["alertname"] for one in self.query('ALERTS{alertstate="firing"}')}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(Kakao(seed=9), SystemClock().now) as server:
        yield server


def serve_and_scrape(machine: Machine) -> Prometheus:
    """Start `kakaocron serve`, node_exporter and Prometheus, each at a free port."""
    ports = {name: free_port() for name in ("kakaocron", "node", "prometheus")}
    settings = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    settings = settings.replace(":8787", f":{ports['kakaocron']}")
    settings = settings.replace(":9100", f":{ports['node']}").replace(": 30s", ": 2s")
    etc = machine.root / "etc"
    (etc / "prometheus" / "prometheus.yml").write_text(settings)
    shutil.copy(DEPLOY / "prometheus" / "kakaocron.rules.yml", etc / "prometheus")
    for service, port in (("prometheus-node-exporter", "node"), ("prometheus", "prometheus")):
        listen = f'ARGS="--web.listen-address=127.0.0.1:{ports[port]}"\n'
        (etc / "default" / service).write_text(listen)
        machine.run("systemctl", "restart", service)
    serve = ("serve", f"--port={ports['kakaocron']}")
    machine.run("systemd-run", "--property=User=me", "--unit=serve", KAKAOCRON, *serve)
    prometheus = Prometheus(ports["prometheus"])
    wait_until(lambda: prometheus.up() == {"kakaocron", "node"}, 60, "both are scraped")
    return prometheus


def publish_after_each_tick(machine: Machine) -> None:
    """Do what docs/watching.md says of the textfile under a timer."""
    machine.run("chown", "me", "/var/lib/prometheus/node-exporter")
    drop_in = machine.root / "home/me/.config/systemd/user/kakaocron.service.d/metrics.conf"
    drop_in.parent.mkdir(parents=True)
    documented = re.search(
        r"^(\[Service\]\nExecStopPost=.*)$",
        (REPOSITORY / "docs" / "watching.md").read_text(),
        re.MULTILINE,
    )
    assert documented
    drop_in.write_text(documented[1] + "\n")
    machine.run("chown", "-R", "me:", "/home/me/.config")


@pytest.mark.deploy
def test_prometheus_takes_metrics_rules_and_every_query_of_the_dashboard(
    debian_with_systemd: Path, tmp_path: Path, sandbox: SandboxServer
) -> None:
    root = copy_root(debian_with_systemd, tmp_path / "root")
    add_packages(root, "prometheus", "prometheus-node-exporter")
    add_kakaocron(root, "[web]")
    with booted(root) as machine:
        for tool in ("prometheus", "prometheus-node-exporter"):
            print(machine.run("dpkg-query", "-W", tool).strip())
        write_config(machine, "me", sandbox, every_minute("report"))
        publish_after_each_tick(machine)
        machine.linger("me")
        install_units(machine, "me")
        machine.run("systemctl", "--user", "start", "kakaocron.service", user="me")
        prometheus = serve_and_scrape(machine)
        wait_until(lambda: len(prometheus.query("kakaocron_healthy")) == 2, 60, "from both")
        check_with_promtool(machine)

        # The same names by either way.
        for name in {*SHOWN.findall(machine.run("cat", TEXTFILE))} - {"kakaocron_info"}:
            jobs = {one["metric"]["job"] for one in prometheus.query(name)}
            assert jobs == {"kakaocron", "node"}, name
        assert prometheus.query("node_textfile_scrape_error")[0]["value"][1] == "0"
        assert prometheus.query("kakaocron_deliveries_today{state='confirmed'} >= 1")
        # Slots of before the very first tick tell nothing of the lateness.
        wait_until(lambda: prometheus.query("kakaocron_delay_p99_seconds"), 150, "a third tick")
        check_dashboard(prometheus)

        rules = prometheus.ask("rules")["groups"][0]["rules"]
        assert {rule["health"] for rule in rules} == {"ok"}, rules
        assert prometheus.firing() == set()

        sandbox.faults.replace(script=["-532"])
        # Tried again until its time runs out, at the next minute.
        wait_until(lambda: "KakaocronNotDelivered" in prometheus.firing(), 150, "a failure")
        # An exit code of 1 keeps nobody from writing the textfile.
        failed = "kakaocron_deliveries_today{state='failed'} == 1"
        wait_until(lambda: len(prometheus.query(failed)) == 2, 30, "it is told either way")
        machine.run("systemctl", "--user", "stop", "kakaocron.timer", user="me")
        assert "KakaocronNoTick" not in prometheus.firing()
        wait_until(lambda: "KakaocronNoTick" in prometheus.firing(), 260, "no ticks any more")
        print("firing at the end:", sorted(prometheus.firing()))


def check_with_promtool(machine: Machine) -> None:
    folder = "/etc/prometheus"
    shutil.copy(REPOSITORY / "tests/deploy/rules.test.yml", f"{machine.root}{folder}")
    print(machine.run("promtool", "check", "config", f"{folder}/prometheus.yml"))
    print(machine.run("promtool", "test", "rules", f"{folder}/rules.test.yml"))
    lint = f"promtool check metrics <{TEXTFILE}"
    assert machine.run("sh", "-c", lint) == ""


def check_dashboard(prometheus: Prometheus) -> None:
    """Put each query of the dashboard to Prometheus, which must have an answer."""
    queries = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    for query in queries:
        assert prometheus.query(query), query
    print(f"{len(queries)} queries of the dashboard answered")


def test_rules_and_dashboard_name_metrics_that_there_are() -> None:
    """What Prometheus does not know, it has no fault to find with."""
    known = SHOWN.findall((REPOSITORY / "kakaocron" / "watching" / "prometheus.py").read_text())
    rules = (DEPLOY / "prometheus" / "kakaocron.rules.yml").read_text()
    expressions = re.sub(r"kakaocron\[\.\]prom|`[^`]*`", "", rules)
    queries = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    for text in (*expressions.splitlines(), *queries):
        assert {*SHOWN.findall(text)} <= {*known}, text
