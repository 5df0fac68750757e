"""The login: an access token that lives, renewed by one process at a time."""

from __future__ import annotations

import atexit
import hashlib
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.errors import (
    KakaocronError,
    LedgerError,
    LockTimeoutError,
    LoginError,
    UsageError,
)
from kakaocron.kakao.answers import of_token
from kakaocron.kakao.causes import LOG_IN, parts
from kakaocron.kakao.codes import LOGIN_CODES, Refusal
from kakaocron.kakao.tokens import LAST_MOMENTS, LONG_PAUSE, Tokens, from_json, merged, to_json
from kakaocron.kst import isoformat
from kakaocron.language.words import _
from kakaocron.system.clock import Clock
from kakaocron.system.disk import (
    Disk,
    adopt,
    beside,
    locked,
    make_folders,
    read_file,
    replace_file,
    room_for,
    sync_folder,
    why,
)
from kakaocron.system.http import Answer, Failure, Http, Request
from kakaocron.system.interrupts import ASKING
from kakaocron.system.log import log
from kakaocron.system.scarcity import is_scarcity
from kakaocron.text.documents import NewerDocumentError

LOCK_TIMEOUT_SECONDS = 15.0
# Two tokens of the longest kind that Kakao gives, and what else is noted.
FILE_BYTES = 4096
PAUSE_AFTER_REFUSAL = timedelta(minutes=1)
VARIABLE = "KAKAO_REFRESH_TOKEN"


class _UnderWay:
    """Counts renewals: the process must not end between Kakao's answer and the disk.

    In the main thread an interrupt waits for it; the end of the process waits for one in a worker.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
        with self._changed:
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, LOCK_TIMEOUT_SECONDS)


_under_way = _UnderWay()
atexit.register(_under_way.wait)


def _is_later(one: bytes, other: bytes) -> bool:
    """Say whether tokens were renewed later than others; what cannot be read was not."""
    try:
        mine, theirs = from_json(one).refreshed_at, from_json(other).refreshed_at
    except ValueError:
        return False
    return mine is not None and (theirs is None or mine > theirs)


def dead(code: str) -> LoginError:
    """Return the one sentence, always the same, for a login that Kakao has ended."""
    return LoginError(*parts("login-dead", code=code))


def variable_dead(code: str) -> LoginError:
    """Return the sentence for a KAKAO_REFRESH_TOKEN that Kakao does not accept."""
    return LoginError(*parts("variable-dead", code=code))


def set_up_wrong(code: str) -> LoginError:
    """Return the one sentence, always the same, for an app that the user has to fix first."""
    return LoginError(*parts("login-refused", code=code))


class UnreadableLoginError(LoginError):
    """The disk does not give the saved login away; later it may."""


class NoTokenNowError(KakaocronError):
    """No token can be had at the moment; later may be better."""


class UnreachableError(NoTokenNowError):
    """The login server cannot be reached, or does not answer."""


class Credentials(Struct, frozen=True):
    """What the user gave: the app's key and secret, and tokens from the environment."""

    rest_api_key: str | None = None
    client_secret: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"

    def digest(self) -> str:
        """Return what changes with the key or the secret, and gives neither away."""
        text = f"{self.rest_api_key}\0{self.client_secret}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


class Shelf(Protocol):
    """Where several hosts keep one login."""

    def alone(self) -> AbstractContextManager[None]:
        """Be the only host that changes it for a block. Raises LockTimeoutError, LedgerError."""
        ...

    def fetch(self) -> bytes | None:
        """Return what was put there, empty if it was taken away, None if nothing ever was. Raises
        LoginError if it cannot be read, LedgerError."""
        ...

    def put(self, content: bytes) -> None:
        """Raises LedgerError."""
        ...


