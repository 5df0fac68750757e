"""deploy/kubernetes.yaml and deploy/compose.hosts.yaml name what kakaocron knows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
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


def test_the_tables_are_made_by_a_job_that_is_a_tick_but_for_its_command() -> None:
    """kubectl gives the job as JSON, a word a line."""
    known = (DEPLOY / "kubernetes.yaml").read_text("utf-8")
    (script,) = re.findall(r"\| *\n# +sed '(.*)' \|", known)
    a = next(one for one in documents("kubernetes.yaml") if one["kind"] == "CronJob")
    job = json.dumps(a["spec"]["jobTemplate"], indent=4)

    made = subprocess.run(["sed", script], input=job, capture_output=True, text=True, check=True)

    before, after = json.loads(job), json.loads(made.stdout)
    container = before["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["kakaocron", "ledger", "init"]
    assert after == before


@pytest.mark.hosts
@pytest.mark.parametrize(
    ("name", "check"),
    [
        # From the first one whose CronJobs have a time zone for good.
        ("kubernetes.yaml", "kubernetes-validate --strict -k 1.27"),
        ("kubernetes.yaml", "kubernetes-validate --strict"),
        ("compose.hosts.yaml", "check-jsonschema --builtin-schema vendor.compose-spec"),
        ("compose.yaml", "check-jsonschema --builtin-schema vendor.compose-spec"),
    ],
)
def test_the_files_are_what_their_schemas_want(name: str, check: str) -> None:
    program, *words = check.split()
    path = Path(sys.executable).with_name(program)
    if not path.exists():
        pytest.skip(f"{program} is not installed (.ci/proofs hosts installs it)")
    done = subprocess.run(
        [path, *words, DEPLOY / name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_secret_is_one_that_is_looked_for() -> None:
    (secret,) = (one for one in documents("kubernetes.yaml") if one["kind"] == "Secret")
    compose = documents("compose.hosts.yaml")[0]

    known = {name.lower() for name in SECRET_NAMES}
    assert secret["stringData"].keys() <= known
    assert compose["secrets"].keys() - {"db_password"} <= known


def test_the_configuration_of_the_pods_can_be_used() -> None:
    (config,) = (one for one in documents("kubernetes.yaml") if one["kind"] == "ConfigMap")

    assert parse_config(config["data"]["config.toml"], "config.toml").message[0].name == "report"
