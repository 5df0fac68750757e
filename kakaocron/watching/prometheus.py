"""What a Prometheus server is told of today, and the format of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kakaocron import __version__
from kakaocron.delivery.orders import BY_HAND
from kakaocron.errors import UsageError
from kakaocron.language.words import _
from kakaocron.ledger.stats import Receipts
from kakaocron.states import State
from kakaocron.watching.overview import Health, Overview


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric; None is left out, as there is nothing to tell."""

    value: float | None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric that goes up and down."""

    name: str
    meaning: str
    samples: tuple[Sample, ...]


def gauge(name: str, meaning: str, value: float | None) -> Gauge:
    return Gauge(name, meaning, (Sample(value),))


def exposition(gauges: Iterable[Gauge]) -> str:
    """Return the text that a Prometheus server reads."""
    return "".join(line + "\n" for one in gauges for line in _lines(one))


def _lines(one: Gauge) -> Iterator[str]:
    known = [sample for sample in one.samples if sample.value is not None]
    if not known:
        return
    meaning = one.meaning.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {one.name} {meaning}"
    yield f"# TYPE {one.name} gauge"
    for sample in known:
        labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in sample.labels.items())
        yield (
            f"{one.name}{{{labels}}} {sample.value!r}" if labels else f"{one.name} {sample.value!r}"
        )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


HEALTHY = "1 if nothing is wrong, else 0."


def metrics_of(overview: Overview, health: Health) -> str:
    return exposition(_gauges(overview, health))


def metrics_of_failure() -> str:
    """Return what is known when nothing can be looked at: that it is not well."""
    return exposition([gauge("kakaocron_healthy", HEALTHY, 0)])


def _gauges(overview: Overview, health: Health) -> Iterator[Gauge]:
    stats = overview.stats
    yield Gauge(
        "kakaocron_info", "Which kakaocron this is.", (Sample(1, {"version": __version__}),)
    )
    yield gauge("kakaocron_healthy", HEALTHY, int(not health.problems))
    yield gauge("kakaocron_problems", "How many things are wrong.", len(health.problems))
    yield gauge(
        "kakaocron_last_tick_timestamp_seconds", "The last tick.", _seconds(overview.last_tick)
    )
    # What is sent by hand has a name of its own each time: as labels they would grow for ever.
    counts = Counter(
        (one.kind if one.kind in BY_HAND else one.message, one.state) for one in overview.deliveries
    )
    messages = sorted({message for message, _ in counts})
    yield Gauge(
        "kakaocron_deliveries_today",
        "Today's deliveries by message and state.",
        tuple(
            Sample(counts[message, state], {"message": message, "state": state})
            for message in messages
            for state in State
        ),
    )
    yield gauge("kakaocron_slots_ahead", "Slots still to come today.", overview.scheduled_count)
    yield gauge(
        "kakaocron_success_ratio", "Share of today's deliveries confirmed.", stats.success_rate
    )
    yield gauge(
        "kakaocron_on_schedule_ratio",
        "Share of today's requests that left on schedule.",
        stats.schedule_accuracy,
    )
    yield gauge("kakaocron_delay_p50_seconds", "Median lateness today.", stats.delay_p50_seconds)
    yield gauge("kakaocron_delay_p99_seconds", "Lateness today, p99.", stats.delay_p99_seconds)
    if overview.receipts:
        yield from _receipts(overview.receipts)
    yield gauge(
        "kakaocron_next_slot_timestamp_seconds",
        "The next slot.",
        _seconds(next((one.at for one in overview.following), None)),
    )
    tokens = [
        ({"account": account} if account else {}, login.tokens)
        for account, login in overview.logins.items()
    ]
    yield Gauge(
        "kakaocron_access_token_end_timestamp_seconds",
        "The end of the access token.",
        tuple(Sample(_seconds(one.access_expires_at), labels) for labels, one in tokens),
    )
    yield Gauge(
        "kakaocron_login_end_timestamp_seconds",
        "The end of the login.",
        tuple(Sample(_seconds(one.refresh_expires_at), labels) for labels, one in tokens),
    )
    hosts = [({"host": one.name}, one) for one in overview.hosts or ()]
    yield Gauge(
        "kakaocron_host_last_tick_timestamp_seconds",
        "Each host's last tick.",
        tuple(Sample(_seconds(one.last_tick), labels) for labels, one in hosts),
    )
    yield Gauge(
        "kakaocron_host_clock_offset_seconds",
        "How far each host's clock is ahead of the database's.",
        tuple(Sample(one.clock_offset_seconds, labels) for labels, one in hosts),
    )
    yield Gauge(
        "kakaocron_host_sent_today",
        "How many of today's deliveries each host sent.",
        tuple(Sample(one.sent_today, labels) for labels, one in hosts),
    )


def _receipts(receipts: Receipts) -> Iterator[Gauge]:
    said = receipts.fields()
    yield Gauge(
        "kakaocron_receipts_today",
        "Today's messages that a channel accepted and tells of later, by what it has told.",
        tuple(
            Sample(said[word], {"told": word}) for word in ("delivered", "undelivered", "waiting")
        ),
    )
    for share, name in ((50, "receipt_p50_seconds"), (99, "receipt_p99_seconds")):
        yield gauge(f"kakaocron_{name}", f"Time to receipt today, p{share}.", said[name])


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def publish(path: Path, text: str) -> None:
    """Put the text into a file that others may read: written beside, then renamed."""
    if not path.name:
        raise UsageError(_("'{path}' names no file").format(path=path))
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        beside.write_text(text, "utf-8")
        beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        what = _("Cannot write '{path}': {strerror}").format(path=path, strerror=error.strerror)
        raise UsageError(what, _("Check the folder")) from None
