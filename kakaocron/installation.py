"""Puts the parts together: which ledger, which channel, which clock."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard
from unicodedata import normalize
from zlib import crc32

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from kakaocron.config.contacts import ALIMTALK, BOT, channel_name
from kakaocron.config.reading import load_config
from kakaocron.config.schema import Config, Secret
from kakaocron.delivery.channel import Channel, ReceiptChannel
from kakaocron.delivery.plan import Plan
from kakaocron.delivery.snapshot import Snapshot, take_snapshot
from kakaocron.delivery.underway import Engine
from kakaocron.errors import KakaocronError, UsageError
from kakaocron.files import config_marks, data_marks
from kakaocron.kakao.channel import KakaoTalk
from kakaocron.kakao.login import Credentials, Login
from kakaocron.kakao.tokens import Tokens
from kakaocron.kst import KST
from kakaocron.language.words import _
from kakaocron.ledger.day_file import Reading
from kakaocron.ledger.files import FileLedger
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.ledger.ledger import Ledger
from kakaocron.ledger.pause_file import Pauses, pauses_in
from kakaocron.ledger.timetable_file import timetables_in
from kakaocron.messages.making import Contents
from kakaocron.sharing import make_shared, sharing_of
from kakaocron.states import ME, ROOM
from kakaocron.system.belonging import claim, settled
from kakaocron.system.clock import Clock, SystemClock
from kakaocron.system.disk import Disk
from kakaocron.system.http import CONNECT_TIMEOUT_SECONDS, Answer, Failure, Gate, Http, Request
from kakaocron.system.interrupts import SIGNALS, Interrupts
from kakaocron.system.log import log_to_file
from kakaocron.system.memory import Memory
from kakaocron.system.places import Places, find_config, find_places, secret
from kakaocron.system.programs import Programs, feed
from kakaocron.system.syscalls import RealDisk
from kakaocron.system.workers import Threads, Workers
from kakaocron.text.plain import account_variables
from kakaocron.text.tables import nearest

if TYPE_CHECKING:
    from kakaocron.ledger.postgres.sharing import MakeAsker, Shared


class HttpWhenNeeded:
    """The real thing, imported by the first request: most commands and many ticks make none."""

    def __init__(self, read_timeout_seconds: float, variables: Mapping[str, str]) -> None:
        self._arguments = read_timeout_seconds, variables
        self._lock = threading.Lock()
        self._http: Http | None = None

    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        return self._real().ask(request, gate)

    def warm(self, url: str, count: int) -> None:
        self._real().warm(url, count)

    def close(self) -> None:
        if self._http is not None:
            self._http.close()

    def _real(self) -> Http:
        with self._lock:
            if self._http is None:
                from kakaocron.system.socket_http import SocketHttp  # noqa: PLC0415

                self._http = SocketHttp(*self._arguments)
            return self._http


DEFAULT_ACCOUNT = ""
IN_MEMORY = "/dev/shm" if sys.platform == "linux" else "/tmp"  # noqa: S108
LONGEST_LEASE = timedelta(seconds=50)
# Cron starts a tick a second or two after the minute, so each slot has one tick before it.
EARLY_START = timedelta(seconds=60)


# Gives a document to a command: its words, what it reads, its environment, its seconds, its folder.
Feed = Callable[[Sequence[str], bytes, Mapping[str, str], float, Path | None], int]


class Edges(Struct, frozen=True):
    """The outside world; a test or a simulation puts its own in place."""

    clock: Clock = field(default_factory=SystemClock)
    disk: Disk = field(default_factory=RealDisk)
    workers: Workers = field(default_factory=Threads)
    make_http: Callable[[float], Http] | None = None  # None: as the variables have it
    owner: str = field(default_factory=lambda: f"{os.getpid()}-{os.urandom(4).hex()}")
    make_reading: Callable[[], Reading] = Reading
    make_asker: MakeAsker | None = None  # of a shared ledger; None: PostgreSQL
    feed: Feed = feed
    interrupts: Interrupts = field(default_factory=lambda: SIGNALS)


class FullSnapshot(Snapshot, frozen=True, kw_only=True):
    """A snapshot, and each account's login as it was found then: each read once, for all who show
    it, tell it or plan by it."""

    logins: Mapping[str, Tokens | KakaocronError]


class Installation(Struct, frozen=True):
    """One kakaocron, ready to work: a configuration over a data folder."""

    places: Places
    config: Config
    edges: Edges
    ledger: Ledger
    heartbeat: Heartbeat
    logins: Mapping[str, Login]  # by account
    engine: Engine
    plan: Plan
    inputs: Sequence[str]  # the marks of what it was made from
    contents: Contents
    pauses: Pauses
    shared: Shared | None = None  # with other hosts

    def close(self) -> None:
        """Let go of kept connections; a command that ends need not."""
        for login in self.logins.values():
            login.http.close()
        if self.shared:
            self.shared.database.close()

    @property
    def login(self) -> Login:
        """The login of the account that is meant where none is named."""
        return self.logins[DEFAULT_ACCOUNT]

    def login_by(self, account: str | None) -> tuple[str, Login]:
        """Return an account and its login, by the name that a person gives; `me` and none at all
        are the default. Raises UsageError for a name that is no account's."""
        name = normalize("NFC", account or ME)
        if name == ME:
            return DEFAULT_ACCOUNT, self.login
        if name in self.logins:
            return name, self.logins[name]
        near = nearest(name, list(self.config.account))
        raise UsageError(
            _("The configuration has no account '{name}'{near}").format(name=name, near=near),
            _("Write [account.{name}] into it").format(name=name),
        )

    @property
    def clock(self) -> Clock:
        return self.edges.clock

    def snapshot(self, days: Iterable[date] = (), beats_of: Iterable[date] = ()) -> Snapshot:
        """Look at what is on record now, without the lock (see `take_snapshot`)."""
        now = self.clock.now()
        return take_snapshot(
            self.ledger, self.ledger, self.heartbeat, self.plan, now, days=days, beats_of=beats_of
        )

    def with_logins(self, seen: Snapshot) -> FullSnapshot:
        """Look at the logins, too."""
        found = {account: login.found() for account, login in self.logins.items()}
        return FullSnapshot(**asdict(seen), logins=found)

    def snapshot_ahead(self) -> Snapshot:
        """Look at what is on record now, of all the days to come too. Raises LedgerError."""
        return self.snapshot(self._days_to_come())

    def snapshots_ahead(self) -> Iterator[tuple[Snapshot, datetime | None]]:
        """Look at what is on record now, of more and more of the days to come; each time with the
        instant before which that is all there is (None: it is all). Raises LedgerError."""
        days, count = self._days_to_come(), 0
        while count < len(days):
            unread = datetime.combine(days[count], time(), KST)
            yield self.snapshot(days[:count]), unread
            count = 2 * count or 1
        yield self.snapshot(days), None

    def _days_to_come(self) -> list[date]:
        today = self.clock.now().date()
        return [day for day in self.ledger.days() if day > today]


