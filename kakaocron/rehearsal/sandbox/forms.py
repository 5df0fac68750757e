"""Form bodies and the JSON inside their fields, read as strictly as Kakao reads them."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from kakaocron.rehearsal.sandbox.codes import RefusedError
from kakaocron.rehearsal.sandbox.endpoints import Endpoint
from kakaocron.rehearsal.sandbox.templates import check_template, shown_text
from kakaocron.rehearsal.sandbox.wire import WireRequest

MAX_FIELDS = 50
MAX_RECEIVERS = 5


def is_form(request: WireRequest) -> bool:
    """Tell whether Content-Type says a form in UTF-8 (no charset given counts as UTF-8)."""
    kind, _, rest = (request.header("Content-Type") or "").lower().partition(";")
    charset = rest.strip().partition("charset=")[2].strip('" ')
    return kind.strip() == "application/x-www-form-urlencoded" and charset in ("", "utf-8")


def read_pairs(text: str) -> list[tuple[str, str]]:
    """Split a form or query, which may end in `&`; raise ValueError on what is not one."""
    if not text:
        return []
    return parse_qsl(
        text.removesuffix("&"),
        keep_blank_values=True,
        strict_parsing=True,
        errors="strict",
        max_num_fields=MAX_FIELDS,
    )


def read_fields(text: str) -> dict[str, str]:
    """Read a form or query in which no field comes twice; raise ValueError otherwise."""
    pairs = read_pairs(text)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field comes twice")
    return fields


def read_message_form(request: WireRequest) -> dict[str, str]:
    """Read a message request's fields; raise RefusedError (-2, -8) for anything but a form."""
    if (request.header("Content-Type") or "").lower().startswith("application/json"):
        raise RefusedError(-2)
    if not is_form(request):
        raise RefusedError(-8, "invalid header: Content-Type is not a form in UTF-8.")
    if request.query:
        raise RefusedError(-2, "failed to parse parameter: fields belong in the body.")
    try:
        return read_fields(request.body.decode())
    except ValueError:
        raise RefusedError(-2) from None


def read_content(endpoint: Endpoint, form: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return (text that is shown, template) of a message; raise RefusedError (-2)."""
    _refuse_unknown(endpoint, form)
    if endpoint.content == "default":
        template = _read_object(form, "template_object")
        check_template(template)
        return shown_text(template), template
    custom = _read_custom(form, is_required=endpoint.content == "custom")
    if endpoint.content == "custom":
        return json.dumps(custom, ensure_ascii=False, sort_keys=True), custom
    url = _required(form, "request_url")
    if not url.startswith(("http://", "https://")):
        raise RefusedError(-2, "The Parameter [request_url] is not a web address.")
    return url, {"request_url": url, **custom}


def read_receivers(form: Mapping[str, str], own_uuid: str) -> list[str]:
    """Return the 1 to 5 uuids; raise RefusedError (-2)."""
    uuids = _read_json(form, "receiver_uuids")
    if not isinstance(uuids, list) or not all(isinstance(uuid, str) for uuid in uuids):
        raise RefusedError(-2, "The Parameter [receiver_uuids] is not a list of strings.")
    if not uuids:
        raise RefusedError(-2, "The Parameter [receiver_uuids] cannot be empty.")
    if len(uuids) > MAX_RECEIVERS:
        raise RefusedError(-2, f"The Parameter [receiver_uuids] has more than {MAX_RECEIVERS}.")
    if len(set(uuids)) != len(uuids):
        raise RefusedError(-2, "The Parameter [receiver_uuids] names a receiver twice.")
    if own_uuid in uuids:
        raise RefusedError(-2, "The Parameter [receiver_uuids] names the sender.")
    return uuids


def _refuse_unknown(endpoint: Endpoint, form: Mapping[str, str]) -> None:
    custom = {"template_id", "template_args"}
    known = {
        "default": {"template_object"},
        "custom": custom,
        "scrap": {"request_url", *custom},
    }[endpoint.content]
    if endpoint.is_for_friends:
        known |= {"receiver_uuids"}
    for name in form.keys() - known:
        raise RefusedError(-2, f"The Parameter [{name}] is unknown.")


def _read_custom(form: Mapping[str, str], *, is_required: bool) -> dict[str, Any]:
    if "template_id" not in form and not is_required:
        if "template_args" in form:
            raise RefusedError(-2, "The Parameter [template_id] cannot be empty.")
        return {}
    template_id = _required(form, "template_id")
    if not (template_id.isascii() and template_id.isdigit()):
        raise RefusedError(-2, "The Parameter [template_id] is not a number.")
    args = _read_object(form, "template_args") if "template_args" in form else {}
    if not all(isinstance(value, str) for value in args.values()):
        raise RefusedError(-2, "The Parameter [template_args] holds more than strings.")
    return {"template_id": template_id, "template_args": args}


def _required(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise RefusedError(-2, f"The Parameter [{name}] cannot be empty.")
    return form[name]


def _read_object(form: Mapping[str, str], name: str) -> dict[str, Any]:
    value = _read_json(form, name)
    if not isinstance(value, dict):
        raise RefusedError(-2, f"The Parameter [{name}] is not a JSON object.")
    return value


def _read_json(form: Mapping[str, str], name: str) -> object:
    try:
        value: object = json.loads(_required(form, name))
        # Half an emoji passes through JSON, but no phone can show it.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise RefusedError(-2, f"The Parameter [{name}] is not JSON.") from None
    return value
