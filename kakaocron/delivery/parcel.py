"""What one delivery brings to each of its receivers. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct

from kakaocron.errors import Cause, ContentError
from kakaocron.system.http import Stream
from kakaocron.text.causes import content_error


class Part(Struct, frozen=True):
    """One request's worth of content. `kind` and the names of the fields are the channel's own
    words: nobody else looks at them. `text` is what it says where another channel takes no more
    than a text; empty if it goes to none of these."""

    kind: str
    fields: Mapping[str, str]
    text: str = ""

    def all_fields(self) -> dict[str, Any]:
        found = {"kind": self.kind, "fields": dict(self.fields)}
        return {**found, "text": self.text} if self.text else found


class Enclosure(Struct, frozen=True):
    """The picture that goes with a text's first part.

    `source` is what the ledger keeps of it, so that it can be made again: a message's name, or a
    file's path. `left_out` says why there is no `content`. `fallback` is what may go in place of
    all if a picture that `is_required` cannot be had and time runs out.
    """

    source: Mapping[str, str]
    is_required: bool = False
    content_type: str = ""
    content: Stream | None = None
    left_out: Cause | None = None
    fallback: Parcel | None = None


class Parcel(Struct, frozen=True):
    """What one delivery brings to each of its receivers. `text` is for people and the ledger, and
    so is `read`, which says what its data were read from."""

    text: str
    parts: tuple[Part, ...]
    read: Cause | None = None
    enclosure: Enclosure | None = None

    @property
    def hash(self) -> str:
        said = [[*part.all_fields().values()] for part in self.parts]
        return content_hash(json.dumps(said))

    def fields(self) -> dict[str, Any]:
        """Return what the ledger keeps, so that the same can be sent again."""
        parts = [part.all_fields() for part in self.parts]
        image = {"image": dict(self.enclosure.source)} if self.enclosure else {}
        return {"text": self.text, "parts": parts, **image}


class FallbackError(ContentError):
    """The content cannot be made; `fallback` may be sent in its place when time runs out."""

    def __init__(self, why: ContentError, fallback: Parcel) -> None:
        super().__init__(why.what, why.cause, why.keys)
        self.fallback = fallback


def parcel_of(fields: Mapping[str, Any]) -> Parcel:
    """Read back what the ledger kept, without the picture. Raises ContentError."""
    try:
        parts = tuple(
            Part(part["kind"], dict(part["fields"]), part.get("text", ""))
            for part in fields["parts"]
        )
        return Parcel(fields["text"], parts)
    except (KeyError, TypeError, ValueError):
        raise content_error("bad-copy") from None


def content_hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
