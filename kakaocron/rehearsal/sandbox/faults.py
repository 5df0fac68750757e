"""What can go wrong between a client and Kakao, and when: values and seeded draws, no sockets."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from kakaocron.errors import UsageError
from kakaocron.language.words import _
from kakaocron.rehearsal.sandbox import bots
from kakaocron.rehearsal.sandbox.codes import (
    AMBIGUOUS_CODES,
    KAPI_ERRORS,
    KAUTH_ERRORS,
    KauthRefusedError,
    RefusedError,
)
from kakaocron.rehearsal.sandbox.endpoints import (
    ENDPOINTS,
    FRIEND_MESSAGE_PREFIX,
    MEMO_PREFIX,
    TOKEN_PATH,
    UPLOAD_PATH,
)
from kakaocron.rehearsal.sandbox.nhn import MESSAGES as NHN_MESSAGES
from kakaocron.rehearsal.sandbox.nhn import NHN_PREFIX
from kakaocron.rehearsal.sandbox.nhn import refused as nhn_refused
from kakaocron.rehearsal.sandbox.solapi import STATUSES as SOLAPI_STATUSES
from kakaocron.rehearsal.sandbox.solapi import refused as solapi_refused
from kakaocron.rehearsal.sandbox.wire import (
    Action,
    WireAnswer,
    WireRequest,
    html_answer,
    json_answer,
)

DRIP_SECONDS = 0.2

_MESSAGES = (MEMO_PREFIX, FRIEND_MESSAGE_PREFIX)
# Where a `*` stands for one part of the path, and a method may stand before it.
_BY_DEALERS = (
    f"POST{NHN_PREFIX}*/messages",
    "POST/messages/v4/groups/*/send",
    "POST/messages/v4/send-many",
)

_BY_BOT = (f"POST{bots.SEND_PATH}",)

# kind → what the wire does, whether the request takes effect all the same.
_KINDS: Mapping[str, tuple[Action, bool]] = MappingProxyType(
    {
        "refuse": ("close-before", False),
        "unread": ("unread", False),
        "stall": ("stall", False),
        "stall-after": ("stall", True),
        "cut-before": ("reset", False),
        "cut-after": ("reset", True),
        "half-before": ("half", False),
        "half": ("half", True),
        "drip": ("drip", True),
        "slow": ("slow", True),
        "early-hints": ("early-hints", True),
        "empty": ("answer", True),
        "date": ("answer", True),
        "rotate": ("answer", True),
        "html": ("answer", False),
        "html-502": ("answer", False),
        "result-500": ("answer", False),
        "error-in-200": ("answer", False),
        "no-uuid": ("answer", False),
        "no-address": ("answer", False),
        "picture-gone": ("answer", True),
        "code": ("answer", False),
        "koe": ("answer", False),
        "status": ("answer", False),
        "nhn": ("answer", False),
        "solapi": ("answer", False),
        "bot": ("answer", False),
    }
)
_NAMED_KINDS = _KINDS.keys() - {"code", "koe", "status", "nhn", "solapi", "bot"}
_WITH_SECONDS = frozenset({"slow", "drip", "date", "early-hints"})
_STATUSES = frozenset({429, 500, 502, 503, 504})
# Kinds that may strike although the message went out: written with a "+" at the end.
_AMBIGUOUS_KINDS = frozenset({"html-502", "result-500", "error-in-200", "no-uuid"})
_TWICE = "401-twice"

_PREFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rotate": (TOKEN_PATH,),
        "no-uuid": (FRIEND_MESSAGE_PREFIX,),
        "no-address": (UPLOAD_PATH,),
        "picture-gone": (UPLOAD_PATH,),
        "result-500": _MESSAGES,
        "error-in-200": _MESSAGES,
    }
)
_CAPTIVE_PORTAL = "<!doctype html><title>Wi-Fi login</title><p>Please accept the terms of use."
_BAD_GATEWAY = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"

_SUBSTITUTES: Mapping[str, WireAnswer] = MappingProxyType(
    {
        "html": html_answer(200, _CAPTIVE_PORTAL),
        "html-502": html_answer(502, _BAD_GATEWAY),
        "empty": WireAnswer(200, {"Content-Type": "application/json;charset=UTF-8"}, b""),
        "half-before": json_answer(200, {"result_code": 0}),
        "no-address": json_answer(200, {"infos": {"original": {"url": ""}}}),
        "result-500": json_answer(200, {"result_code": -500}),
        "error-in-200": json_answer(200, {"msg": "internal error.", "code": -1}),
    }
)

_RULE = re.compile(r"(?P<name>[^:@]+)(:(?P<probability>[0-9.]+))?(@(?P<prefix>[A-Z]*/.*))?")
_NAME = re.compile(
    r"(?P<code>-\d+)|(?P<koe>KOE\d+)|(?P<status>\d{3})|nhn(?P<nhn>-\d+)|solapi-(?P<solapi>\w+)"
    r"|bot(?P<bot>-\d+|-[a-z-]+)(=(?P<wait>\d+))?"
    r"|(?P<kind>[a-z][a-z0-9-]*?)(=(?P<seconds>[+-]?\d+(\.\d+)?))?"
)


@dataclass(frozen=True)
class InjectedFault:
    """One thing that goes wrong with one request.

    `is_handled`: the request takes effect (a message is delivered, a token is rotated) all the
    same. `number` is the Kakao code or HTTP status of kinds `code` and `status`; `seconds` is a
    delay, or how far the Date header is off. `prefixes` are the paths that it may hit.
    """

    name: str
    kind: str
    action: Action
    is_handled: bool
    prefixes: tuple[str, ...]
    number: int = 0
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "InjectedFault":
        """Read NAME[@PATHPREFIX]; raise UsageError."""
        fault, probability = _parse_rule(text)
        if probability is not None:
            raise UsageError(
                _("Cannot read fault '{text}': in a script each fault is certain.").format(
                    text=text
                )
            )
        return fault

    def matches(self, request: WireRequest) -> bool:
        """Tell whether this fault may hit the request."""
        return any(_matches(prefix, request) for prefix in self.prefixes)


def _matches(prefix: str, request: WireRequest) -> bool:
    method, slash, path = prefix.partition("/")
    if method and method != request.method:
        return False
    pattern = "[^/]+".join(map(re.escape, f"{slash}{path}".split("*")))
    return re.match(pattern, request.path) is not None


def substitute(
    fault: InjectedFault, request: WireRequest, agreed: Sequence[str], now: datetime
) -> WireAnswer | None:
    """Return the answer that the fault puts in place of Kakao's own, or None."""
    if fault.kind == "code":
        return refused(fault.number, request.path, agreed).answer()
    if fault.kind == "koe":
        return KauthRefusedError(fault.name).answer()
    if fault.kind == "status":
        return WireAnswer(fault.number, {"Content-Type": "text/plain"}, b"upstream error")
    return _SUBSTITUTES.get(fault.kind) or _by_another(fault, now)


