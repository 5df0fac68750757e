"""What an idle tick asks of a shared ledger whose plan has held for its time: has anything changed?

One statement, which leaves the heartbeat too if nothing has. It goes by libpq itself, the library
that psycopg brings along: psycopg would take five times what the whole idle tick takes. It imports
next to nothing. Whatever is missing, late or odd raises, and the tick is a full one.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import select
import time
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_void_p

from kakaocron import __version__
from kakaocron.files import open_file, placed
from kakaocron.ledger.postgres.tables import QUESTION

TYPE_CHECKING = False  # typing itself would be the most expensive import
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Ask = Callable[[str, Sequence[str]], Sequence[Sequence[object]]]

URL = "KAKAOCRON_LEDGER_URL"
MAX_BYTES = 1 << 20
# Connecting, and the answer. A full tick asks again and again; this one gives it up.
SECONDS = 4.0
# The full tick measures the clocks exactly, and says what is wrong with them.
CLOCK_SECONDS = 1.0
PARAMETERS = {
    "application_name": "kakaocron",
    "client_encoding": "UTF8",
    "target_session_attrs": "read-write",
    "tcp_user_timeout": "3000",
    "keepalives_idle": "2",
    "keepalives_interval": "1",
    "keepalives_count": "2",
}
# libpq-fe.h
_BAD, _POLL_FAILED, _POLL_READING, _POLL_OK, _TUPLES = 1, 0, 1, 3, 2
_Receiver = CFUNCTYPE(None, c_void_p, c_void_p)


class QuestionError(Exception):
    """It was not answered; why does not matter, as the full tick finds out."""


def is_unchanged(ask: Ask, now: float, known: Sequence[str], instants: Sequence[float]) -> bool:
    """Say whether all is as it was when the plan was made; if so, this host has ticked at these
    `instants` (seconds since 1970, as `now` is)."""
    host, id_, version, since, days, documents = known
    parameters = (
        str(now), str(CLOCK_SECONDS), version, id_, f"{{{days}}}", since, host, documents,
        host, f"{{{','.join(map(str, instants))}}}", host, str(instants[-1]), str(now), __version__,
    )  # fmt: skip
    ((found, *_),) = ask(QUESTION, parameters)
    return found in {True, "t"}


def find_url(variables: Mapping[str, str], config: str, folder: str) -> str:
    """Return the address of the shared ledger, as a full tick finds it."""
    url = (variables.get(URL) or "").strip()
    if url:
        return url
    path, credentials = variables.get(f"{URL}_FILE"), variables.get("CREDENTIALS_DIRECTORY")
    if not path and credentials:
        for name in (URL, URL.lower()):
            if os.path.isfile(f"{credentials}/{name}"):  # noqa: PTH113
                path = f"{credentials}/{name}"
    if path:
        return _content(placed(path, folder)).strip()
    import tomllib  # noqa: PLC0415 - a fifth of what all else takes

    tables = tomllib.loads(_content(config))
    own = tables.get("profile", {}).get(variables.get("ENVIRONMENT") or "", {}).get("ledger", {})
    found = own.get("url") or tables["ledger"]["url"]
    return str(found)


def _content(path: str) -> str:
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        return file.read(MAX_BYTES).decode("utf-8-sig")


def ask_by_libpq(url: str) -> Ask:
    """Return what asks the database at an address one statement. It raises QuestionError, OSError
    or ValueError."""
    return lambda statement, parameters: _asked(_libpq(), url, statement, parameters)


def _libpq() -> Any:
    """Load the libpq of psycopg's binary package."""
    found = importlib.util.find_spec("psycopg_binary")
    if found is None or not found.submodule_search_locations:
        raise QuestionError("no libpq")
    folder = f"{os.path.dirname(next(iter(found.submodule_search_locations)))}/psycopg_binary.libs"  # noqa: PTH120
    (name,) = (name for name in os.listdir(folder) if name.startswith("libpq-"))  # noqa: PTH208
    libpq = ctypes.CDLL(f"{folder}/{name}")
    texts = POINTER(c_char_p)
    for result, function, *arguments in (
        (c_void_p, "PQconnectStartParams", texts, texts, c_int),
        (c_int, "PQconnectPoll", c_void_p),
        (c_int, "PQstatus", c_void_p),
        (c_int, "PQsocket", c_void_p),
        (c_void_p, "PQsetNoticeReceiver", c_void_p, _Receiver, c_void_p),
        (c_int, "PQsendQueryParams", c_void_p, c_char_p, c_int, c_void_p, texts, c_void_p,
         c_void_p, c_int),
        (c_int, "PQconsumeInput", c_void_p),
        (c_int, "PQisBusy", c_void_p),
        (c_void_p, "PQgetResult", c_void_p),
        (c_int, "PQresultStatus", c_void_p),
        (c_int, "PQntuples", c_void_p),
        (c_char_p, "PQgetvalue", c_void_p, c_int, c_int),
        (None, "PQclear", c_void_p),
        (None, "PQfinish", c_void_p),
    ):  # fmt: skip
        known = getattr(libpq, function)
        known.restype, known.argtypes = result, arguments
    return libpq


def _asked(
    libpq: Any, url: str, statement: str, parameters: Sequence[str]
) -> Sequence[Sequence[object]]:
    noticed: list[object] = []
    # Kept by its name until the connection is gone. A notice may say that the standby was not
    # waited for; libpq would print it.
    receiver = _Receiver(lambda _argument, _result: noticed.append(True))
    names, values = [*PARAMETERS, "dbname"], [*PARAMETERS.values(), url]
    until = time.monotonic() + SECONDS
    # What stands before the address is what counts if that does not say it.
    connection = libpq.PQconnectStartParams(_texts(names), _texts(values), 1)
    if not connection:
        raise QuestionError("no memory")
    try:
        libpq.PQsetNoticeReceiver(connection, receiver, None)
        _connect(libpq, connection, until)
        first, *others = statement.split("%s")
        text = first + "".join(f"${n}{part}" for n, part in enumerate(others, 1))
        given = len(parameters), None, _texts(parameters), None, None, 0
        if not libpq.PQsendQueryParams(connection, text.encode(), *given):
            raise QuestionError("not sent")
        while libpq.PQisBusy(connection):
            _wait(libpq, connection, select.POLLIN, until)
            if not libpq.PQconsumeInput(connection):
                raise QuestionError("cut")
        result = libpq.PQgetResult(connection)
        try:
            if noticed or libpq.PQresultStatus(result) != _TUPLES or libpq.PQntuples(result) != 1:
                raise QuestionError("refused")
            return [[libpq.PQgetvalue(result, 0, 0).decode()]]
        finally:
            libpq.PQclear(result)
    finally:
        libpq.PQfinish(connection)


def _connect(libpq: Any, connection: int, until: float) -> None:
    if libpq.PQstatus(connection) == _BAD:
        raise QuestionError("not an address")
    status = -1
    while status != _POLL_OK:
        _wait(
            libpq, connection, select.POLLIN if status == _POLL_READING else select.POLLOUT, until
        )
        status = libpq.PQconnectPoll(connection)
        if status == _POLL_FAILED:
            raise QuestionError("not connected")


def _wait(libpq: Any, connection: int, events: int, until: float) -> None:
    poll = select.poll()
    poll.register(libpq.PQsocket(connection), events)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise QuestionError("late")


def _texts(values: Sequence[str]) -> Any:
    """Return texts as C has them, with a NULL at the end."""
    if any("\0" in value for value in values):
        raise ValueError("NUL")
    return (c_char_p * (len(values) + 1))(*(value.encode() for value in values), None)
