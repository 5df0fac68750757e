"""What kakaocron does that a power cut may cut short: each on a machine that stands ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from kakaocron import actions
from kakaocron.config.starter import Answers
from kakaocron.kst import KST
from kakaocron.messages.starting import write_config
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from kakaocron.rehearsal.sandbox.wire import WireRequest
from kakaocron.rehearsal.simulation.home import PLACES
from kakaocron.schedule.slots import parse_delivery_id
from kakaocron.states import State
from tests.proofs.solo import UNREACHABLE, Solo

PROBE = "{name}|{time:%Y%m%dT%H%M}"
APP = Settings()
HEAD = f"""\
[kakao]
rest_api_key = "{APP.rest_api_key}"
client_secret = "{APP.client_secret}"

[schedule]
regular_minutes = [0, 30]
peak_hours = []
quiet = ["10:15-08:45"]
"""
REPORT = f"""
[[message]]
name = "report"
slots = ["regular"]
text = "{PROBE}"
"""
ONE = HEAD + REPORT
SEVERAL = (
    ONE
    + REPORT.replace('"report"', '"orders"')
    + 'to = ["me", "uuid-a", "uuid-b"]\n'
    + REPORT.replace('"report"', '"prices"')
)
RESEND = ONE + '[delivery]\non_unknown = "resend"\n'
TWO_DAYS = ONE + "[ledger]\nkeep_days = 2\n"
OTHER_TIMES = ONE.replace('slots = ["regular"]', 'cron = "0,45 10-23 * * *"') + REPORT.replace(
    "report", "prices"
)
REDIRECT = "http://127.0.0.1:8765/callback"
NEW = Answers(APP.rest_api_key, APP.client_secret or "", text=PROBE)
MINUTE = timedelta(minutes=1)
LOGGED_OUT = frozenset({3})
NO_CONFIG = frozenset({2})

Step = Callable[[Solo], None]


def at(hour: int, minute: int, second: int = 1, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=KST)


def slots(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}@20261123T{time}" for name in names for time in ("0930", "1000"))


def slot_of(identity: str) -> datetime:
    return parse_delivery_id(identity)[1]


def ticks(*moments: datetime) -> Step:
    def work(solo: Solo) -> None:
        for moment in moments:
            solo.at = moment
            solo.tick()

    return work


MORNING, SLOT = at(8, 0), at(9, 30)
BEFORE = ticks(at(9, 0))
REPORTS = slots("report")


@dataclass(frozen=True)
class Workload:
    """Something to be cut short: `prepare` is long on the disk when `work` begins at `start`.

    `owed` must have a final state afterwards; `excused` names the other ends than a delivery that
    are right for one. `exits` are the exit codes beside 0 and 1 that a tick may have after a cut,
    `exits_after` those after the work is over. A first start owes nothing until it is over.
    `mend` is what a person does who is told that there is no configuration.
    """

    name: str
    work: Step
    start: datetime = SLOT
    prepare: Step = BEFORE
    config: str | None = ONE
    login_at: datetime | None = MORNING
    owed: Sequence[str] = REPORTS
    excused: Mapping[str, frozenset[State]] = field(default_factory=dict)
    exits: frozenset[int] = frozenset()
    exits_after: frozenset[int] = frozenset()
    is_first_start: bool = False
    resends: bool = False
    mend: Step | None = None

    def prepared(self) -> Solo:
        friends = tuple(SandboxFriend(uuid, uuid) for uuid in ("uuid-a", "uuid-b"))
        solo = Solo(self.login_at or MORNING, Kakao(Settings(friends=friends), seed=1))
        if self.config is not None:
            solo.configure(self.config)
        if self.login_at is not None:
            solo.log_in()
        self.prepare(solo)
        solo.files.sync_all()
        solo.at = self.start
        return solo

    def futures(self, cut: datetime) -> tuple[Sequence[datetime], Sequence[datetime]]:
        """Return when ticks run after a cut: from the next minute on, or too late for the slot."""
        soon = cut.replace(second=1) + MINUTE
        later = (at(9, 30), at(9, 32), at(10, 0))
        rest = [one for one in later if one > soon + 2 * MINUTE]
        return [soon, soon + 2 * MINUTE, *rest], [at(9, 45), at(10, 0)]


def _other_times(solo: Solo) -> None:
    """Take the slot that is due out of the file, and add a message, before any tick has seen to
    the slot."""
    ticks(at(9, 0))(solo)
    solo.files.clock_ns = int(at(9, 30, 30).timestamp() * 1e9)
    solo.configure(OTHER_TIMES)


def _unreachable(solo: Solo) -> None:
    ticks(at(9, 0))(solo)
    solo.troubles.append(UNREACHABLE)
    ticks(at(9, 30))(solo)


def _killed_after_sending(solo: Solo) -> None:
    """Let a tick go as far as its request; the process ends before it hears the answer."""
    ticks(at(9, 0))(solo)
    before = len(solo.kakao.deliveries)
    left: list[Solo] = []

    def watch() -> None:
        if len(solo.kakao.deliveries) > before and not left:
            left.append(Solo(solo.at, deepcopy(solo.kakao), deepcopy(solo.files)))

    solo.changed = watch
    ticks(at(9, 30))(solo)
    solo.changed = lambda: None
    solo.files, solo.kakao = left[0].files, left[0].kakao
    solo.files.end_processes()


def _rotates(before: Step) -> Step:
    def prepare(solo: Solo) -> None:
        before(solo)
        solo.token_troubles.append("rotate")

    return prepare


def _access_token_dies(solo: Solo) -> None:
    ticks(at(9, 0))(solo)
    solo.kakao.revoke_access_tokens()


def _log_in(solo: Solo) -> None:
    form = {
        "client_id": solo.kakao.settings.rest_api_key,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "talk_message,friends",
        "agreed_scope": "talk_message",
        "decision": "agree",
    }
    request = WireRequest(
        "POST",
        "/oauth/authorize",
        "",
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(),
        "https",
    )
    address = solo.kakao.handle(request, solo.at).headers["Location"]
    code = parse_qs(urlsplit(address).query)["code"][0]
    solo.installation().login.exchange(code, REDIRECT, "verifier")


def _log_out(solo: Solo) -> None:
    solo.installation().login.end("https://kapi.kakao.com")


def _init(solo: Solo) -> None:
    write_config(PLACES, NEW, solo.edges().disk)


def _pause(solo: Solo) -> None:
    actions.pause(solo.installation(), "report", at(9, 40), "holiday")


def _resume(solo: Solo) -> None:
    actions.resume(solo.installation(), "report")


def _paused(solo: Solo) -> None:
    ticks(at(9, 0))(solo)
    _pause(solo)


def _schedule(solo: Solo) -> None:
    actions.schedule(solo.installation(), at(9, 30, 0), text="once")


def _once_is_known(solo: Solo) -> None:
    ticks(at(9, 0))(solo)
    _schedule(solo)


ONCE = "once-200651a8b2d5912f@20261123T0930"


def _cancel(solo: Solo) -> None:
    actions.cancel(solo.installation(), "report@20261123T0930")
    actions.cancel(solo.installation(), next(id_ for id_ in solo.states() if "once" in id_))


def _unknown(solo: Solo) -> None:
    solo.troubles.append("cut-before")
    ticks(at(9, 0))(solo)


def _retry(solo: Solo) -> None:
    actions.retry(solo.installation(), "report@20261123T0900")


def _retry_later(solo: Solo) -> None:
    actions.retry(solo.installation(), "report@20261122T0900", at(9, 35))


def _unknown_yesterday(solo: Solo) -> None:
    solo.troubles.append("cut-before")
    ticks(at(9, 0, day=22), at(9, 0))(solo)


def _resolve(solo: Solo) -> None:
    actions.resolve(solo.installation(), "report@20261123T0900", delivered=True)


def _send(solo: Solo) -> None:
    actions.send_now(solo.installation(), text="by hand")


def _damaged(solo: Solo) -> None:
    ticks(at(9, 0))(solo)
    path = f"{PLACES.ledger}/2026-11-23.jsonl"
    content = solo.files.content(path) or b""
    solo.files.put(path, content[:100] + b"?" + content[101:])


def _torn(solo: Solo) -> None:
    ticks(at(9, 0))(solo)
    path = f"{PLACES.ledger}/2026-11-23.jsonl"
    solo.files.put(path, (solo.files.content(path) or b"") + b'{"v":1,"at":"2026-11-23T09:2')


BY_HAND = at(9, 29, 30)

WORKLOADS = (
    Workload("a tick that sends one message", ticks(at(9, 30))),
    Workload(
        "a tick that sends three messages",
        ticks(at(9, 30)),
        config=SEVERAL,
        owed=slots("report", "orders", "prices"),
    ),
    Workload("a tick that tries again", ticks(at(9, 31)), start=at(9, 31), prepare=_unreachable),
    Workload(
        "the settlement of a dead process's claim",
        ticks(at(9, 32)),
        start=at(9, 32),
        prepare=_killed_after_sending,
    ),
    Workload(
        "the same, and sent again (on_unknown = resend)",
        ticks(at(9, 32)),
        start=at(9, 32),
        prepare=_killed_after_sending,
        config=RESEND,
        resends=True,
    ),
    Workload("idle minutes", ticks(at(9, 20), at(9, 21)), start=at(9, 20)),
    Workload(
        "a new access token in an idle minute",
        ticks(at(9, 20)),
        start=at(9, 20),
        login_at=at(4, 0),
    ),
    Workload(
        "a new refresh token in an idle minute",
        ticks(at(9, 20)),
        start=at(9, 20),
        login_at=at(4, 0),
        prepare=_rotates(ticks(at(9, 0))),
        exits=LOGGED_OUT,
    ),
    Workload(
        "a new access token while a message waits",
        ticks(at(9, 30)),
        prepare=_access_token_dies,
    ),
    Workload(
        "a new refresh token while a message waits",
        ticks(at(9, 30)),
        prepare=_rotates(_access_token_dies),
        exits=LOGGED_OUT,
    ),
    Workload("a login over an older one", _log_in, start=at(9, 20)),
    Workload(
        "the first login",
        _log_in,
        start=at(9, 20),
        prepare=lambda _: None,
        login_at=None,
        owed=(),
        exits=LOGGED_OUT,
        is_first_start=True,
    ),
    Workload("a logout", _log_out, start=at(9, 20), exits=LOGGED_OUT, exits_after=LOGGED_OUT),
    Workload(
        "init",
        _init,
        start=at(9, 20),
        prepare=lambda _: None,
        config=None,
        owed=(),
        exits=NO_CONFIG,
        is_first_start=True,
        mend=_init,
    ),
    Workload("init --force over an older configuration", _init, start=at(9, 20), owed=()),
    Workload("a pause", _pause, start=BY_HAND),
    Workload("the end of a pause", _resume, start=BY_HAND, prepare=_paused),
    Workload("a one-off scheduled", _schedule, start=BY_HAND),
    Workload(
        "a one-off and a slot cancelled",
        _cancel,
        start=BY_HAND,
        prepare=_once_is_known,
        excused=dict.fromkeys((ONCE, slots("report")[0]), frozenset({State.CANCELLED})),
    ),
    Workload("a retry by hand", _retry, start=BY_HAND, prepare=_unknown),
    Workload(
        "a retry of yesterday's, for later",
        _retry_later,
        start=BY_HAND,
        prepare=_unknown_yesterday,
    ),
    Workload("an unknown delivery resolved", _resolve, start=BY_HAND, prepare=_unknown),
    Workload("a message sent by hand", _send, start=at(9, 20)),
    Workload(
        "the first tick of a day: old days are removed",
        ticks(at(9, 0)),
        start=at(9, 0),
        prepare=ticks(*(at(9, 0, day=day) for day in (19, 20, 21, 22))),
        config=TWO_DAYS,
    ),
    Workload(
        "a tick that sets a damaged line aside",
        ticks(at(9, 30)),
        prepare=_damaged,
        excused={"report@20261123T0930": frozenset({State.UNKNOWN})},
    ),
    Workload(
        "a tick that finds other times and messages",
        ticks(at(9, 31)),
        start=at(9, 31),
        prepare=_other_times,
        owed=("report@20261123T0930", "report@20261123T1000", "prices@20261123T1000"),
    ),
    Workload("a tick after a torn line", ticks(at(9, 30)), prepare=_torn),
    Workload(
        "the first tick ever",
        ticks(at(9, 30)),
        prepare=lambda _: None,
        is_first_start=True,
    ),
)
