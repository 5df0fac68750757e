"""The judge's own endpoints under /_sandbox/: no fault hits them and no log names them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from kakaocron.errors import UsageError
from kakaocron.rehearsal.sandbox.faults import FaultPlan
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.phones import NHN_CODES
from kakaocron.rehearsal.sandbox.settings import Step
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest, json_answer

ADMIN_PREFIX = "/_sandbox/"


def administer(request: WireRequest, kakao: Kakao, faults: FaultPlan, now: datetime) -> WireAnswer:
    """Answer one admin request with JSON; 400 for a body that makes no sense, 404 for no route."""
    route = _ROUTES.get((request.method, request.path.removeprefix(ADMIN_PREFIX)))
    if route is None:
        return json_answer(404, {"error": f"no {request.method} {request.path} in the sandbox"})
    try:
        return json_answer(200, route(kakao, faults, _read_body(request), now))
    except (UsageError, ValueError, LookupError, TypeError, RecursionError) as error:
        return json_answer(400, {"error": str(error)})


def _read_body(request: WireRequest) -> Mapping[str, Any]:
    body = json.loads(request.body or b"{}")
    if not isinstance(body, dict):
        raise UsageError("The body is not a JSON object.")
    return body


def _deliveries(kakao: Kakao, _faults: FaultPlan, _body: Mapping[str, Any], at: datetime) -> Any:
    kakao.phones.settle(at)
    return [{**asdict(one), "at": one.at.isoformat()} for one in kakao.deliveries]


def _people(kakao: Kakao, _faults: FaultPlan, _body: Mapping[str, Any], _at: datetime) -> Any:
    return [
        {
            **asdict(person),
            "arrived": [
                {**asdict(one), "at": one.at.isoformat()} for one in kakao.arrived(person.uuid)
            ],
        }
        for person in kakao.settings.people
    ]


def _requests(kakao: Kakao, _faults: FaultPlan, _body: Mapping[str, Any], _at: datetime) -> Any:
    return [{**asdict(one), "at": one.at.isoformat()} for one in kakao.requests]


def _images(kakao: Kakao, _faults: FaultPlan, _body: Mapping[str, Any], _at: datetime) -> Any:
    return [{**asdict(one), "at": one.at.isoformat()} for one in kakao.images]


def _phones(kakao: Kakao, _faults: FaultPlan, body: Mapping[str, Any], _at: datetime) -> Any:
    steps = {number: [_step(one) for one in told] for number, told in body.items()}
    kakao.phones.steps.update(steps)
    return {"phones": sorted(steps)}


def _step(told: Any) -> Step:
    _refuse_unknown(told, "seconds", "word", "arrives")
    if told["word"] not in NHN_CODES:
        raise UsageError(f"'word' is not one of {', '.join(NHN_CODES)}.")
    return Step(float(told["seconds"]), told["word"], told.get("arrives") is True)


def _rooms(kakao: Kakao, _faults: FaultPlan, _body: Mapping[str, Any], _at: datetime) -> Any:
    return [asdict(one) for one in kakao.bot.rooms.values()]


def _room(kakao: Kakao, _faults: FaultPlan, body: Mapping[str, Any], at: datetime) -> Any:
    """Let something happen in a room: the bot is invited, removed, addressed, switched on or
    off."""
    _refuse_unknown(body, "key", "has_bot", "receives", "mention")
    room = kakao.bot.rooms.get(str(body.get("key")))
    if room is None:
        raise UsageError("'key' is no room of the sandbox.")
    if isinstance(body.get("receives"), bool):
        room.receives = body["receives"]
    if isinstance(body.get("has_bot"), bool):
        if body["has_bot"]:
            kakao.gateway.invite(room.key, at)
        else:
            kakao.gateway.remove(room.key)
    if isinstance(body.get("mention"), str):
        kakao.gateway.mention(room.key, body["mention"], at)
    return asdict(room)


_OF_BOT = ("token", "exists", "is_approved", "is_address_registered", "quota")


def _bot(kakao: Kakao, _faults: FaultPlan, body: Mapping[str, Any], _at: datetime) -> Any:
    _refuse_unknown(body, *_OF_BOT, "has_webhook", "close")
    for name in body.keys() & set(_OF_BOT):
        setattr(kakao.bot, name, body[name])
    kakao.gateway.has_webhook = body.get("has_webhook", kakao.gateway.has_webhook)
    if "close" in body:
        kakao.gateway.close(int(body["close"]))
    return {"is_heard": kakao.gateway.is_heard}


def _plan(_kakao: Kakao, faults: FaultPlan, body: Mapping[str, Any], _at: datetime) -> Any:
    _refuse_unknown(body, "script", "spec")
    script, spec = body.get("script", []), body.get("spec", "")
    if not _is_list_of_strings(script):
        raise UsageError("'script' is not a list of fault names.")
    if not isinstance(spec, str):
        raise UsageError("'spec' is not a string.")
    faults.replace(spec, script=script)
    return {"pending": faults.pending}


def _login(kakao: Kakao, _faults: FaultPlan, body: Mapping[str, Any], at: datetime) -> Any:
    _refuse_unknown(body, "scopes", "uuid")
    scopes = body.get("scopes")
    if scopes is not None and not _is_list_of_strings(scopes):
        raise UsageError("'scopes' is not a list of consent items.")
    login = kakao.issue_login(at, scopes, _person(kakao, body))
    return {
        **asdict(login),
        "access_expires_at": login.access_expires_at.isoformat(),
        "refresh_expires_at": login.refresh_expires_at.isoformat(),
    }


def _revoke(kakao: Kakao, _faults: FaultPlan, body: Mapping[str, Any], _at: datetime) -> Any:
    _refuse_unknown(body, "tokens", "uuid")
    uuid = _person(kakao, body)
    tokens = body.get("tokens", "all")
    if tokens not in {"all", "access", "refresh"}:
        raise UsageError("'tokens' is not one of all, access, refresh.")
    if tokens != "refresh":
        kakao.revoke_access_tokens(uuid)
    if tokens != "access":
        kakao.revoke_refresh_tokens(uuid)
    return {"revoked": tokens}


def _person(kakao: Kakao, body: Mapping[str, Any]) -> str | None:
    uuid = body.get("uuid")
    if uuid is not None and uuid not in {one.uuid for one in kakao.settings.people}:
        raise UsageError("'uuid' is nobody's who can log in: GET people lists them.")
    return uuid


def _reset(kakao: Kakao, faults: FaultPlan, _body: Mapping[str, Any], _at: datetime) -> Any:
    kakao.reset()
    faults.replace()
    return {"status": "ok"}


def _health(_kakao: Kakao, _faults: FaultPlan, _body: Mapping[str, Any], _at: datetime) -> Any:
    return {"status": "ok"}


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _refuse_unknown(body: Mapping[str, Any], *known: str) -> None:
    for name in body.keys() - set(known):
        raise UsageError(f"Unknown field '{name}': the body may hold {', '.join(known)}.")


_ROUTES: Mapping[
    tuple[str, str], Callable[[Kakao, FaultPlan, Mapping[str, Any], datetime], Any]
] = {
    ("GET", "deliveries"): _deliveries,
    ("GET", "people"): _people,
    ("GET", "requests"): _requests,
    ("GET", "images"): _images,
    ("GET", "rooms"): _rooms,
    ("POST", "rooms"): _room,
    ("POST", "bot"): _bot,
    ("POST", "faults"): _plan,
    ("POST", "phones"): _phones,
    ("POST", "login"): _login,
    ("POST", "revoke"): _revoke,
    ("POST", "reset"): _reset,
    ("GET", "health"): _health,
}
