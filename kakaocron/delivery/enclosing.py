"""Brings the picture of a content to its channels, before anything is claimed.

It never makes a message late: where its slot is ahead there is time until shortly before it, and
where that has come a moment. What is not there by then is left out, or if it must be there, what it
belongs to is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from kakaocron.delivery.channel import LeftOutError, PictureChannel
from kakaocron.delivery.early_start import WARMING
from kakaocron.delivery.parcel import Enclosure, FallbackError, Parcel
from kakaocron.delivery.underway import Enclosed, Engine, Run, Stage, Underway
from kakaocron.delivery.verdicts import Meaning, result_of, unsent
from kakaocron.errors import Cause, ContentError
from kakaocron.ledger.events import Result
from kakaocron.states import Reason
from kakaocron.text.causes import in_words, said

# How long a slot that has come waits for its picture.
MOMENT_SECONDS = 3.0
# The same where nothing may go without it.
REQUIRED_SECONDS = 20.0
# Before this much of a slot is left, its connections are looked at again: all has to be ready.
MARGIN = WARMING + timedelta(seconds=1)


def set_out(engine: Engine, run: Run, one: Underway) -> None:
    """Start a worker for each channel that can show pictures, or let the content wait for its
    instant as it is."""
    enclosure, showing = _enclosure(one), engine.pictures.keys() & one.to.keys()
    if enclosure is None or enclosure.content is None or not showing:
        if enclosure and enclosure.left_out:
            one.left_out = dict.fromkeys(showing, enclosure.left_out)
        run.move(one, Stage.WAITING)
        return
    assert isinstance(one.parcel, Parcel)  # noqa: S101 - only a parcel has an enclosure
    seconds = _seconds(engine, one, enclosure)
    one.make_until = engine.clock.monotonic() + seconds
    one.enclosed, one.tasks = {}, set()
    run.move(one, Stage.ENCLOSING)
    for name in sorted(showing):
        task = f"enclose {one.id} {name}"
        one.tasks.add(task)
        enclose = partial(_enclose, run, task, engine.pictures[name], one.parcel, seconds)
        engine.workers.start(task, partial(enclose, one.enclosed, name))


def settle(engine: Engine, run: Run, one: Underway) -> None:
    """Take what has come of it by now; what comes later is not looked at."""
    enclosure = _enclosure(one)
    assert enclosure is not None  # noqa: S101 - else it was never set out
    showing = [name for name in one.to if name in engine.pictures]
    too_slow = _left_out(Cause("upload-too-slow"))
    found = {name: one.enclosed.get(name, too_slow) for name in showing}
    one.shown = {name: made for name, made in found.items() if isinstance(made, Parcel)}
    missing = {name: why for name, why in found.items() if isinstance(why, LeftOutError)}
    if not enclosure.is_required:
        one.left_out = {name: why.verdict.cause for name, why in missing.items()}
    elif missing.keys() == one.to.keys() and not any(why.down for why in missing.values()):
        one.parcel = _not_made(enclosure, missing)
    else:
        for name, why in missing.items():
            one.refused |= {receiver: _result(one, receiver, why) for receiver in one.to[name]}
            if why.down:
                run.sent.down.setdefault(name, why.down)
    run.move(one, Stage.WAITING)


def _enclosure(one: Underway) -> Enclosure | None:
    """Return the picture that is still to be sent: who has the first part has it."""
    if not isinstance(one.parcel, Parcel) or one.parcel.enclosure is None:
        return None
    known = one.due.known
    has_begun = all(name in known and known[name].parts for name in one.due.to)
    return None if has_begun else one.parcel.enclosure


def _seconds(engine: Engine, one: Underway, enclosure: Enclosure) -> float:
    ahead = (one.at - engine.clock.now() - MARGIN).total_seconds()
    return max(REQUIRED_SECONDS if enclosure.is_required else MOMENT_SECONDS, ahead)


def _enclose(
    run: Run,
    task: str,
    channel: PictureChannel,
    parcel: Parcel,
    seconds: float,
    enclosed: Enclosed,
    name: str,
) -> None:
    try:
        enclosed[name] = channel.enclose(parcel, seconds)
    except LeftOutError as why:
        enclosed[name] = why
    except Exception as error:
        run.note_bug(task, error)
        enclosed[name] = _left_out(said(type(error).__name__))


def _left_out(cause: Cause) -> LeftOutError:
    return LeftOutError(unsent(Meaning.NOT_SENT, Reason.CONTENT_FAILED, cause))


def _not_made(enclosure: Enclosure, missing: Mapping[str, LeftOutError]) -> ContentError:
    cause = next(why.verdict.cause for why in missing.values()) or Cause("no-upload")
    why = ContentError(in_words(cause), cause)
    return FallbackError(why, enclosure.fallback) if enclosure.fallback else why


def _result(one: Underway, receiver: str, why: LeftOutError) -> Result:
    known = one.due.known
    return result_of(why.verdict, known[receiver].parts if receiver in known else 0)
