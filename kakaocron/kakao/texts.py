"""How a text becomes what Kakao takes, and how long it may be. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from kakaocron.delivery.parcel import Parcel, Part
from kakaocron.kakao.causes import content_error
from kakaocron.text.plain import utf16_units
from kakaocron.text.splitting import counts

# Kakao's documentation says 200 characters and not how it counts them; UTF-16 units are the
# strictest reading, so that nothing is cut or refused.
MAX_UTF16_UNITS = 200


NO_BUTTONS: Mapping[str, Any] = MappingProxyType({})


class Taps(Struct, frozen=True):
    """Where taps lead: on the text itself to `link`, elsewhere as `buttons` say, the fields of a
    template that make them. Without any, Kakao shows a button of its own that leads to `link`."""

    link: str
    buttons: Mapping[str, Any] = NO_BUTTONS


def link_to(url: str) -> dict[str, str]:
    return {"web_url": url, "mobile_web_url": url}


def titled(title: str) -> dict[str, Any]:
    """Return the fields that give Kakao's own button another title."""
    return {"button_title": title}


def buttons_to(urls: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields of buttons, each of a title and an address."""
    return {"buttons": [{"title": title, "link": link_to(url)} for title, url in urls]}


def text_parcel(
    text: str,
    link: str,
    texts: Sequence[str] | None = None,
    buttons: Mapping[str, Any] = NO_BUTTONS,
) -> Parcel:
    """Make a parcel of a text, sent as `texts` if that is not the text itself; taps on each of them
    lead to the same.

    Raises ContentError if Kakao would not take it.
    """
    if not text.strip():
        raise content_error("empty-text")
    parts = []
    for one in texts or (text,):
        if utf16_units(one) > MAX_UTF16_UNITS:
            raise content_error("long-text", **counts(one), most=MAX_UTF16_UNITS)
        template = {"object_type": "text", "text": one, "link": link_to(link)}
        parts.append(template_part({**template, **buttons}))
    return Parcel(text, tuple(parts))


def with_link(template_object: str, usual: str, own: str) -> str:
    """Return a template that leads to `own` wherever it would lead to the `usual` address, as it
    does where a message says nothing of it."""

    def of(value: Any) -> Any:
        if value == link_to(usual):
            return link_to(own)
        if isinstance(value, dict):
            return {key: of(one) for key, one in value.items()}
        return [of(one) for one in value] if isinstance(value, list) else value

    return as_json(of(json.loads(template_object)))


def template_part(template: Mapping[str, Any]) -> Part:
    return Part("default", {"template_object": as_json(template)})


def shown_words(template: Mapping[str, Any]) -> str | None:
    """Return the whole text of a text template, or of the feed that it becomes with a picture."""
    content = template.get("content")
    if template.get("object_type") != "feed" or not isinstance(content, dict):
        return template.get("text")
    lines = (content.get("title"), content.get("description"))
    return "\n".join(line for line in lines if line) or None


def as_json(value: Mapping[str, Any]) -> str:
    """Return JSON that can be sent. Raises ContentError."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise content_error("half-pair") from None
    return text
