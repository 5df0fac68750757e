"""Kakao's default templates, checked field by field (Kakao's documentation, default templates).

Stricter than Kakao is known to be: a field that the documentation does not name is refused, and
so is an empty `link`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kakaocron.rehearsal.sandbox.codes import RefusedError

MAX_TEXT_UNITS = 200  # documented as characters; counted here in UTF-16 units
MAX_BUTTONS = 2
MAX_ITEMS = 5

Check = Callable[[str, object], None]


def check_template(template: Mapping[str, Any]) -> None:
    """Raise RefusedError (-2) unless Kakao would take this `template_object`."""
    check = _TEMPLATES.get(str(template.get("object_type")))
    if check is None:
        raise _refused("object_type", "is not one of " + ", ".join(_TEMPLATES))
    check("", template)


def shown_text(template: Mapping[str, Any]) -> str:
    """Return the words that the receiver reads first."""
    content = template.get("content", {})
    candidates = (
        template.get("text"),
        template.get("header_title"),
        content.get("title"),
        content.get("description"),
        template.get("address"),
    )
    return next((text for text in candidates if text), "")


def utf16_units(text: str) -> int:
    """Count as JavaScript and Java do: an emoji outside the basic plane counts two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _refused(where: str, fault: str) -> RefusedError:
    return RefusedError(-2, f"The Parameter [template_object.{where}] {fault}.")


def _string(where: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise _refused(where, "is not a string with something in it")


def _text(where: str, value: object) -> None:
    _string(where, value)
    if utf16_units(str(value)) > MAX_TEXT_UNITS:
        raise _refused(where, f"is longer than {MAX_TEXT_UNITS}")


def _url(where: str, value: object) -> None:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise _refused(where, "is not a web address")


def _count(where: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _refused(where, "is not a whole number from 0 up")


def _one_of(*allowed: object) -> Check:
    def check(where: str, value: object) -> None:
        if value not in allowed:
            raise _refused(where, f"is not one of {allowed}")

    return check


def _record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *, least: int = 0
) -> Check:
    """Check an object: the required fields, any of the optional ones, none besides.

    An optional field that is null counts as absent.
    """
    known = {**required, **(optional or {})}

    def check(where: str, value: object) -> None:
        if not isinstance(value, dict):
            raise _refused(where, "is not an object")
        for name in required:
            if name not in value:
                raise _refused(_inside(where, name), "cannot be empty")
        for name in value.keys() - known.keys():
            raise _refused(_inside(where, name), "is unknown")
        given = {k: field for k, field in value.items() if field is not None or k in required}
        if len(given) < least:
            raise _refused(where, f"names none of {', '.join(known)}")
        for name, field in given.items():
            known[name](_inside(where, name), field)

    return check


def _list(check_item: Check, least: int, most: int) -> Check:
    def check(where: str, value: object) -> None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise _refused(where, f"is not a list of {least} to {most}")
        for index, item in enumerate(value):
            check_item(f"{where}[{index}]", item)

    return check


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


_LINK = _record(
    {},
    {
        "web_url": _url,
        "mobile_web_url": _url,
        "android_execution_params": _string,
        "ios_execution_params": _string,
    },
    least=1,
)
_CONTENT = _record(
    {"link": _LINK},
    {
        "title": _string,
        "image_url": _url,
        "description": _string,
        "image_width": _count,
        "image_height": _count,
    },
)
_SOCIAL = _record(
    {},
    dict.fromkeys(
        ("like_count", "comment_count", "shared_count", "view_count", "subscriber_count"), _count
    ),
)
_ITEM = _record({"item": _string, "item_op": _string})
_ITEM_CONTENT = _record(
    {},
    {
        "profile_text": _string,
        "profile_image_url": _url,
        "title_image_url": _url,
        "title_image_text": _string,
        "title_image_category": _string,
        "items": _list(_ITEM, 1, MAX_ITEMS),
        "sum": _string,
        "sum_op": _string,
    },
)
_COMMERCE = _record(
    {"regular_price": _count},
    {
        "discount_price": _count,
        "fixed_discount_price": _count,
        "discount_rate": _count,
        "product_name": _string,
        "currency_unit": _string,
        "currency_unit_position": _one_of(0, 1),
    },
)
_BUTTONS: Mapping[str, Check] = {
    "button_title": _string,
    "buttons": _list(_record({"title": _string, "link": _LINK}), 0, MAX_BUTTONS),
}

_TEMPLATES: Mapping[str, Check] = {
    "text": _record({"object_type": _string, "text": _text, "link": _LINK}, _BUTTONS),
    "feed": _record(
        {"object_type": _string, "content": _CONTENT},
        {"item_content": _ITEM_CONTENT, "social": _SOCIAL, **_BUTTONS},
    ),
    "list": _record(
        {
            "object_type": _string,
            "header_title": _string,
            "header_link": _LINK,
            "contents": _list(_CONTENT, 2, 3),
        },
        _BUTTONS,
    ),
    "location": _record(
        {"object_type": _string, "address": _string, "content": _CONTENT},
        {"address_title": _string, "social": _SOCIAL, **_BUTTONS},
    ),
    "commerce": _record(
        {"object_type": _string, "content": _CONTENT, "commerce": _COMMERCE}, _BUTTONS
    ),
    "calendar": _record(
        {
            "object_type": _string,
            "id": _string,
            "id_type": _one_of("event", "calendar"),
            "content": _CONTENT,
        },
        _BUTTONS,
    ),
}
