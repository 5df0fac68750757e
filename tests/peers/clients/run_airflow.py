"""Sends by the hook and the operator of airflow-provider-kakao, from its files, without Airflow.

What the provider asks of Airflow is a base of its hook and operator and a saved connection.
"""

# mypy: ignore-errors
# ruff: noqa: PLC0415

import json
import logging
import os
import sys
from types import ModuleType, SimpleNamespace

from script import KEY, LINK, REFRESH, SECRET, tell


class BaseHook:
    log = logging.getLogger("hook")

    def get_connection(self, name):
        assert name == "kakao_default"
        extra = {"client_secret": SECRET}
        return SimpleNamespace(login=KEY, password=REFRESH, extra_dejson=extra)


class BaseOperator:
    def __init__(self, task_id):
        self.task_id = task_id


class AirflowError(Exception):
    pass


def stand_in_for_airflow():
    for name in ("common", "common.compat", "common.compat.sdk"):
        sys.modules[f"airflow.providers.{name}"] = ModuleType(name)
    sdk = sys.modules["airflow.providers.common.compat.sdk"]
    sdk.BaseHook, sdk.BaseOperator, sdk.AirflowException = BaseHook, BaseOperator, AirflowError


def main(case):
    from airflow.providers.kakao.operators.kakao import KakaoTalkOperator

    feed = {
        "object_type": "feed",
        "content": {"title": "보고", "link": {"web_url": LINK}, "description": "끝"},
    }
    tasks = {
        "text": {"text": "09:00 약 먹기"},
        "template": {"kakao_kwargs": {"template_object": feed}},
        "friends": {"text": "안녕", "receiver_uuids": json.loads(os.environ.get("UUIDS", "[]"))},
    }
    for name in case.split(","):
        try:
            KakaoTalkOperator(task_id=name, **tasks[name]).execute({})
        except AirflowError as error:
            tell(f"failed: {error}")
        else:
            tell("success")


stand_in_for_airflow()
main(sys.argv[1])
