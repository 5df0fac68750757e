"""Whom a message can go to, and which channel reaches them. Pure.

A receiver is written by a name, and kept in the ledger as what the name means; the form of what is
kept tells the channel. A kind of receiver has its place in each method here, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import normalize

from msgspec import Struct

from kakaocron.language.words import _
from kakaocron.states import ME, ROOM
from kakaocron.text.tables import nearest

# The name of the channel, and by which it is chosen; of another account than the first: with that
# account's name behind it.
KAKAOTALK = "kakaotalk"
BOT = "bot"  # the channel to rooms
# What Kakao gives out for friends; a short word, or one of letters alone, is a name.
UUID = re.compile(r"(?![A-Za-z]+$)[A-Za-z0-9_.=+/-]{6,100}")


def channel_name(account: str) -> str:
    return f"{KAKAOTALK}:{account}" if account else KAKAOTALK


def account_of(channel: str) -> str:
    """Return the account of a channel of that name; of one that has no accounts, its name in
    brackets."""
    name, _colon, account = channel.partition(":")
    return account if name == KAKAOTALK else f"[{name}]"


def is_room(receiver: str) -> bool:
    """Say of what the ledger keeps whether it is a room."""
    return receiver.startswith(ROOM)


class Contacts(Struct, frozen=True):
    """The receivers that a configuration knows, by table and name."""

    friends: Mapping[str, str]  # uuids
    rooms: Mapping[str, str] = {}  # keys

    def receivers(self, to: Sequence[str]) -> tuple[str, ...]:
        """Return what the ledger keeps of receivers as they are written."""
        return tuple(self._meant(normalize("NFC", name)) for name in to)

    def _meant(self, name: str) -> str:
        return f"{ROOM}{name}" if name in self.rooms else self.friends.get(name, name)

    def channel_of(self, receiver: str) -> str:
        """Name the channel of a receiver, by its form. What has no form of its own is KakaoTalk's,
        which knows a stranger."""
        return BOT if self.rooms and is_room(receiver) else KAKAOTALK

    def names(self) -> dict[str, str]:
        """Return by receiver the name that people read."""
        friends = {uuid: name for name, uuid in self.friends.items()}
        return friends | {f"{ROOM}{name}": name for name in self.rooms}

    def stranger(self, receiver: str) -> str | None:
        """Say that a receiver, as written or as kept, is none that can be reached."""
        receiver = normalize("NFC", receiver)
        if receiver in self.rooms or receiver.removeprefix(ROOM) in self.rooms:
            return None
        if receiver in {ME, *self.friends, *self.friends.values()} or UUID.fullmatch(receiver):
            return None
        near = nearest(receiver, [*self.friends, *self.rooms])
        return _(
            "'{receiver}' is neither in [friends] nor a uuid{near}. See: kakaocron friends"
        ).format(receiver=receiver, near=near)

    def clashes(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Yield each name that could be taken for two receivers: its keys, and why."""
        for table, names in (("friends", self.friends), ("rooms", self.rooms)):
            if ME in names:
                yield (table, ME), _("'me' is yourself; choose another name")
        for name in self.rooms.keys() & self.friends.keys():
            said = _("'{name}' is in [{table}] too; choose another name")
            yield ("rooms", name), said.format(name=name, table="friends")
        by_key: dict[str, str] = {}
        for name, key in self.rooms.items():
            if key in by_key:
                said = _("it is the same room as '{other}'")
                yield ("rooms", name), said.format(other=by_key[key])
            by_key.setdefault(key, name)
