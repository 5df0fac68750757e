"""Looks for damage in the ledger without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kakaocron.ledger.events import Kind
from kakaocron.ledger.files import DayFile, Ledger


@dataclass(frozen=True, slots=True)
class Checked:
    days: int
    lines: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a ledger file; `is_damage` if a part of it cannot be read."""

    path: str
    what: str
    is_damage: bool


def verify_ledger(ledger: Ledger) -> tuple[Checked, list[Finding]]:
    """Read all days. Raises LedgerError if a file cannot be read at all."""
    files = [ledger.read_day(day) for day in ledger.days()]
    findings = [finding for found in files for finding in _findings(ledger.path(found.day), found)]
    return Checked(len(files), sum(len(found.events) for found in files)), findings


def _findings(path: str, found: DayFile) -> Iterator[Finding]:
    for number in found.damaged:
        yield Finding(path, f"line {number} is damaged", is_damage=True)
    if found.torn_at is not None:
        count = found.size - found.torn_at
        yield Finding(
            path,
            f"the last line was never finished ({count} bytes, as after a power cut); "
            "nothing was sent on its word, and the next write removes it",
            is_damage=False,
        )
    for event in found.events:
        if event.kind is Kind.DAMAGE:
            kept = event.data.get("kept")
            yield Finding(path, f"damage set aside earlier, kept as {kept}", is_damage=False)
