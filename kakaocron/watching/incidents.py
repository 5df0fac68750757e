"""What the user has been told already, so that a lasting fault is told once and not each minute."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum, StrEnum, auto
from typing import Any, Protocol
from zlib import crc32

from msgspec import Struct

from kakaocron.errors import Cause, KakaocronError
from kakaocron.installation import DEFAULT_ACCOUNT, make_memory, make_refusals
from kakaocron.kakao.causes import named
from kakaocron.ledger.ledger import MOST_TIMES, OvertakenError
from kakaocron.system.disk import Disk
from kakaocron.system.log import log
from kakaocron.system.places import Places


class Kind(StrEnum):
    """Every kind of incident. With the value its keys in incidents.json begin."""

    ERROR = "exit-1"
    CONFIG = "exit-2"
    NOT_LOGGED_IN = "exit-3"
    BUG = "exit-70"
    LEDGER = "exit-74"
    LOCK = "exit-75"
    LEDGER_DAMAGED = "ledger-damaged"
    PRUNE = "prune"
    CLOCK_WRONG = "clock-wrong"
    LOGIN = "login"
    LOGIN_ENDS = "login-ends"
    LOGIN_VARIABLE = "login-variable"
    WATCHER = "watcher"
    LOOK_UP = "look-up"


class EndSign(Enum):
    """What shows that an incident is over."""

    NOTHING = auto()  # it has happened: it is told once
    TICK = auto()  # a tick that came to its end without it
    CONFIRMED = auto()  # a message that is confirmed, sent by the same account
    REACHED = auto()  # the watcher that could not be told, or the channel that told nothing, did


ENDED_BY: Mapping[Kind, EndSign] = {
    Kind.ERROR: EndSign.TICK,
    Kind.CONFIG: EndSign.TICK,
    Kind.NOT_LOGGED_IN: EndSign.TICK,
    Kind.BUG: EndSign.TICK,
    Kind.LEDGER: EndSign.TICK,
    Kind.LOCK: EndSign.TICK,
    Kind.LEDGER_DAMAGED: EndSign.NOTHING,
    Kind.PRUNE: EndSign.TICK,
    Kind.CLOCK_WRONG: EndSign.TICK,
    Kind.LOGIN: EndSign.CONFIRMED,
    Kind.LOGIN_ENDS: EndSign.TICK,
    Kind.LOGIN_VARIABLE: EndSign.TICK,
    Kind.WATCHER: EndSign.REACHED,
    Kind.LOOK_UP: EndSign.REACHED,
}


class Incident(Struct, frozen=True):
    """Something that the user is to be told of; `which` tells it from others of its kind."""

    kind: Kind
    which: str
    sentence: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.which}"


def of_error(error: KakaocronError) -> Incident:
    """Return the incident of an error that has stopped a tick."""
    return Incident(Kind(f"exit-{error.exit_code}"), _digest(error), str(error))


def of_login(error: KakaocronError, account: str = DEFAULT_ACCOUNT) -> Incident:
    """Return the incident of a login without which nothing can be sent by its account."""
    which = with_account(account, _digest(error))
    return Incident(Kind.LOGIN, which, named(account, str(error)))


def with_account(account: str, which: str) -> str:
    """Tell the incidents of an account from those of others; the default's have no name."""
    return f"{account}:{which}" if account else which


def digest_of(cause: Cause) -> str:
    """Return what tells a cause from others: its code and facts."""
    known = str(Cause(cause.code, dict(sorted(cause.facts.items()))))
    return f"{crc32(known.encode('utf-8', 'surrogatepass')):08x}"


def _digest(error: KakaocronError) -> str:
    """Return what tells an error from others: no words of ours, which are others in another
    language. Only where there is nothing else are they taken."""
    return digest_of(Cause("said", {"which": error.which}) if error.which else error.cause)


def of_problem(key: str, sentence: str) -> Incident:
    """Return the incident of a tick's problem; its kind is the part of the key before a colon."""
    kind, _, which = key.partition(":")
    return Incident(Kind(kind), which, sentence)


# What befalls all hosts that share a ledger alike, and is told by one of them.
SHARED = frozenset({
    Kind.LEDGER_DAMAGED, Kind.LOGIN, Kind.LOGIN_ENDS, Kind.NOT_LOGGED_IN, Kind.PRUNE,
})  # fmt: skip


class Remembered(Protocol):
    """A JSON object that outlives a process."""

    def read(self) -> dict[str, Any]: ...
    def write(self, fields: Mapping[str, Any]) -> None: ...
    def remove(self) -> None: ...


class Incidents(Struct, frozen=True):
    """What was told before. A person who looks is told again: `tells_again`.

    `shared` is what all hosts have told of what befalls all of them alike, where there are others.
    """

    memory: Remembered
    tells_again: bool = False
    shared: Remembered | None = None

    def news(
        self,
        ongoing: Iterable[Incident],
        endings: Collection[EndSign] = (),
        reached: Collection[str] = (),
        confirmed: Collection[str] = (DEFAULT_ACCOUNT,),
    ) -> list[str]:
        """Return the sentences of the incidents not told before, and remember them as told; those
        not told before are logged.

        `endings` is what has been seen, `reached` names watchers and channels that were asked,
        `confirmed` the accounts that sent what is confirmed: incidents that end so are over unless
        they are in `ongoing`.
        """
        known = [*ongoing]
        if self.shared is None:
            return self._news(self.memory, known, endings, reached, confirmed)
        of_all = [one for one in known if one.kind in SHARED]
        others = [one for one in known if one.kind not in SHARED]
        news = self._news(self.memory, others, endings, reached, confirmed)
        for _time in range(MOST_TIMES):
            with suppress(OvertakenError):  # another host has just told something: maybe the same
                return news + self._news(self.shared, of_all, endings, reached, confirmed)
        # Rather told by two hosts than by none.
        told = self.shared.read()
        left = [one.sentence for one in of_all if self.tells_again or one.key not in told]
        for said in left:
            log.error("%s", said)
        return news + left

    def _news(
        self,
        memory: Remembered,
        ongoing: Sequence[Incident],
        endings: Collection[EndSign],
        reached: Collection[str],
        confirmed: Collection[str],
    ) -> list[str]:
        told = memory.read()
        now = {one.key: one.sentence for one in ongoing}
        kept = {
            key: said
            for key, said in told.items()
            if key in now or not _is_over(key, endings, reached, confirmed)
        }
        now_told = {**kept, **dict.fromkeys(now, True)}
        if now_told != told:
            memory.write(now_told)
        news = [said for key, said in now.items() if key not in told]
        for said in news:
            log.error("%s", said)
        return list(now.values()) if self.tells_again else news

    def end(self) -> None:
        """Forget all: it is over."""
        self.memory.remove()


def _is_over(
    key: str,
    endings: Collection[EndSign],
    reached: Collection[str],
    confirmed: Collection[str],
) -> bool:
    kind, _, which = key.partition(":")
    if kind not in set(Kind):  # of another version
        return True
    ending = ENDED_BY[Kind(kind)]
    if ending is EndSign.REACHED:
        return which in reached
    if ending is EndSign.CONFIRMED and which.rpartition(":")[0] not in confirmed:
        return False
    return ending in endings


def incidents_of(places: Places, disk: Disk, *, tells_again: bool = False) -> Incidents:
    return Incidents(make_memory(places, disk, "incidents.json"), tells_again)


def refusals_of(places: Places, disk: Disk, *, tells_again: bool = False) -> Incidents:
    """Return what was told of a data folder that may not be written: it is kept elsewhere."""
    return Incidents(make_refusals(places, disk), tells_again)
