"""Kakao's default templates, field by field (Kakao Developers, message templates). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from kakaocron.core.content import MAX_UTF16_UNITS, ContentError, utf16_units

DRAFT = {"draft": True}


def _is_open(value: object, info: ValidationInfo) -> bool:
    """Say whether a value still has a placeholder in it, which stands for anything."""
    return info.context == DRAFT and isinstance(value, str) and "{" in value


def _count(value: object, info: ValidationInfo) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")  # noqa: TRY004 - pydantic's own word for it
    return 0 if _is_open(value, info) else value


def _web(value: str, info: ValidationInfo) -> str:
    if not _is_open(value, info) and not value.startswith(("http://", "https://")):
        raise ValueError("must be an address such as https://example.com")
    return value


def _short(value: str, info: ValidationInfo) -> str:
    units = utf16_units(value)
    if units > MAX_UTF16_UNITS and not _is_open(value, info):
        raise ValueError(f"has {units} characters, Kakao takes {MAX_UTF16_UNITS}")
    return value


Words = Annotated[str, Field(min_length=1)]
ShortWords = Annotated[Words, AfterValidator(_short)]
Web = Annotated[str, AfterValidator(_web)]
Count = Annotated[int, Field(ge=0), BeforeValidator(_count)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Link(_Fields):
    web_url: Web | None = None
    mobile_web_url: Web | None = None
    android_execution_params: Words | None = None
    ios_execution_params: Words | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Link:
        if not self.model_fields_set:
            raise ValueError(
                "needs one of web_url, mobile_web_url, android_execution_params, "
                "ios_execution_params"
            )
        return self


class Button(_Fields):
    title: Words
    link: Link


class _WithButtons(_Fields):
    button_title: Words | None = None
    buttons: Annotated[tuple[Button, ...], Field(max_length=2)] | None = None


class Content(_Fields):
    link: Link
    title: Words | None = None
    image_url: Web | None = None
    description: Words | None = None
    image_width: Count | None = None
    image_height: Count | None = None


class Item(_Fields):
    item: Words
    item_op: Words


class ItemContent(_Fields):
    profile_text: Words | None = None
    profile_image_url: Web | None = None
    title_image_url: Web | None = None
    title_image_text: Words | None = None
    title_image_category: Words | None = None
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=5)] | None = None
    sum: Words | None = None
    sum_op: Words | None = None


class Social(_Fields):
    like_count: Count | None = None
    comment_count: Count | None = None
    shared_count: Count | None = None
    view_count: Count | None = None
    subscriber_count: Count | None = None


class CommerceContent(_Fields):
    regular_price: Count
    discount_price: Count | None = None
    fixed_discount_price: Count | None = None
    discount_rate: Count | None = None
    product_name: Words | None = None
    currency_unit: Words | None = None
    currency_unit_position: Literal[0, 1] | None = None


class TextTemplate(_WithButtons):
    object_type: Literal["text"]
    text: ShortWords
    link: Link


class FeedTemplate(_WithButtons):
    object_type: Literal["feed"]
    content: Content
    item_content: ItemContent | None = None
    social: Social | None = None


class ListTemplate(_WithButtons):
    object_type: Literal["list"]
    header_title: Words
    header_link: Link
    contents: Annotated[tuple[Content, ...], Field(min_length=2, max_length=3)]


class LocationTemplate(_WithButtons):
    object_type: Literal["location"]
    address: Words
    content: Content
    address_title: Words | None = None
    social: Social | None = None


class CommerceTemplate(_WithButtons):
    object_type: Literal["commerce"]
    content: Content
    commerce: CommerceContent


class CalendarTemplate(_WithButtons):
    object_type: Literal["calendar"]
    id: Words
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
_TEMPLATES: TypeAdapter[Template] = TypeAdapter(
    Annotated[Template, Field(discriminator="object_type")]
)


def checked(template: Mapping[str, Any], *, is_draft: bool = False) -> dict[str, Any]:
    """Return a template as it goes to Kakao. Raises ContentError that names the first bad field.

    In a draft, text that holds placeholders is taken on trust where its value decides.
    """
    try:
        found = _TEMPLATES.validate_python(dict(template), context=DRAFT if is_draft else None)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise ContentError(f"template{_where(fault['loc'])}: {_what(fault)}") from None
    return found.model_dump(exclude_none=True)


def _where(keys: tuple[int | str, ...]) -> str:
    """Write ("list", "contents", 0, "title") as `.contents[1].title`: the first is the type."""
    return "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in keys[1:])


def _what(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] == "extra_forbidden":
        return "is no field of this template"
    if fault["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        return "object_type must be text, feed, list, location, commerce or calendar"
    said = " ".join(str(fault["msg"]).split()).removeprefix("Value error, ")
    return said[0].lower() + said[1:]


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
