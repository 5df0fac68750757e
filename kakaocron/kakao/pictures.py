"""Pictures as Kakao takes them: what they are, how they are uploaded and shown. Pure.

The call is documented with the SDKs for sharing only, and known to work with a user's token: what
comes of it is best effort. What is uploaded is kept for 100 days, or 20, as the sources differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.delivery.parcel import Enclosure, Parcel
from kakaocron.delivery.verdicts import Meaning, Verdict
from kakaocron.errors import Cause
from kakaocron.kakao.answers import of_error
from kakaocron.kakao.texts import template_part
from kakaocron.system.http import Answer, Request, Stream
from kakaocron.text.causes import as_facts
from kakaocron.text.objects import json_object
from kakaocron.text.plain import is_web_address

UPLOAD_PATH = "/v2/api/talk/message/image/upload"
# Kakao's documentation on templates: 5 MB.
MAX_IMAGE_BYTES = 5 * 1024 * 1024
LONGEST_ADDRESS = 2000
_OK = 200
_WEBP = slice(8, 12)
# Told by what they begin with, whatever their name says. PNG and JPEG are known to arrive.
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}


class Uploaded(Struct, frozen=True):
    """Where an uploaded picture is, and its size in pixels, as far as Kakao tells."""

    url: str
    width: int | None = None
    height: int | None = None


def image_type(head: bytes) -> str | None:
    """Return the media type of a picture that Kakao takes, None for anything else."""
    if head[:4] == b"RIFF" and head[_WEBP] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES.items() if head.startswith(start)), None)


def upload_request(api_url: str, enclosure: Enclosure, token: str, seconds: float) -> Request:
    """Return the request that uploads a picture; without `secure_resource` its address would be an
    http:// one."""
    assert enclosure.content is not None  # noqa: S101 - the engine uploads what there is
    kind = enclosure.content_type
    # Of a multipart form (RFC 7578): what no picture can hold on purpose, as it hangs on a secret.
    boundary = sha256(token.encode()).hexdigest()[:32]
    before = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="secure_resource"\r\n\r\ntrue\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
        f'filename="picture.{kind.removeprefix("image/")}"\r\nContent-Type: {kind}\r\n\r\n'
    ).encode()
    after = f"\r\n--{boundary}--\r\n".encode()
    length = len(before) + enclosure.content.length + len(after)
    return Request(
        f"{api_url}{UPLOAD_PATH}",
        token=token,
        body=Stream(length, _between(before, enclosure.content.open, after)),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        seconds=seconds,
    )


def _between(
    before: bytes, opened: Callable[[], Iterator[bytes]], after: bytes
) -> Callable[[], Iterator[bytes]]:
    def bytes_of_all() -> Iterator[bytes]:
        yield before
        yield from opened()
        yield after

    return bytes_of_all


def of_upload(answer: Answer) -> Uploaded | Verdict:
    """Judge the answer to an upload: only the address of the picture proves it."""
    body = json_object(answer.body)
    infos = body.get("infos") if body else None
    original = infos.get("original") if isinstance(infos, dict) else None
    url = original.get("url") if isinstance(original, dict) else None
    if answer.status == _OK and isinstance(original, dict) and _is_address(url):
        size = [original.get(name) for name in ("width", "height")]
        return Uploaded(str(url), *(side if _is_size(side) else None for side in size))
    return of_error(answer, body)


def _is_address(url: object) -> bool:
    return isinstance(url, str) and len(url) <= LONGEST_ADDRESS and is_web_address(url)


def _is_size(side: object) -> bool:
    return isinstance(side, int) and not isinstance(side, bool) and side > 0


def may_change(verdict: Verdict) -> bool:
    """Say whether the same upload may fare better at once: one that is repeated shows nothing."""
    return verdict.meaning in {Meaning.NOT_SENT, Meaning.AMBIGUOUS}


def not_uploaded(why: Cause | None) -> Cause:
    return Cause("no-upload", as_facts("why", why) if why else {})


def with_picture(parcel: Parcel, picture: Uploaded) -> Parcel:
    """Return a parcel whose first text is a feed with the picture: its first line as the title, the
    others as the description. Raises ContentError."""
    first, *others = parcel.parts
    template = json.loads(first.fields["template_object"])
    title, _, description = template.pop("text").lstrip("\n").partition("\n")
    content = {
        "title": title,
        "description": description.strip("\n"),
        "image_url": picture.url,
        "image_width": picture.width,
        "image_height": picture.height,
        "link": template.pop("link"),
    }
    feed = {
        **template,
        "object_type": "feed",
        "content": {name: value for name, value in content.items() if value},
    }
    return replace(parcel, parts=(replace(first, fields=template_part(feed).fields), *others))
