"""SOLAPI's own client, unchanged but for its address: sends, and tells what it is told."""

# mypy: ignore-errors

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from solapi import SolapiMessageService
from solapi.model import KakaoOption, RequestMessage
from solapi.model.request.groups.get_groups import GetGroupsRequest
from solapi.model.request.messages.get_messages import GetMessagesRequest

service = SolapiMessageService(os.environ["API_KEY"], os.environ["API_SECRET"])
service.base_url = os.environ["SANDBOX_URL"]


def tell(value: object) -> None:
    print("TOLD " + json.dumps(value, ensure_ascii=False), flush=True)


def message(number: str, template: str | None = None) -> RequestMessage:
    return RequestMessage(
        from_=os.environ["SENDER"],
        to=number,
        kakao_options=KakaoOption(
            pf_id=os.environ["PF_ID"],
            template_id=template or os.environ["TEMPLATE"],
            variables={"이름": "민수", "시간": "09:30"},
            disable_sms=True,
        ),
    )


def send(*numbers: str) -> None:
    found = service.send([message(*number.split("/")) for number in numbers])
    tell(
        {
            "group": found.group_info.group_id,
            "status": found.group_info.status,
            "failed": [one.status_code for one in found.failed_message_list or []],
        }
    )


def look(group: str) -> None:
    messages = service.get_group_messages(group).message_list
    listed = service.get_messages(GetMessagesRequest(group_id=group)).message_list
    groups = service.get_groups(GetGroupsRequest(group_id=group)).group_list
    tell(
        {
            "group": service.get_group(group).status,
            "groups": list(groups),
            "messages": {one.to: one.status_code for one in messages.values()},
            "listed": {one.to: one.status_code for one in listed.values()},
        }
    )


def balance() -> None:
    tell(service.get_balance().balance)


COMMANDS: dict[str, Callable[..., None]] = {"send": send, "look": look, "balance": balance}
try:
    COMMANDS[sys.argv[1]](*sys.argv[2:])
except Exception as error:
    tell({"error": [type(error).__name__, *map(str, error.args)][:2]})
