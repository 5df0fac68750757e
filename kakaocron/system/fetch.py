"""A document of the web: fetched within limits, wherever it leads, and never in clear."""

from __future__ import annotations

import time
from urllib.parse import urljoin, urlsplit

from kakaocron.errors import ContentError
from kakaocron.states import Reason
from kakaocron.system.http import Answer, Failure, MakeHttp, Request
from kakaocron.system.http_answer import GOOD_STATUSES
from kakaocron.system.proxies import is_loopback
from kakaocron.text.causes import content_error
from kakaocron.text.plain import address_shown

MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def fetch(url: str, timeout_seconds: float, make_http: MakeHttp) -> Answer:
    """Return the answer of a server that has the document. Raises ContentError, which names no more
    of an address than its host: the rest may be what opens it."""
    name, until = address_shown(url), time.monotonic() + timeout_seconds
    here = url
    for _ in range(MOST_REDIRECTS + 1):
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise content_error("too-slow", name=name, seconds=timeout_seconds)
        answer = _asked(here, seconds, make_http)
        if isinstance(answer, Failure):
            raise _failed(name, answer, timeout_seconds)
        if answer.status not in REDIRECTS or "location" not in answer.headers:
            if answer.status not in GOOD_STATUSES:
                raise content_error("url-status", url=name, status=answer.status)
            return answer
        here = _joined(here, answer.headers["location"])
        if not is_private(here, url):
            raise content_error("url-in-clear", url=name)
    raise content_error("url-leads-on", url=name, most=MOST_REDIRECTS)


def is_private(url: str, first: str) -> bool:
    """Say whether nobody on the way can read what an address gives: by https, or from this machine
    to itself. An address on another machine must not lead back to this one."""
    try:
        parts, began = urlsplit(url), urlsplit(first)
        host, origin = parts.hostname or "", began.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "http":
        return began.scheme == "http" and is_loopback(host) and is_loopback(origin)
    return parts.scheme == "https" and bool(host)


def _joined(here: str, location: str) -> str:
    try:
        return urljoin(here, location)
    except ValueError:
        return ""


def _asked(url: str, seconds: float, make_http: MakeHttp) -> Answer | Failure:
    http = make_http(seconds)
    try:
        return http.ask(Request(url, seconds=seconds))
    finally:
        http.close()


def _failed(name: str, failure: Failure, timeout_seconds: float) -> ContentError:
    if failure.reason is Reason.READ_TIMEOUT:
        return content_error("too-slow", name=name, seconds=timeout_seconds)
    return content_error("url-failed", url=name, behind=failure.cause.code, **failure.cause.facts)