def find_installation(config_path: Path | None = None, edges: Edges | None = None) -> Installation:
    """Read the environment and the configuration, to look at what is there: nothing is written
    into the data folder. Raises UsageError, LedgerError."""
    return _found(config_path, edges or Edges(), settled_places)


def take_installation(config_path: Path | None = None, edges: Edges | None = None) -> Installation:
    """Read them for a command that writes: a data folder that belongs to nobody is this
    configuration's from now on. Raises UsageError, LedgerError, LockTimeoutError."""
    return _found(config_path, edges or Edges(), claimed_places)


def _found(
    config_path: Path | None, edges: Edges, own: Callable[[Places, Edges], Places]
) -> Installation:
    marks = config_marks(edges.disk, str(find_config(config_path)))
    places = find_places(config_path)
    written_at = config_written_at(places, edges.disk)
    config = load_config(places.config, places.profile)
    places = own(places, edges)
    log_to_places(places)
    return assemble(places, config, edges, marks, written_at)


def log_to_places(places: Places) -> None:
    log_to_file(places.log_file, places.variables.get("LOG_LEVEL") or "INFO")


def settled_places(places: Places, edges: Edges) -> Places:
    """Return a configuration's places, if they are its own. Raises UsageError, LedgerError."""
    return settled(places, edges.disk)


