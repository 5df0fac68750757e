"""Whom a message can go to, and which channel reaches them. Pure.

A receiver is written by a name, and kept in the ledger as what the name means; the form of what is
kept tells the channel. A kind of receiver has its place in each method here, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from unicodedata import normalize

from msgspec import Struct

from kakaocron.language.words import _
from kakaocron.states import ME
from kakaocron.text.tables import nearest

# The name of the channel, and by which it is chosen; of another account than the first: with that
# account's name behind it.
KAKAOTALK = "kakaotalk"
# What Kakao gives out for friends; a short word, or one of letters alone, is a name.
UUID = re.compile(r"(?![A-Za-z]+$)[A-Za-z0-9_.=+/-]{6,100}")


def channel_name(account: str) -> str:
    return f"{KAKAOTALK}:{account}" if account else KAKAOTALK


def account_of(channel: str) -> str:
    """Return the account of a channel of that name."""
    return channel.partition(":")[2]


class Contacts(Struct, frozen=True):
    """The receivers that a configuration knows, by table and name."""

    friends: Mapping[str, str]  # uuids

    def receivers(self, to: Sequence[str]) -> tuple[str, ...]:
        """Return what the ledger keeps of receivers as they are written."""
        return tuple(self._meant(normalize("NFC", name)) for name in to)

    def _meant(self, name: str) -> str:
        return self.friends.get(name, name)

    def channel_of(self, receiver: str) -> str:
        """Name the channel of a receiver, by its form. What has no form of its own is KakaoTalk's,
        which knows a stranger."""
        return KAKAOTALK

    def names(self) -> dict[str, str]:
        """Return by receiver the name that people read."""
        return {uuid: name for name, uuid in self.friends.items()}

    def stranger(self, receiver: str) -> str | None:
        """Say that a receiver, as written or as kept, is none that can be reached."""
        receiver = normalize("NFC", receiver)
        if receiver in {ME, *self.friends, *self.friends.values()} or UUID.fullmatch(receiver):
            return None
        near = nearest(receiver, list(self.friends))
        return _(
            "'{receiver}' is neither in [friends] nor a uuid{near}. See: kakaocron friends"
        ).format(receiver=receiver, near=near)
