"""Numbers in Prometheus' text format. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


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