def _by_another(fault: InjectedFault, now: datetime) -> WireAnswer | None:
    if fault.kind == "nhn":
        return nhn_refused(fault.number)
    if fault.kind == "solapi":
        return solapi_refused(fault.name.removeprefix("solapi-").removesuffix("+"))
    if fault.kind == "bot":
        return bots.odd_answer(_of_bot(fault.name), fault.number, now)
    return None


def refused(code: int, path: str, agreed: Sequence[str]) -> RefusedError:
    """Return the refusal with a code; -402 names the scopes of the endpoint."""
    endpoint = ENDPOINTS.get(path)
    if code != -402:  # noqa: PLR2004 - Kakao's code for missing consent
        return RefusedError(code)
    return RefusedError(
        code,
        api_type=endpoint.api_type if endpoint else "UNKNOWN",
        required_scopes=list(endpoint.required_scopes) if endpoint else ["friends"],
        allowed_scopes=list(agreed),
    )


class FaultPlan:
    """Decides which fault hits a request: the script first, then draws by probability."""

    def __init__(self, spec: str = "", *, script: Sequence[str] = (), seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - draws to be replayed, not secrets
        self._rules: list[tuple[InjectedFault, float]] = []
        self._script: list[InjectedFault] = []
        self.replace(spec, script=script)

    def replace(self, spec: str = "", *, script: Sequence[str] = ()) -> None:
        """Forget the plan for a new one; nothing given clears it.

        `spec` is a comma-separated list of NAME[:PROBABILITY][@PATHPREFIX]; without a probability
        a fault hits every request that it matches. Raises UsageError, and keeps the old plan.
        """
        rules = [_parse_rule(text) for text in spec.split(",") if text.strip()]
        faults = [InjectedFault.parse(text) for text in script]
        self._rules = [(fault, 1.0 if chance is None else chance) for fault, chance in rules]
        self._script = faults

    def enqueue(self, *names: str) -> None:
        """Let the next matching requests get exactly these faults, one each, in this order."""
        self._script += [InjectedFault.parse(name) for name in names]

    @property
    def pending(self) -> list[str]:
        """Names of the scripted faults that have hit nothing yet."""
        return [fault.name for fault in self._script]

    def next(self, request: WireRequest) -> InjectedFault | None:
        """Return the fault for this request, or None; a scripted fault is used up."""
        fault = self._scripted(request) or self._drawn(request)
        if fault is None or fault.name != _TWICE:
            return fault
        once = replace(fault, name="-401")
        self._script.insert(0, once)
        return once

    def _scripted(self, request: WireRequest) -> InjectedFault | None:
        for index, fault in enumerate(self._script):
            if fault.matches(request):
                return self._script.pop(index)
        return None

    def _drawn(self, request: WireRequest) -> InjectedFault | None:
        for fault, probability in self._rules:
            if fault.matches(request) and self._random.random() < probability:
                return fault
        return None


def _parse_rule(text: str) -> tuple[InjectedFault, float | None]:
    rule = _RULE.fullmatch(text.strip())
    if rule is None:
        raise UsageError(
            _("Cannot read fault '{text}': write NAME[:PROBABILITY][@/PATHPREFIX].").format(
                text=text
            )
        )
    fault = _parse_name(rule["name"])
    if rule["prefix"]:
        fault = replace(fault, prefixes=(rule["prefix"],))
    if rule["probability"] is None:
        return fault, None
    return fault, _parse_probability(text, rule["probability"])


def _parse_probability(text: str, number: str) -> float:
    try:
        probability = float(number)
    except ValueError:
        probability = -1.0
    if not 0 <= probability <= 1:
        raise UsageError(
            _("Cannot read fault '{text}': a probability goes from 0 to 1.").format(text=text)
        )
    return probability


def _parse_name(name: str) -> InjectedFault:
    is_ambiguous = name.endswith("+")
    if name == _TWICE:
        return replace(_parse_name("-401"), name=_TWICE)
    match = _NAME.fullmatch(name.removesuffix("+"))
    if match is None:
        raise _unknown(name)
    fault = _known(name, match)
    if not is_ambiguous:
        return fault
    if not _may_follow_a_delivery(fault):
        raise UsageError(
            _("Cannot read fault '{name}': it never comes after a delivery.").format(name=name)
        )
    return replace(fault, is_handled=True)


def _known(name: str, match: re.Match[str]) -> InjectedFault:
    if match["code"] and int(match["code"]) in KAPI_ERRORS:
        return _fault(name, "code", number=int(match["code"]))
    if match["koe"] in KAUTH_ERRORS:
        return _fault(name, "koe", prefixes=(TOKEN_PATH,))
    if match["status"] and int(match["status"]) in _STATUSES:
        prefixes = _MESSAGES + _BY_DEALERS + _BY_BOT
        return _fault(name, "status", prefixes=prefixes, number=int(match["status"]))
    if match["kind"] in _NAMED_KINDS:
        return _with_seconds(name, match["kind"], match["seconds"])
    return _of_another(name, match)


def _of_another(name: str, match: re.Match[str]) -> InjectedFault:
    """Return a fault of a server that is not for messages to oneself and to friends."""
    if match["nhn"] and int(match["nhn"]) in NHN_MESSAGES:
        return _fault(name, "nhn", prefixes=(_BY_DEALERS[0],), number=int(match["nhn"]))
    if match["solapi"] in SOLAPI_STATUSES:
        return _fault(name, "solapi", prefixes=_BY_DEALERS[1:])
    if match["bot"] and bots.is_fault(_of_bot(name)):
        return _bots(name, match["wait"])
    raise _unknown(name)


def _of_bot(name: str) -> str:
    """Return which fault of the Bot API is meant: `bot-880` is its code -880."""
    own = name.removesuffix("+").partition("=")[0].removeprefix("bot-")
    return f"-{own}" if own.isdecimal() else own


def _bots(name: str, seconds: str | None) -> InjectedFault:
    if (seconds is not None) is not (_of_bot(name) in bots.WAITS):
        raise _unknown(name)
    return _fault(name, "bot", prefixes=_BY_BOT, number=int((seconds or "0")[:9]))


def _with_seconds(name: str, kind: str, seconds: str | None) -> InjectedFault:
    if seconds is not None and kind not in _WITH_SECONDS:
        raise UsageError(
            _("Cannot read fault '{name}': '{kind}' takes no seconds.").format(name=name, kind=kind)
        )
    if seconds is None and kind in {"slow", "date"}:
        raise UsageError(
            _("Cannot read fault '{name}': write {kind}=SECONDS.").format(name=name, kind=kind)
        )
    if seconds is not None and kind != "date" and float(seconds) < 0:
        raise UsageError(
            _("Cannot read fault '{name}': a delay is not negative.").format(name=name)
        )
    prefixes = _PREFIXES.get(kind, _MESSAGES + _BY_DEALERS + _BY_BOT)
    usual = DRIP_SECONDS if kind == "drip" else 0.0
    return _fault(
        name, kind, prefixes=prefixes, seconds=usual if seconds is None else float(seconds)
    )


def _fault(
    name: str,
    kind: str,
    *,
    prefixes: tuple[str, ...] = _MESSAGES,
    number: int = 0,
    seconds: float = 0.0,
) -> InjectedFault:
    action, is_handled = _KINDS[kind]
    return InjectedFault(name, kind, action, is_handled, prefixes, number, seconds)


def _may_follow_a_delivery(fault: InjectedFault) -> bool:
    if fault.kind == "code":
        return fault.number in AMBIGUOUS_CODES
    if fault.kind == "status":
        return fault.number >= 500  # noqa: PLR2004 - a gateway does not know what happened behind it
    if fault.kind == "nhn":
        return fault.number in {-7000, -9999}
    if fault.kind == "bot":
        return bots.may_follow_a_delivery(_of_bot(fault.name))
    return fault.kind in _AMBIGUOUS_KINDS or fault.name == "solapi-InternalError+"


def _unknown(name: str) -> UsageError:
    kinds = ", ".join(sorted(_NAMED_KINDS))
    said = _(
        "Unknown fault '{name}': use one of {kinds}, a code of Kakao's such as -603, -603+ or "
        "KOE322, or an HTTP status such as 503."
    )
    return UsageError(said.format(name=name, kinds=f"{kinds}, {_TWICE}"))
