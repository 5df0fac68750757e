"""Kakao's default templates, field by field (Kakao Developers, message templates). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError, convert

from kakaocron.errors import Cause, ContentError, Keys, readable
from kakaocron.kakao.texts import MAX_UTF16_UNITS
from kakaocron.text.causes import as_facts, in_words
from kakaocron.text.plain import is_web_address, utf16_units
from kakaocron.text.splitting import counts
from kakaocron.text.tables import UNKNOWN_KEY, FaultError, fault_of, plain


class Web(str):
    """An address of the web."""

    __slots__ = ()


class ShortWords(str):
    """A text of one message."""

    __slots__ = ()


class Count(int):
    """How many, or how much."""


def _special(is_draft: bool, kind: type, value: object) -> object:
    """Read one of the types above. In a draft, a placeholder stands for anything."""
    is_open = is_draft and isinstance(value, str) and "{" in value
    if kind is Count:
        return Count(0 if is_open else _count(value))
    if not isinstance(value, str) or not value:
        raise _wrong("empty-value")
    if kind is Web and not is_open and not is_web_address(value):
        raise _wrong("not-web")
    if kind is ShortWords and not is_open and utf16_units(value) > MAX_UTF16_UNITS:
        raise _wrong("long-words", **counts(value), most=MAX_UTF16_UNITS)
    return kind(value)


def _count(value: object) -> int:
    """Read a number, also one that a placeholder's text gave."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, str) and value.isascii() and value.isdigit()):
        raise _wrong("not-whole")
    if int(value) < 0:  # type: ignore[call-overload]
        raise _wrong("at-least", bound=0)
    return int(value)  # type: ignore[call-overload,no-any-return]


def _wrong(code: str, **facts: str | int) -> FaultError:
    return FaultError((), Cause(code, facts))


NonEmpty = Annotated[str, Meta(min_length=1)]


class _Fields(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An object of a template."""


class Link(_Fields, frozen=True):
    web_url: Web | None = None
    mobile_web_url: Web | None = None
    android_execution_params: NonEmpty | None = None
    ios_execution_params: NonEmpty | None = None

    def __post_init__(self) -> None:
        if not any(getattr(self, key) for key in self.__struct_fields__):
            raise _wrong("no-address", names=", ".join(self.__struct_fields__))


class Button(_Fields, frozen=True):
    title: NonEmpty
    link: Link


class _WithButtons(_Fields, frozen=True):
    button_title: NonEmpty | None = None
    buttons: Annotated[tuple[Button, ...], Meta(max_length=2)] | None = None


class Content(_Fields, frozen=True):
    link: Link
    title: NonEmpty | None = None
    image_url: Web | None = None
    description: NonEmpty | None = None
    image_width: Count | None = None
    image_height: Count | None = None


class Item(_Fields, frozen=True):
    item: NonEmpty
    item_op: NonEmpty


class ItemContent(_Fields, frozen=True):
    profile_text: NonEmpty | None = None
    profile_image_url: Web | None = None
    title_image_url: Web | None = None
    title_image_text: NonEmpty | None = None
    title_image_category: NonEmpty | None = None
    items: Annotated[tuple[Item, ...], Meta(min_length=1, max_length=5)] | None = None
    sum: NonEmpty | None = None
    sum_op: NonEmpty | None = None


class Social(_Fields, frozen=True):
    like_count: Count | None = None
    comment_count: Count | None = None
    shared_count: Count | None = None
    view_count: Count | None = None
    subscriber_count: Count | None = None


class CommerceContent(_Fields, frozen=True):
    regular_price: Count
    discount_price: Count | None = None
    fixed_discount_price: Count | None = None
    discount_rate: Count | None = None
    product_name: NonEmpty | None = None
    currency_unit: NonEmpty | None = None
    currency_unit_position: Literal[0, 1] | None = None


class TextTemplate(_WithButtons, frozen=True, kw_only=True, tag_field="object_type", tag="text"):
    text: ShortWords
    link: Link


class FeedTemplate(_WithButtons, frozen=True, kw_only=True, tag_field="object_type", tag="feed"):
    content: Content
    item_content: ItemContent | None = None
    social: Social | None = None


class ListTemplate(_WithButtons, frozen=True, kw_only=True, tag_field="object_type", tag="list"):
    header_title: NonEmpty
    header_link: Link
    contents: Annotated[tuple[Content, ...], Meta(min_length=2, max_length=3)]


class LocationTemplate(
    _WithButtons, frozen=True, kw_only=True, tag_field="object_type", tag="location"
):
    address: NonEmpty
    content: Content
    address_title: NonEmpty | None = None
    social: Social | None = None


class CommerceTemplate(
    _WithButtons, frozen=True, kw_only=True, tag_field="object_type", tag="commerce"
):
    content: Content
    commerce: CommerceContent


class CalendarTemplate(
    _WithButtons, frozen=True, kw_only=True, tag_field="object_type", tag="calendar"
):
    id: NonEmpty
    id_type: Literal["event", "calendar"]
    content: Content


Template = (
    TextTemplate
    | FeedTemplate
    | ListTemplate
    | LocationTemplate
    | CommerceTemplate
    | CalendarTemplate
)


def checked(template: Mapping[str, Any], *, is_draft: bool = False) -> dict[str, Any]:
    """Return a template as it goes to Kakao. Raises ContentError that names the first bad field.

    In a draft, text that holds placeholders is taken on trust where its value decides.
    """
    try:
        found = convert(dict(template), Template, dec_hook=partial(_special, is_draft))
    except ValidationError as error:
        keys, cause = fault_of(error)
        if keys == ("object_type",):
            raise _fault((), Cause("object-type")) from None
        if cause.code == UNKNOWN_KEY:
            cause = Cause("no-field")
        raise _fault(keys, cause) from None
    return plain(found, lambda value: int(value) if isinstance(value, int) else str(value))


def _fault(keys: Keys, fault: Cause) -> ContentError:
    keys = ("template", *keys)
    cause = Cause("template", {"key": readable(keys), **as_facts("fault", fault)})
    return ContentError(in_words(fault), cause, keys)


def shown_text(template: Mapping[str, Any]) -> str:
    """Return the words that the receiver reads first."""
    content = template.get("content") or {}
    named = (
        template.get("text"),
        template.get("header_title"),
        content.get("title"),
        content.get("description"),
        template.get("address"),
    )
    return next((text for text in named if text), str(template.get("object_type")))
