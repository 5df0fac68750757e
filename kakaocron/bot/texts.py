"""How a text becomes what a room takes, and how long it may be. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from kakaocron.bot.causes import content_error
from kakaocron.delivery.parcel import Parcel, Part
from kakaocron.text.plain import utf16_units
from kakaocron.text.splitting import counts

# A bubble takes 1,000 characters, by one reading of Kakao's pages, which do not say how they are
# counted; UTF-16 units are the strictest reading.
MOST_IN_A_ROOM = 1000


def room_parcel(text: str, texts: Sequence[str]) -> Parcel:
    """Make a parcel of a text that goes to rooms alone, sent as `texts`. Raises ContentError."""
    for one in texts:
        if not one.strip():
            raise content_error("bot-empty-text")
        if utf16_units(one) > MOST_IN_A_ROOM:
            raise content_error("bot-long-text", **counts(one), most=MOST_IN_A_ROOM)
        if any("\ud800" <= letter <= "\udfff" for letter in one):
            raise content_error("bot-half-pair")
    return Parcel(text, tuple(Part("text", {}, one) for one in texts))


def with_rooms(parcel: Parcel, texts: Sequence[str]) -> Parcel:
    """Return a parcel that goes to rooms too, where its parts say these texts."""
    return replace(
        parcel,
        parts=tuple(replace(part, text=one) for part, one in zip(parcel.parts, texts, strict=True)),
    )
