"""Pictures for messages: uploaded, scraped, shown, deleted (mobile SDKs, public clients)."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from kakaocron.rehearsal.sandbox.account import Account
from kakaocron.rehearsal.sandbox.codes import RefusedError
from kakaocron.rehearsal.sandbox.forms import is_form, read_fields
from kakaocron.rehearsal.sandbox.pictures import GREY, Picture, look_at
from kakaocron.rehearsal.sandbox.settings import KST
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest, json_answer

IMAGE_PREFIX = "/v2/api/talk/message/image/"
SHOWN_PREFIX = "/dn/"  # as at k.kakaocdn.net, whose place the sandbox takes
MAX_IMAGE_BYTES = 5 * 1024 * 1024
KEPT_FOR = timedelta(days=100)

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*\bboundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_PART_NAME = re.compile(rb'[;\s]name="([^"\r\n]*)"')


@dataclass(frozen=True)
class Image:
    """A picture that was uploaded, or scraped from `source`; it is no message."""

    at: datetime
    path: str
    content_type: str
    length: int
    width: int
    height: int
    source: str | None = None


class Images:
    """Keeps the pictures of one app for 100 days; `kept` lists them, the deleted ones not."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._contents: dict[str, bytes] = {}
        self.kept: list[Image] = []

    def upload(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer an upload: one part named `file`; raise RefusedError (-2, -602, -606, -911)."""
        parts = _read_parts(request)
        files = [content for name, content in parts if name == "file"]
        fields = {name: text.decode(errors="replace") for name, text in parts if name != "file"}
        if len(files) > 1:
            raise RefusedError(-606)
        if not files or not files[0]:
            raise RefusedError(-2, "The Parameter [file] cannot be empty.")
        if len(files[0]) > MAX_IMAGE_BYTES:
            raise RefusedError(-602)
        picture = look_at(files[0])
        if picture is None:
            raise RefusedError(-911)
        return self._keep(request, fields, now, picture, files[0])

    def scrape(self, request: WireRequest, now: datetime) -> WireAnswer:
        """Answer a scrape; nothing is fetched: but for own pictures a grey one is kept."""
        fields = _read_form(request, request.body.decode(errors="replace"))
        url, path = _image_url(fields)
        own = self._contents.get(path)
        picture = look_at(own) if own is not None else None
        if own is None or picture is None:
            own, picture = GREY.content, GREY
        return self._keep(request, fields, now, picture, own, source=url)

    def delete(self, request: WireRequest, _now: datetime) -> WireAnswer:
        """Forget the picture of an `image_url`."""
        text = "&".join(filter(None, (request.query, request.body.decode(errors="replace"))))
        path = _image_url(_read_form(request, text))[1]
        if self._contents.pop(path, None) is None:
            raise RefusedError(-2, "The Parameter [image_url] is no uploaded picture.")
        self.kept = [image for image in self.kept if image.path != path]
        return json_answer(200, {})

    def forget_newest(self) -> None:
        """Have no longer what was kept last, as if its time were over."""
        self._contents.pop(self.kept.pop().path)

    def shown(self, template: Mapping[str, Any], now: datetime) -> str | None:
        """Return the path of the picture that a phone would show with a message; None for none and
        for one that is not there or no more."""
        content = template.get("content")
        url = str(content.get("image_url")) if isinstance(content, dict) else ""
        found = (image.path for image in self.kept if now - image.at < KEPT_FOR)
        return next((path for path in found if url.endswith(path)), None)

    def show(self, request: WireRequest, now: datetime) -> WireAnswer | None:
        """Answer GET of a picture; None for one that is not there or no more."""
        for image in self.kept:
            if image.path == request.path and now - image.at < KEPT_FOR:
                headers = {"Content-Type": image.content_type}
                return WireAnswer(200, headers, self._contents[image.path])
        return None

    def _keep(
        self,
        request: WireRequest,
        fields: Mapping[str, str],
        now: datetime,
        picture: Picture,
        content: bytes,
        source: str | None = None,
    ) -> WireAnswer:
        secure = fields.get("secure_resource", "false")
        if secure not in {"true", "false"}:
            raise RefusedError(-2, "The Parameter [secure_resource] is not true or false.")
        kind = picture.content_type.removeprefix("image/")
        path = f"{SHOWN_PREFIX}{self._account.make_secret('')[:11]}/img.{kind}"
        self._contents[path] = content
        size = (picture.width, picture.height)
        self.kept.append(
            Image(now.astimezone(KST), path, picture.content_type, len(content), *size, source)
        )
        # Kakao gives http: unless told otherwise; without TLS the sandbox has no https: to give.
        scheme = "https" if secure == "true" and request.scheme == "https" else "http"
        original: dict[str, Any] = {
            "url": f"{scheme}://{request.header('Host') or 'k.kakaocdn.net'}{path}",
            "content_type": picture.content_type,
            "length": len(content),
            "width": picture.width,
            "height": picture.height,
        }
        return json_answer(200, {"infos": {"original": original}})


def _image_url(fields: Mapping[str, str]) -> tuple[str, str]:
    """Return the address of a picture, and the path in it."""
    url = fields.get("image_url", "")
    if re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        with suppress(ValueError):  # such as half an IPv6 address
            return url, urlsplit(url).path
    raise RefusedError(-2, "The Parameter [image_url] is not a web address.")


def _read_form(request: WireRequest, text: str) -> dict[str, str]:
    if request.body and not is_form(request):
        raise RefusedError(-2)
    try:
        return read_fields(text)
    except ValueError:
        raise RefusedError(-2) from None


def _read_parts(request: WireRequest) -> list[tuple[str, bytes]]:
    """Return (name, content) of each part of a multipart form (RFC 7578)."""
    boundary = _BOUNDARY.fullmatch(request.header("Content-Type") or "")
    if boundary is None:
        raise RefusedError(-2, "failed to parse parameter: not a multipart form.")
    first, *parts = (b"\r\n" + request.body).split(b"\r\n--" + boundary[1].encode())
    if first or not parts or not parts[-1].startswith(b"--"):
        raise RefusedError(-2, "failed to parse parameter: the multipart form has no end.")
    return [_read_part(part) for part in parts[:-1]]


def _read_part(part: bytes) -> tuple[str, bytes]:
    head, blank, content = part.partition(b"\r\n\r\n")
    name = next(
        (
            found[1]
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-disposition:")
            and (found := _PART_NAME.search(line))
        ),
        None,
    )
    if not blank or name is None:
        raise RefusedError(-2, "failed to parse parameter: a part has no name.")
    return name.decode(errors="replace"), content