def claimed_places(places: Places, edges: Edges) -> Places:
    """Return them, claimed. Raises UsageError, LedgerError, LockTimeoutError."""
    return claim(places, edges.disk, edges.clock, edges.owner)


def assemble(
    places: Places,
    config: Config,
    edges: Edges,
    marks: Sequence[str] | None = None,
    written_at: datetime | None = None,
) -> Installation:
    """Make an installation. `marks` are those of the configuration before it was read, and
    `written_at` is since when it had been what it was then."""
    if marks is None:
        marks = config_marks(edges.disk, str(places.config))
        written_at = config_written_at(places, edges.disk)
    inputs = [*marks, *data_marks(edges.disk, str(places.data))]
    files = make_ledger(places, edges)
    shared = make_shared(places, config, edges.clock, files, edges.make_asker)
    if shared is not None:
        edges = replace(edges, clock=shared.clock)
    ledger = shared.ledger if shared else files
    logins = make_logins(places, config, edges, shared)
    channel_of = config.contacts.channel_of
    by_login = make_channels(logins, config, channel_of)
    channels: dict[str, Channel] = {
        **by_login,
        **make_bot(places, config, logins),
        **make_alimtalk(places, config, edges, logins[DEFAULT_ACCOUNT].http, channel_of),
    }
    receipts = receipts_of(channels)
    engine = Engine(
        ledger=ledger,
        channels=channels,
        pictures=by_login,
        channel_of=channel_of,
        workers=edges.workers,
        clock=edges.clock,
        policy=config.delivery.policy(settling_of(receipts.values())),
        owner=edges.owner,
        lease=lease(config),
        at_once=config.delivery.at_once,
        interrupts=edges.interrupts,
        receipts=receipts,
        is_current=lambda: (
            inputs == _inputs(places, edges.disk) and (not shared or shared.orders.is_as_read())
        ),
        is_configured=lambda: marks == config_marks(edges.disk, str(places.config)),
        sharing=sharing_of(shared) if shared else None,
    )
    again = partial(make_ledger, places, edges)
    contents = Contents(
        config,
        places.folder,
        Programs(places.variables),
        (lambda: shared.ledger) if shared else again,
        partial(make_http, places, edges),
    )
    pauses = shared.pauses if shared else pauses_in(places.pauses, edges.disk)
    ahead = EARLY_START if config.schedule.early_start else timedelta(0)
    timetables = shared.timetables if shared else timetables_in(places.timetables, edges.disk)
    plan = Plan(
        series=config.series(),
        make=contents.of,
        keep_days=config.ledger.keep_days,
        ahead=ahead,
        pauses=pauses.as_of,
        timetables=timetables.read,
        note_timetables=timetables.note,
        written_at=written_at,
    )
    return Installation(
        places=places,
        config=config,
        edges=edges,
        ledger=ledger,
        heartbeat=shared.heartbeat if shared else make_heartbeat(places, edges.disk),
        logins=logins,
        engine=engine,
        plan=plan,
        inputs=inputs,
        contents=contents,
        pauses=pauses,
        shared=shared,
    )


