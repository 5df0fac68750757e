"""The login: an access token that lives, renewed by one process at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from kakaocron.clock import Clock
from kakaocron.core.answers import Failure, Refusal, of_token
from kakaocron.core.tokens import Tokens, from_json, merged, to_json
from kakaocron.disk import Disk, locked, make_folders, read_file, replace_file
from kakaocron.errors import KakaocronError, LedgerError, LockTimeoutError, LoginError
from kakaocron.http import Http, Request

LOCK_TIMEOUT_SECONDS = 15.0
PAUSE_AFTER_REFUSAL = timedelta(minutes=1)
LOG_IN = "Run: kakaocron login"


class NoTokenNowError(KakaocronError):
    """No token can be had at the moment; later may be better."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the user gave: the app's key and secret, and tokens from the environment."""

    rest_api_key: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """The tokens in `path`, and how to renew them at `auth_url`."""

    path: str
    disk: Disk
    clock: Clock
    http: Http
    auth_url: str
    credentials: Credentials

    def access_token(self) -> str:
        """Return a token that should be accepted. Raises LoginError, NoTokenNowError."""
        if self.credentials.access_token:
            return self.credentials.access_token
        tokens = self.read()
        if tokens.is_fresh(self.clock.now()) and tokens.access_token:
            return tokens.access_token
        return self.renew(None)

    def renew(self, rejected: str | None) -> str:
        """Return another token than the `rejected` one, asking Kakao for it if need be.

        Of several processes one asks, and the others find its result. The reply is on disk before
        its token is used: a new refresh token may have made the old one worthless.
        """
        if self.credentials.access_token:
            raise LoginError(
                "Kakao does not accept KAKAO_ACCESS_TOKEN: it lives for hours and is not renewed. "
                "Unset it. " + LOG_IN
            )
        try:
            make_folders(self.disk, self.path.rpartition("/")[0])
            with locked(self.disk, self.clock, f"{self.path}.lock", LOCK_TIMEOUT_SECONDS):
                return self._renew_alone(rejected)
        except LockTimeoutError as error:
            raise NoTokenNowError(str(error)) from None
        except OSError as error:
            raise LedgerError(f"Cannot write '{self.path}': {error.strerror}") from error

    def _renew_alone(self, rejected: str | None) -> str:
        now = self.clock.now()
        tokens = self.read()
        if tokens.is_fresh(now) and tokens.access_token and tokens.access_token != rejected:
            return tokens.access_token
        self._check_renewable(tokens)
        form = {
            "grant_type": "refresh_token",
            "client_id": self.credentials.rest_api_key or tokens.client_id or "",
            "refresh_token": tokens.refresh_token or "",
        }
        if self.credentials.client_secret:
            form["client_secret"] = self.credentials.client_secret
        answer = self.http.ask(Request(f"{self.auth_url}/oauth/token", form))
        if isinstance(answer, Failure):
            raise NoTokenNowError(f"Kakao's login server: {answer.detail}")
        reply = of_token(answer)
        if isinstance(reply, Refusal):
            raise self._refused(tokens, reply)
        renewed = merged(tokens, reply, now)
        self.write(renewed)
        return renewed.access_token or ""

    def _check_renewable(self, tokens: Tokens) -> None:
        if tokens.refresh_token is None:
            raise LoginError(f"Not logged in to Kakao. {LOG_IN}")
        if not (self.credentials.rest_api_key or tokens.client_id):
            raise LoginError(
                "Renewing the login needs the app's key: set rest_api_key in [kakao], "
                "or KAKAO_REST_API_KEY"
            )
        if tokens.is_dead:
            raise LoginError(
                f"Kakao no longer accepts the saved login ({tokens.refused}). {LOG_IN}"
            )
        if tokens.refused_until and self.clock.now() < tokens.refused_until:
            raise NoTokenNowError(
                f"Kakao refused a new token ({tokens.refused}); "
                f"the next try is at {tokens.refused_until:%H:%M:%S}"
            )

    def _refused(self, tokens: Tokens, refusal: Refusal) -> KakaocronError:
        pause = max(PAUSE_AFTER_REFUSAL, timedelta(seconds=refusal.wait_seconds))
        until = None if refusal.is_dead else self.clock.now() + pause
        self.write(replace(tokens, refused=refusal.code, refused_until=until))
        said = f"{refusal.code}: {refusal.detail}"
        if refusal.is_dead:
            return LoginError(f"Kakao no longer accepts the saved login ({said}). {LOG_IN}")
        if refusal.is_setup:
            return LoginError(f"Kakao refuses to renew the login ({said})")
        return NoTokenNowError(f"Kakao gives no token now ({said})")

    def read(self) -> Tokens:
        """Return the saved tokens; KAKAO_REFRESH_TOKEN begins a login where there is none.

        Raises LoginError if the file is there and cannot be read.
        """
        given = self.credentials.refresh_token
        try:
            tokens = from_json(read_file(self.disk, self.path))
        except FileNotFoundError:
            return Tokens(refresh_token=given)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise LoginError(
                f"Cannot read the saved login '{self.path}': {why}. {LOG_IN}"
            ) from None
        if tokens.is_dead and given and given != tokens.refresh_token:
            return Tokens(refresh_token=given)
        return tokens

    def write(self, tokens: Tokens) -> None:
        """Put the tokens on disk, private and durable, in place of the old ones."""
        make_folders(self.disk, self.path.rpartition("/")[0])
        replace_file(self.disk, self.path, to_json(tokens))
