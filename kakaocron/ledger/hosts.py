"""The hosts that share a ledger. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from zlib import crc32

from msgspec import Struct

# A host that has ticked within this time is at work.
AT_WORK = timedelta(minutes=4)


class HostSeen(Struct, frozen=True):
    """One of them, as it last said of itself: its clock is so far ahead of the database's."""

    name: str
    last_tick: datetime
    clock_offset_seconds: float
    version: str


def at_work(hosts: Iterable[HostSeen], now: datetime) -> set[str]:
    return {one.name for one in hosts if one.last_tick > now - AT_WORK}


def rank(host: str, hosts: Collection[str], id_: str) -> int:
    """Return whose turn a delivery is: 0 if it is this host's, then that of the others in an order
    that all of them know. So all begin with different ones, and what a dead one leaves is taken."""
    own = crc32(f"{host} {id_}".encode())
    return sum(crc32(f"{other} {id_}".encode()) < own for other in hosts if other != host)