def make_logins(
    places: Places, config: Config, edges: Edges, shared: Shared | None = None
) -> dict[str, Login]:
    """Return the login of each account, by the account's name."""
    https: dict[float, Http] = {}
    key = secret(places.variables, "KAKAOCRON_LOGIN_KEY")

    def of(account: str) -> Login:
        kakao = config.kakao_of(account)
        if kakao.timeout not in https:
            https[kakao.timeout] = make_http(places, edges, kakao.timeout)
        return Login(
            path=places.tokens_of(account),
            disk=edges.disk,
            clock=edges.clock,
            http=https[kakao.timeout],
            auth_url=kakao.auth_url,
            credentials=credentials(places, config, account),
            account=account,
            is_needed=bool(account) or is_needed,
            shelf=shared.login(account, key) if shared and key else None,
        )

    has_others = config.rooms or config.alimtalk or config.account
    is_needed = not has_others or goes_by_kakaotalk(config)
    return {account: of(account) for account in (DEFAULT_ACCOUNT, *config.account)}


def goes_by_kakaotalk(config: Config) -> bool:
    """Say whether any message needs the login of the default account, or there is none yet."""
    contacts = config.contacts
    receivers = {to for one in config.message for to in contacts.receivers(one.to, one.sender)}
    own = channel_name(DEFAULT_ACCOUNT)
    return not receivers or any(contacts.channel_of(to) == own for to in receivers)


def make_channels(
    logins: Mapping[str, Login], config: Config, chooses: Callable[[str], str]
) -> dict[str, KakaoTalk]:
    """Return KakaoTalk's ways out, one for each account, by the names that `chooses` gives."""

    def by(account: str, login: Login) -> KakaoTalk:
        kakao = config.kakao_of(account)
        return KakaoTalk(
            login.http,
            login,
            kakao.api_url,
            partial(_is_of, chooses, channel_name(account)),
            config.contacts.stranger,
            config.kakao.link,
            kakao.link,
        )

    return {channel_name(account): by(account, login) for account, login in logins.items()}


def _is_of(chooses: Callable[[str], str], channel: str, receiver: str) -> bool:
    return chooses(receiver) == channel


def make_alimtalk(
    places: Places, config: Config, edges: Edges, http: Http, chooses: Callable[[str], str]
) -> dict[str, Channel]:
    """Return the channel to phones, if there is a dealer for it. Raises UsageError."""
    if config.alimtalk is None:
        return {}
    from kakaocron.alimtalk.channel import Alimtalk, make_dealer  # noqa: PLC0415 - few have one

    settings = config.alimtalk
    keys = {
        "app_key": settings.app_key,
        "sender_key": settings.sender_key,
        "api_key": settings.api_key,
    }
    dealer = make_dealer(
        settings.dealer,
        {
            **{name: key.reveal() for name, key in keys.items() if key},
            "pf_id": settings.pf_id or "",
            "sender_number": settings.sender_number or "",
        },
        secret(places.variables, settings.secret_name),
        settings.secret_name,
        http,
        settings.url,
        edges.owner,
        edges.clock.now,
    )

    serves = partial(_is_of, chooses, ALIMTALK)
    return {ALIMTALK: Alimtalk(http, dealer, serves, settings.daily_cap)}


def make_bot(places: Places, config: Config, logins: Mapping[str, Login]) -> dict[str, Channel]:
    """Return the way out to rooms, if there are any."""
    if not config.rooms:
        return {}
    from kakaocron.bot.channel import Bot  # noqa: PLC0415 - most have no room

    keys = {f"{ROOM}{name}": key for name, key in config.rooms.items()}
    return {BOT: Bot(logins[DEFAULT_ACCOUNT].http, config.bot.url, lambda: bot_token(places), keys)}


def bot_token(places: Places) -> str | None:
    """Return the bot's token, None if there is none. Raises UsageError."""
    return secret(places.variables, "KAKAO_BOT_TOKEN")


def receipts_of(channels: Mapping[str, Channel]) -> dict[str, ReceiptChannel]:
    """Return those of the channels that tell later what became of a message."""
    return {name: channel for name, channel in channels.items() if _tells_later(channel)}


def _tells_later(channel: Channel) -> TypeGuard[ReceiptChannel]:
    return hasattr(channel, "look_up")


def settling_of(receipts: Iterable[ReceiptChannel]) -> timedelta:
    """Return after how long every one of these channels knows what it has taken."""
    return max((channel.settling for channel in receipts), default=timedelta(0))


