"""A person at the consent page: ticks every box, agrees, and is sent back to the program.

As a program it is the browser that `webbrowser` opens: BROWSER="python person.py %s".
"""

from __future__ import annotations

import re
import sys
from html import unescape
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPRedirectHandler, build_opener


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def agree(address: str) -> str:
    """Visit the address of a consent page; return the address that one is sent back to."""
    page, location = _visit(address)
    if location:
        return location
    fields = [
        (name, unescape(value))
        for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    ]
    boxes = re.findall(r'name="agreed_scope" value="([^"]*)"', page)
    action = re.findall(r'<form method="post" action="([^"]*)"', page)
    if not action:
        raise ValueError(f"no consent page: {page[-300:]}")
    form = [*fields, *(("agreed_scope", box) for box in boxes), ("decision", "agree")]
    return _visit(urljoin(address, action[0]), urlencode(form))[1]


def _visit(address: str, form: str | None = None) -> tuple[str, str]:
    """Return the page and where it redirects to."""
    try:
        with build_opener(_Stay).open(address, form.encode() if form else None, timeout=20) as page:
            return page.read().decode(), ""
    except HTTPError as answer:
        return answer.read().decode(), answer.headers.get("Location") or ""


if __name__ == "__main__":
    _visit(agree(sys.argv[1]))
