"""The Kakao accounts of a sandbox's people: what each agreed to, and its tokens."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kakaocron.rehearsal.sandbox.codes import KauthRefusedError, RefusedError
from kakaocron.rehearsal.sandbox.settings import Member, Settings

MAX_TOKEN_LENGTH = (
    512  # Kakao has a limit ("too long for access token."), its size is not published
)

# Tokens for one user (Kakao's documentation, quota page): most, within.
ACCESS_TOKEN_LIMIT = (20, timedelta(minutes=10))
REFRESH_TOKEN_LIMIT = (30, timedelta(minutes=60))


@dataclass(frozen=True)
class ReadyLogin:
    """A ready login, as after a visit to the consent page."""

    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


@dataclass(frozen=True)
class Token:
    """An access or refresh token of login number `login`."""

    login: int
    expires_at: datetime


class Account:
    """Of one person: issues tokens and knows which of them live; the same seed and calls give the
    same tokens."""

    def __init__(self, settings: Settings, person: Member, seed: str) -> None:
        self.person = person
        self._settings = settings
        self._seed = seed
        self._made = 0
        self._logins = 0
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}
        self._access_issues: list[datetime] = []
        self._refresh_issues: list[datetime] = []
        self.agreed: set[str] = set()
        self.has_seen_page = False
        self.linked_at: datetime | None = None

    def make_secret(self, kind: str) -> str:
        """Return a string that looks random, is never repeated, and can be replayed."""
        self._made += 1
        digest = hashlib.sha256(f"{self._seed}|{self._made}|{kind}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=") + kind

    def log_in(self, now: datetime) -> ReadyLogin:
        """Issue a new pair of tokens, whatever the limits say."""
        self._logins += 1
        self.linked_at = self.linked_at or now
        access, access_token = self._make_access(self._logins, now)
        refresh, refresh_token = self._make_refresh(self._logins, now)
        return ReadyLogin(access, access_token.expires_at, refresh, refresh_token.expires_at)

    def issue(self, now: datetime) -> dict[str, Any]:
        """Answer an authorization-code grant; raise KauthRefusedError (KOE237)."""
        self._spend_limits(now, is_refresh_token_issued=True)
        login = self.log_in(now)
        return {
            "token_type": "bearer",
            "access_token": login.access_token,
            "expires_in": _seconds(self._settings.access_token_lifetime),
            "refresh_token": login.refresh_token,
            "refresh_token_expires_in": _seconds(self._settings.refresh_token_lifetime),
            "scope": " ".join(sorted(self.agreed)),
        }

    def renew(self, refresh: str, now: datetime, *, is_rotation_forced: bool) -> dict[str, Any]:
        """Answer a refresh grant; raise KauthRefusedError (KOE322, KOE237).

        The refresh token is renewed only in the last days of its life, and the old one is dead
        from then on (reports differ; dead at once is the harder case).
        """
        token = self._refresh.get(refresh)
        if token is None or token.expires_at <= now:
            raise KauthRefusedError("KOE322")
        is_rotated = is_rotation_forced or token.expires_at - now < self._settings.rotation_window
        self._spend_limits(now, is_refresh_token_issued=is_rotated)
        access, _ = self._make_access(token.login, now)
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": _seconds(self._settings.access_token_lifetime),
        }
        if is_rotated:
            del self._refresh[refresh]
            answer["refresh_token"], _ = self._make_refresh(token.login, now)
            answer["refresh_token_expires_in"] = _seconds(self._settings.refresh_token_lifetime)
        return answer

    def access(self, access: str) -> Token | None:
        """Return an access token of this account."""
        return self._access.get(access)

    def has_refresh(self, refresh: str) -> bool:
        """Tell whether a refresh token is of this account."""
        return refresh in self._refresh

    def log_out(self, login: int) -> None:
        """Kill the tokens of one login (Kakao's page names both and only the access token)."""
        self._access = {key: t for key, t in self._access.items() if t.login != login}
        self._refresh = {key: t for key, t in self._refresh.items() if t.login != login}

    def unlink(self) -> None:
        """Withdraw all consent and kill all tokens."""
        self.agreed.clear()
        self.has_seen_page = False
        self.linked_at = None
        self.revoke_access_tokens()
        self.revoke_refresh_tokens()

    def revoke_access_tokens(self) -> None:
        """Kill every access token."""
        self._access.clear()

    def revoke_refresh_tokens(self) -> None:
        """Kill every refresh token."""
        self._refresh.clear()

    def _make_access(self, login: int, now: datetime) -> tuple[str, Token]:
        name = self.make_secret("AT")
        self._access[name] = Token(login, now + self._settings.access_token_lifetime)
        return name, self._access[name]

    def _make_refresh(self, login: int, now: datetime) -> tuple[str, Token]:
        name = self.make_secret("RT")
        self._refresh[name] = Token(login, now + self._settings.refresh_token_lifetime)
        return name, self._refresh[name]

    def _spend_limits(self, now: datetime, *, is_refresh_token_issued: bool) -> None:
        spent = [(self._access_issues, *ACCESS_TOKEN_LIMIT)]
        if is_refresh_token_issued:
            spent.append((self._refresh_issues, *REFRESH_TOKEN_LIMIT))
        for issues, most, within in spent:
            issues[:] = [at for at in issues if at > now - within]
            if len(issues) >= most:
                raise KauthRefusedError("KOE237")
        for issues, _, _ in spent:
            issues.append(now)


class Accounts:
    """The accounts of all people who have one, by uuid; the first is the user's."""

    def __init__(self, settings: Settings, seed: int) -> None:
        people = settings.people
        self._of = {
            one.uuid: Account(settings, one, f"{seed}|{one.uuid}" if index else str(seed))
            for index, one in enumerate(people)
        }
        self.user = self._of[people[0].uuid]

    def of(self, uuid: str | None) -> Account:
        """Return the account of a person; the user's where nobody is named, or nobody known."""
        return self._of.get(uuid or "", self.user)

    def check_access(self, access: str, now: datetime) -> tuple[Account, Token]:
        """Return whose living token it is; raise RefusedError (-2, -401)."""
        if len(access) > MAX_TOKEN_LENGTH:
            raise RefusedError(-2, "too long for access token.")
        if not access or not all(33 <= ord(c) <= 126 for c in access):  # noqa: PLR2004 - ASCII
            raise RefusedError(-2, "malformed access token.")
        for account in self._of.values():
            token = account.access(access)
            if token is not None and token.expires_at <= now:
                raise RefusedError(-401, "this access token is already expired")
            if token is not None:
                return account, token
        raise RefusedError(-401)

    def renew(self, refresh: str, now: datetime, *, is_rotation_forced: bool) -> dict[str, Any]:
        """Answer a refresh grant; raise KauthRefusedError (KOE322, KOE237)."""
        account = next((one for one in self._of.values() if one.has_refresh(refresh)), self.user)
        return account.renew(refresh, now, is_rotation_forced=is_rotation_forced)


def _seconds(life: timedelta) -> int:
    return int(life.total_seconds())