class Login(Struct, frozen=True):
    """The tokens in `path`, and how to renew them at `auth_url`.

    With a shelf that is this host's copy of them: whichever was renewed later counts.
    """

    path: str
    disk: Disk
    clock: Clock
    http: Http
    auth_url: str
    credentials: Credentials
    account: str = ""  # its name; the first one has none
    is_needed: bool = True  # False where all messages go by other channels
    shelf: Shelf | None = None

    def access_token(self) -> str:
        """Return a token that should be accepted. Raises LoginError, NoTokenNowError."""
        if self.credentials.access_token:
            return self.credentials.access_token
        tokens = self.read()
        now = self.clock.now()
        if tokens.is_fresh(now) and tokens.access_token:
            return tokens.access_token
        try:
            return self.renew(None)
        except (LoginError, NoTokenNowError):
            if tokens.is_fresh(now, LAST_MOMENTS) and tokens.access_token:
                return tokens.access_token
            raise

    def renew(self, rejected: str | None) -> str:
        """Return another token than the `rejected` one, asking Kakao for it if need be.

        Of several processes one asks, and the others find its result. The reply is on disk before
        its token is used: a new refresh token may have made the old one worthless.
        """
        if self.credentials.access_token:
            raise LoginError(*parts("token-refused"))
        with self._alone():
            tokens = self._recovered()
            is_another = tokens.access_token != rejected
            if not (is_another and tokens.is_fresh(self.clock.now())):
                tokens = self._renewed(tokens)
            return tokens.access_token or ""

    def renew_ahead(self) -> None:
        """Renew the access token if it is time to, so that no slot has to wait for it."""
        with self._alone():
            tokens = self._recovered()
            if tokens.wants_renewal(self.clock.now()):
                self._renewed(tokens)

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> str:
        """Turn an authorization code into the saved login; return its access token.

        Raises LoginError, UsageError.
        """
        key = self.credentials.rest_api_key or ""
        form = {
            "grant_type": "authorization_code",
            "client_id": key,
            "redirect_uri": redirect_uri,
            "code": code,
            "code_verifier": verifier,
        }
        with self._alone():
            reply = self._ask_and_keep(form, Tokens(client_id=key))
        if isinstance(reply, Refusal):
            said = _("Kakao refuses the login ({code}: {detail})").format(
                code=reply.code, detail=_(reply.detail)
            )
            raise UsageError(said) if reply.is_setup else LoginError(said, LOG_IN)
        return reply.access_token or ""

    def end(self, api_url: str) -> tuple[bool, bool]:
        """End the login here and at Kakao; return whether one was saved here, and whether Kakao
        could be told."""
        is_told = False
        with suppress(LoginError, NoTokenNowError):
            request = Request(f"{api_url}/v1/user/logout", {}, self.access_token())
            answer = self.http.ask(request)
            is_told = isinstance(answer, Answer) and answer.status == HTTPStatus.OK
        return self.forget(), is_told

    def forget(self) -> bool:
        """Remove the tokens from this machine; return whether there were any."""
        was_here = False
        with self._alone():
            for path in (beside(self.path), self.path):
                with suppress(FileNotFoundError):
                    self.disk.unlink(path)
                    was_here = True
            # Said to be gone, they must not be back after a power cut.
            sync_folder(self.disk, self.path.rpartition("/")[0])
            self._put_on_shelf(b"")
        return was_here

    def share(self) -> None:
        """Give the other hosts the login that this one has."""
        with self._alone(), suppress(FileNotFoundError):
            self._put_on_shelf(read_file(self.disk, self.path))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes, and the end of this one, away from the tokens for a block."""
        try:
            make_folders(self.disk, self.path.rpartition("/")[0])
            with (
                _under_way.one_more(),
                locked(self.disk, self.clock, f"{self.path}.lock", LOCK_TIMEOUT_SECONDS),
                self.shelf.alone() if self.shelf else nullcontext(),
            ):
                yield
        except LockTimeoutError as error:
            raise NoTokenNowError(error.what, error.mend, error.cause) from None
        except OSError as error:
            said = {"path": self.path, **why(error)}
            raise LedgerError(*parts("login-unwritable", **said)) from error

    def _recovered(self) -> Tokens:
        """Return the saved tokens; those that a process saved in part before it died come first.

        They can only be newer: every renewal begins here.
        """
        try:
            tokens = from_json(read_file(self.disk, beside(self.path)))
        except NewerDocumentError:
            raise LoginError(*parts("later-login-file", path=self.path)) from None
        except (OSError, ValueError):
            return self.read()
        adopt(self.disk, self.path)
        self._put_on_shelf(to_json(tokens))
        return self._as_of_now(tokens)

    def _renewed(self, tokens: Tokens) -> Tokens:
        self._check_renewable(tokens)
        form = {
            "grant_type": "refresh_token",
            "client_id": self.credentials.rest_api_key or tokens.client_id or "",
            "refresh_token": tokens.refresh_token or "",
        }
        reply = self._ask_and_keep(form, tokens)
        if isinstance(reply, Refusal):
            raise self._refused(tokens, reply)
        end = reply.access_expires_at
        log.info("token renewed, good until %s", isoformat(end) if end else "an unknown time")
        return reply

    def _ask_and_keep(self, form: Mapping[str, str], tokens: Tokens) -> Tokens | Refusal:
        """Ask kauth for tokens and put them on disk; room for them is made before asking."""
        if self.credentials.client_secret:
            form = {**form, "client_secret": self.credentials.client_secret}
        with room_for(self.disk, self.path, FILE_BYTES) as keep:
            answer = self.http.ask(Request(f"{self.auth_url}/oauth/token", form))
            if isinstance(answer, Failure):
                raise UnreachableError(
                    *parts("login-server", behind=answer.cause.code, **answer.cause.facts)
                )
            reply = of_token(answer)
            if isinstance(reply, Refusal):
                return reply
            renewed = merged(tokens, reply, self.clock.now())
            keep(to_json(renewed))
            self._put_on_shelf(to_json(renewed))
            return renewed

    def _check_renewable(self, tokens: Tokens) -> None:
        if tokens.refresh_token is None:
            raise LoginError(*parts("not-logged-in"))
        if not (self.credentials.rest_api_key or tokens.client_id):
            raise LoginError(*parts("no-key"))
        if tokens.is_dead:
            raise self.dead(tokens)
        if tokens.refused_until and tokens.is_to_wait(self.clock.now()):
            refused = tokens.refused or ""
            if refused in LOGIN_CODES and LOGIN_CODES[refused].is_setup:
                raise set_up_wrong(refused)
            until = f"{tokens.refused_until:%H:%M:%S}"
            raise NoTokenNowError(*parts("no-token-until", code=refused, until=until))

    def _refused(self, tokens: Tokens, refusal: Refusal) -> KakaocronError:
        pause = max(PAUSE_AFTER_REFUSAL, timedelta(seconds=refusal.wait_seconds))
        if refusal.wait_seconds and tokens.refused == refusal.code:
            pause = LONG_PAUSE
        until = None if refusal.is_dead else self.clock.now() + pause
        tokens = replace(
            tokens,
            refused=refusal.code,
            refused_until=until,
            refused_with=self.credentials.digest(),
        )
        self.write(tokens)
        if refusal.is_dead:
            return self.dead(tokens)
        if refusal.is_setup:
            return set_up_wrong(refusal.code)
        return NoTokenNowError(*parts("no-token", code=refusal.code))

    def read(self) -> Tokens:
        """Return the saved tokens; KAKAO_REFRESH_TOKEN begins a login where there is none.

        Raises LoginError if the file is there and cannot be read, NoTokenNowError if that is for
        the moment.
        """
        self._take_from_shelf()
        given = self.credentials.refresh_token
        try:
            tokens = from_json(read_file(self.disk, self.path))
        except FileNotFoundError:
            return Tokens(refresh_token=given)
        except OSError as error:
            if is_scarcity(error):
                said = {"path": self.path, **why(error)}
                raise NoTokenNowError(*parts("login-unreadable", **said)) from error
            told = parts("login-unreadable", path=self.path, **why(error))
            raise UnreadableLoginError(*told) from None
        except NewerDocumentError:
            raise LoginError(*parts("later-login-file", path=self.path)) from None
        except ValueError:
            raise LoginError(*parts("no-login-file", path=self.path)) from None
        tokens = self._as_of_now(tokens)
        if tokens.is_dead and given and given != tokens.refresh_token:
            return Tokens(refresh_token=given)
        return tokens

    def found(self) -> Tokens | KakaocronError:
        """Return the tokens that are used, or why they cannot be read: to be looked at. Whoever
        sends asks for `access_token` when it uses it."""
        if given := self.credentials.access_token:
            return Tokens(access_token=given)
        try:
            return self.read()
        except KakaocronError as error:
            return error

    def _as_of_now(self, tokens: Tokens) -> Tokens:
        """Return the tokens without a refusal that another key or secret has met: with those of
        now it is tried at once."""
        known = LOGIN_CODES.get(tokens.refused or "")
        is_of_the_app = known is not None and (known.is_setup or known.is_dead)
        if not is_of_the_app or tokens.refused_with in {None, self.credentials.digest()}:
            return tokens
        return replace(tokens, refused=None, refused_until=None, refused_with=None)

    def dead(self, tokens: Tokens) -> LoginError:
        """Return what to say of tokens that Kakao has ended: whose they were, and what to do."""
        is_given = tokens.refresh_token == self.credentials.refresh_token
        has_never_worked = tokens.refreshed_at is None
        return (variable_dead if is_given and has_never_worked else dead)(tokens.refused or "")

    def old_variable(self, tokens: Tokens) -> str | None:
        """Say that the variable holds another refresh token than the one in use, if it does."""
        given = self.credentials.refresh_token
        if given is None or tokens.refresh_token in {None, given}:
            return None
        return _(
            "{variable} is out of date: the saved login '{path}' has a newer token, which is "
            "used. Unset it; where that file is not kept, put the newer one there"
        ).format(variable=VARIABLE, path=self.path)

    def write(self, tokens: Tokens) -> None:
        """Put the tokens on disk, private and durable, in place of the old ones."""
        make_folders(self.disk, self.path.rpartition("/")[0])
        replace_file(self.disk, self.path, to_json(tokens))
        self._put_on_shelf(to_json(tokens))

    def _put_on_shelf(self, content: bytes) -> None:
        """Let the other hosts have it; what they do not get now they get with the next renewal."""
        if self.shelf is not None:
            try:
                self.shelf.put(content)
            except LedgerError as error:
                log.warning("%s", error)

    def _take_from_shelf(self) -> None:
        """Make this host's copy what is on the shelf, if that was renewed later; one that cannot be
        written stays as it is."""
        if self.shelf is None:
            return
        try:
            content = self.shelf.fetch()
        except LedgerError as error:  # what this host has is tried
            log.debug("%s", error)
            return
        if content is None:
            return
        with suppress(OSError):
            own = b""
            with suppress(FileNotFoundError):
                own = read_file(self.disk, self.path)
            if content == own or (own and content and _is_later(own, content)):
                return
            make_folders(self.disk, self.path.rpartition("/")[0])
            if content:
                replace_file(self.disk, self.path, content)
            else:
                self.disk.unlink(self.path)
