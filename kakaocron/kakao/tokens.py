"""Kakao's tokens: how long they live and what a reply changes. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.kst import in_kst, isoformat
from kakaocron.text.documents import NewerDocumentError, versioned, with_version
from kakaocron.text.plain import is_secret

# A token that dies within this time is renewed before it is used.
MARGIN = timedelta(minutes=10)
# One that dies within this time is renewed in an idle minute, so that no slot waits for it; if
# there is no idle minute, at the end of a busy one.
AHEAD = timedelta(hours=1)
AT_THE_LATEST = timedelta(minutes=20)
# Where no other can be had, a token is used up to its last moments.
LAST_MOMENTS = timedelta(seconds=30)
# Kakao's limits on issuing tokens count 10 minutes and 60: a first pause, and those after it.
LONG_PAUSE = timedelta(minutes=60)
WARNING_DAYS = 14
# Whatever an answer says: no calendar reaches further than so.
LONGEST_LIFE = timedelta(days=3660)
# Kakao renews a refresh token only when one is used within the last month of its life; looking
# in once a week means that this month is never missed.
RENEWED_EVERY = timedelta(days=7)


class Tokens(Struct, frozen=True):
    """One login. Secrets are not shown by `repr`."""

    access_token: str | None = None
    access_expires_at: datetime | None = None
    refresh_token: str | None = None
    refresh_expires_at: datetime | None = None
    client_id: str | None = None
    refreshed_at: datetime | None = None
    refused: str | None = None  # the code with which kauth last refused
    refused_until: datetime | None = None  # None with `refused`: this login is dead
    refused_with: str | None = None  # a digest of the key and secret that were refused

    def __repr__(self) -> str:
        return f"Tokens(refreshed_at={self.refreshed_at!r}, refused={self.refused!r})"

    def is_fresh(self, now: datetime, margin: timedelta = MARGIN) -> bool:
        return bool(
            self.access_token and self.access_expires_at and now + margin < self.access_expires_at
        )

    def wants_renewal(self, now: datetime) -> bool:
        """Say whether an idle minute should be used to renew the access token."""
        if self.refresh_token is None or self.is_dead:
            return False
        if self.is_to_wait(now):
            return False
        is_old = self.refreshed_at is None or now - self.refreshed_at > RENEWED_EVERY
        return is_old or not self.is_fresh(now, AHEAD)

    def is_to_wait(self, now: datetime) -> bool:
        """Say whether it is too early to ask again after a refusal. What is further off than any
        pause was reckoned by a clock that has been set back since."""
        return self.refused_until is not None and now < self.refused_until <= now + LONG_PAUSE

    def idle_until(self, now: datetime) -> datetime | None:
        """Return before when nothing need be done for the login; None if nothing ever."""
        if self.wants_renewal(now):
            return now
        marks = (
            self.access_expires_at and self.access_expires_at - AHEAD,
            self.refreshed_at and self.refreshed_at + RENEWED_EVERY,
            self.refused_until if self.is_to_wait(now) else None,
            self.refresh_expires_at and self.refresh_expires_at - timedelta(days=WARNING_DAYS),
        )
        return min((mark for mark in marks if mark and mark >= now), default=None)

    def ends_soon(self, now: datetime) -> bool:
        """Say whether the login itself will end, as it does when nothing renews it for a month."""
        end = self.refresh_expires_at
        return end is not None and end - now < timedelta(days=WARNING_DAYS)

    @property
    def is_dead(self) -> bool:
        return self.refused is not None and self.refused_until is None


def merged(tokens: Tokens, reply: Mapping[str, Any], now: datetime) -> Tokens:
    """Return the tokens after kauth's reply: a new refresh token only if one came."""
    renewed = replace(
        tokens,
        access_token=reply["access_token"],
        access_expires_at=_end(now, reply["expires_in"]),
        refreshed_at=now,
        refused=None,
        refused_until=None,
        refused_with=None,
    )
    if not is_secret(reply.get("refresh_token")):
        return renewed
    lifetime = reply.get("refresh_token_expires_in")
    return replace(
        renewed,
        refresh_token=reply["refresh_token"],
        refresh_expires_at=_end(now, lifetime) if isinstance(lifetime, int) else None,
    )


def _end(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=min(max(0, seconds), LONGEST_LIFE.total_seconds()))


_INSTANTS = ("access_expires_at", "refresh_expires_at", "refreshed_at", "refused_until")
_TEXTS = ("access_token", "refresh_token", "client_id", "refused", "refused_with")


def to_json(tokens: Tokens) -> bytes:
    fields: dict[str, Any] = {name: getattr(tokens, name) for name in _TEXTS}
    for name in _INSTANTS:
        moment = getattr(tokens, name)
        fields[name] = isoformat(moment) if moment else None
    return json.dumps(with_version(fields), indent=1).encode() + b"\n"


def from_json(content: bytes) -> Tokens:
    """Read a token file. Raises ValueError, whose text holds nothing of the file;
    NewerDocumentError for one of a later version."""
    try:
        fields = versioned(content)
        texts = {name: fields.get(name) for name in _TEXTS}
        instants = {
            name: in_kst(datetime.fromisoformat(fields[name])) if fields.get(name) else None
            for name in _INSTANTS
        }
        secrets = texts["access_token"], texts["refresh_token"]
        if not all(value is None or is_secret(value) for value in secrets):
            raise ValueError
        for value in (texts["client_id"], texts["refused"], texts["refused_with"]):
            if value is not None:
                str.encode(value)  # a TypeError or ValueError for what is no text
        known: dict[str, Any] = {**texts, **instants}
        return Tokens(**known)
    except NewerDocumentError:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError("not a token file of kakaocron's") from None