def config_written_at(places: Places, disk: Disk) -> datetime | None:
    """Return since when the configuration's files are what they are, None if that is not known."""
    changed_ns = []
    for path in (places.config, places.env_file):
        with suppress(OSError):
            changed_ns.append(disk.stat(str(path)).ctime_ns)
    return datetime.fromtimestamp(max(changed_ns) / 1e9, KST) if changed_ns else None


def _inputs(places: Places, disk: Disk) -> list[str]:
    return [*config_marks(disk, str(places.config)), *data_marks(disk, str(places.data))]


def make_http(places: Places, edges: Edges, read_timeout_seconds: float) -> Http:
    if edges.make_http is not None:
        return edges.make_http(read_timeout_seconds)
    return HttpWhenNeeded(read_timeout_seconds, places.variables)


def make_ledger(places: Places, edges: Edges) -> FileLedger:
    """Return the ledger in the data folder, whether it is the configured one or not."""
    heartbeat = make_heartbeat(places, edges.disk)
    return FileLedger(
        places.ledger, edges.disk, edges.clock, heartbeat, make_reading=edges.make_reading
    )


def make_memory(places: Places, disk: Disk, name: str) -> Memory:
    return Memory(str(places.data / name), f"{spare_folder(places)}/{name}", disk)


def make_refusals(places: Places, disk: Disk) -> Memory:
    """Return what a configuration remembers that may not write into its data folder."""
    name = f"refused-{crc32(os.fsencode(places.config)):08x}.json"
    path = f"{spare_folder(places)}/{name}"
    return Memory(path, path, disk)


def make_heartbeat(places: Places, disk: Disk) -> Heartbeat:
    return Heartbeat(places.heartbeat, disk, spare_folder(places))


def spare_folder(places: Places) -> str:
    """Return where small things go while the disk is full: a file system in memory, if any."""
    # `tempfile` would look for a folder with room, and raise where there is none.
    runtime = places.variables.get("XDG_RUNTIME_DIR") or IN_MEMORY
    # Two installations of one user must not tell each other's troubles.
    own = f"{crc32(os.fsencode(places.data)):08x}"
    return f"{runtime}/kakaocron-{os.getuid()}-{own}"


def lease(config: Config) -> timedelta:
    """Return how long a claim holds: time to connect and be answered, twice over."""
    slowest = max(config.kakao_of(account).timeout for account in ("", *config.account))
    seconds = 2 * (CONNECT_TIMEOUT_SECONDS + slowest) + 10
    return min(timedelta(seconds=seconds), LONGEST_LEASE)


def credentials(places: Places, config: Config, account: str = DEFAULT_ACCOUNT) -> Credentials:
    """Gather what the user gave for an account; the environment wins over the configuration.

    A client secret belongs to its key: the first account's is this one's only if the key is too.
    """
    own = config.account[account] if account else config.kakao

    def given(name: str, configured: Secret | None = None) -> str | None:
        found = secret(places.variables, account_variables(account) + name)
        return found or (configured.reveal() if configured else None)

    key = given("REST_API_KEY", own.rest_api_key)
    client_secret = given("CLIENT_SECRET", own.client_secret)
    if account and key is None:
        first = credentials(places, config)
        key, client_secret = first.rest_api_key, client_secret or first.client_secret
    return Credentials(key, client_secret, given("ACCESS_TOKEN"), given("REFRESH_TOKEN"))


def ledger_of(places: Places, edges: Edges) -> Ledger:
    """Return the configured ledger without making all the rest. That in the data folder can be
    looked at while the configuration cannot be read. Raises UsageError."""
    given = secret(places.variables, "KAKAOCRON_LEDGER_URL")
    try:
        config = load_config(places.config, places.profile)
    except UsageError:
        if given is not None:
            raise
        return make_ledger(places, edges)
    shared = make_shared(places, config, edges.clock, make_ledger(places, edges))
    return shared.ledger if shared else make_ledger(places, edges)
