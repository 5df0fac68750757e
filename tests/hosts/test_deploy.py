"""deploy/kubernetes.yaml and deploy/compose.hosts.yaml name what kakaocron knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kakaocron.config.reading import parse_config
from kakaocron.system.places import SECRET_NAMES

yaml = pytest.importorskip("yaml")
DEPLOY = Path(__file__).parents[2] / "deploy"


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text("utf-8")))


def test_two_hosts_differ_by_their_name_alone() -> None:
    a, b = (one for one in documents("kubernetes.yaml") if one["kind"] == "CronJob")

    assert json.dumps(a["spec"]).replace('"value": "a"', '"value": "b"') == json.dumps(b["spec"])
    assert (a["metadata"]["name"], b["metadata"]["name"]) == ("kakaocron-a", "kakaocron-b")
    # The controller looks every ten seconds; forbidding overlap would lose a minute.
    assert a["spec"]["startingDeadlineSeconds"] > 10
    assert (a["spec"]["timeZone"], a["spec"]["concurrencyPolicy"]) == ("Asia/Seoul", "Allow")


def test_each_secret_is_one_that_is_looked_for() -> None:
    (secret,) = (one for one in documents("kubernetes.yaml") if one["kind"] == "Secret")
    compose = documents("compose.hosts.yaml")[0]

    known = {name.lower() for name in SECRET_NAMES}
    assert secret["stringData"].keys() <= known
    assert compose["secrets"].keys() - {"db_password"} <= known


def test_the_configuration_of_the_pods_can_be_used() -> None:
    (config,) = (one for one in documents("kubernetes.yaml") if one["kind"] == "ConfigMap")

    assert parse_config(config["data"]["config.toml"], "config.toml").message[0].name == "report"
