"""Whom a message can go to, and which channel reaches them. Pure.

A receiver is written by a name, and kept in the ledger as what the name means; the form of what is
kept tells the channel. A kind of receiver has its place in each method here, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from unicodedata import normalize

from msgspec import Struct

from kakaocron.language.words import _
from kakaocron.states import BY, ME, ROOM
from kakaocron.text.tables import nearest

# The name of the channel, and by which it is chosen; of another account than the first: with that
# account's name behind it.
KAKAOTALK = "kakaotalk"
# The channel to phones, and what their numbers begin with as people write them.
ALIMTALK = "alimtalk"
NUMBERS_BEGIN_WITH = frozenset("+(0123456789０１")
BOT = "bot"  # the channel to rooms
# What Kakao gives out for friends; a short word, or one of letters alone, is a name.
UUID = re.compile(r"(?![A-Za-z]+$)[A-Za-z0-9_.=+/-]{6,100}")


def channel_name(account: str) -> str:
    return f"{KAKAOTALK}:{account}" if account else KAKAOTALK


def is_kakaotalk(channel: str) -> bool:
    """Say whether a channel of that name needs a login of Kakao's."""
    return channel.partition(":")[0] == KAKAOTALK


def account_of(channel: str) -> str:
    """Return the account of a channel of that name; of one that has no accounts, its name in
    brackets."""
    name, _colon, account = channel.partition(":")
    return account if name == KAKAOTALK else f"[{name}]"


def is_room(receiver: str) -> bool:
    """Say of what the ledger keeps whether it is a room."""
    return receiver.startswith(ROOM)


class Contacts(Struct, frozen=True):
    """The receivers that a configuration knows, by table and name.

    Kept in the ledger are `me`, an account's name, and a friend's uuid: alone if the first account
    sends to it, or as UUID@ACCOUNT; a phone's number in one form; a room is `room:` and its name.
    """

    friends: Mapping[str, str]  # uuids
    accounts: Collection[str] = ()
    groups: Mapping[str, Sequence[str]] = {}
    rooms: Mapping[str, str] = {}  # keys
    phones: Mapping[str, str] = {}  # numbers, as they are written
    has_dealer: bool = False  # of 알림톡

    def receivers(self, to: Sequence[str], sender: str | None = None) -> tuple[str, ...]:
        """Return what the ledger keeps of receivers as they are written, each once.

        `sender` is the account that sends to friends, if that is not the first.
        """
        names = (one for name in to for one in self._of_group(normalize("NFC", name)))
        return tuple(dict.fromkeys(self._meant(name, sender) for name in names))

    def _of_group(self, name: str) -> Sequence[str]:
        return self.groups.get(name, (name,))

    def _meant(self, name: str, sender: str | None) -> str:
        if (number := self._number(name)) is not None:
            return number
        if name in self.rooms:
            return f"{ROOM}{name}"
        receiver = self.friends.get(name, name)
        return f"{receiver}{BY}{sender}" if sender and self._is_uuid(receiver) else receiver

    def _is_uuid(self, receiver: str) -> bool:
        if receiver == ME or receiver in self.accounts:
            return False
        if self._number(receiver) is not None and receiver not in self.friends.values():
            return False
        return receiver in self.friends.values() or bool(UUID.fullmatch(receiver))

    def _number(self, name: str) -> str | None:
        """Return the number of a phone, by its name or as it is written; None for another name."""
        written = self.phones.get(name, name)
        if not written or written[0] not in NUMBERS_BEGIN_WITH or name in self.friends:
            return None
        from kakaocron.text.phones import number_in  # noqa: PLC0415 - few send to phones

        return number_in(written)

    def channel_of(self, receiver: str) -> str:
        """Name the channel of a receiver, by its form. What has no form of its own is KakaoTalk's,
        which knows a stranger."""
        if self.has_dealer and receiver[:1] in NUMBERS_BEGIN_WITH and self._number(receiver):
            return ALIMTALK
        if self.rooms and is_room(receiver):
            return BOT
        account = receiver.rpartition(BY)[2]
        return channel_name(account if account in self.accounts else "")

    def sender_of(self, receiver: str) -> str | None:
        """Return the account that sends to a friend; None if a receiver is no friend."""
        if receiver == ME or receiver in self.accounts or is_room(receiver):
            return None
        if self._number(receiver) is not None:
            return None
        return account_of(self.channel_of(receiver))

    def names(self) -> dict[str, str]:
        """Return by receiver the name that people read."""
        friends = {
            f"{uuid}{by}": name
            for by in ("", *(f"{BY}{account}" for account in self.accounts))
            for name, uuid in self.friends.items()
        }
        phones = {self._number(name) or number: name for name, number in self.phones.items()}
        return friends | phones | {f"{ROOM}{name}": name for name in self.rooms}

    def stranger(self, receiver: str) -> str | None:
        """Say that a receiver, as written or as kept, is none that can be reached."""
        receiver = normalize("NFC", receiver)
        if receiver in self.rooms or receiver.removeprefix(ROOM) in self.rooms:
            return None
        uuid, by, account = receiver.rpartition(BY)
        is_sent_by_another = bool(by) and account in self.accounts
        if receiver == ME or receiver in self.accounts or receiver in self.groups:
            return None
        if receiver in self.phones or self._number(receiver) is not None:
            return self._unfit(receiver)
        if receiver in self.friends or self._is_uuid(uuid if is_sent_by_another else receiver):
            return None
        known = [*self.friends, *self.phones, *self.accounts, *self.groups, *self.rooms]
        near = nearest(receiver, known)
        return _(
            "'{receiver}' is neither in [friends] nor a uuid{near}. See: kakaocron friends"
        ).format(receiver=receiver, near=near)

    def _unfit(self, name: str) -> str | None:
        """Say why a phone cannot be reached."""
        from kakaocron.text.phones import unfit  # noqa: PLC0415 - few send to phones

        if not self.has_dealer:
            return _("'{name}' is a phone: 알림톡 needs the table [alimtalk]").format(name=name)
        number = self._number(name)
        if number is None:
            return _("'{name}' has no phone number in [phones] such as 010-1234-5678").format(
                name=name
            )
        return unfit(number)

    def clashes(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Yield each name that could be taken for two receivers: its keys, and why."""
        tables: dict[str, Collection[str]] = {"friends": self.friends, "account": self.accounts}
        tables |= {"group": self.groups, "rooms": self.rooms, "phones": self.phones}
        known: dict[str, str] = {}
        for table, names in tables.items():
            for name in names:
                if name == ME:
                    yield (table, name), _("'me' is yourself; choose another name")
                elif name in known:
                    yield (
                        (table, name),
                        _("'{name}' is in [{table}] too; choose another name").format(
                            name=name, table=known[name]
                        ),
                    )
                elif table != "friends" and name in self.friends.values():
                    yield (table, name), _("'{name}' is a friend's uuid").format(name=name)
                known.setdefault(name, table)
        keys: dict[str, str] = {}
        for name, key in self.rooms.items():
            if key in keys:
                said = _("it is the same room as '{other}'")
                yield ("rooms", name), said.format(other=keys[key])
            keys.setdefault(key, name)
