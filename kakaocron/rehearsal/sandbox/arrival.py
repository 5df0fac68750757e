"""What the sandbox counts: a message that reached somebody. A value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Arrival:
    """One message that reached one receiver's chat: `receiver` is "me", a friend's uuid or a phone
    number.

    `template` is the parsed template_object, or the fields of a custom or scrape message; of a
    dealer's the template's code and variables. `sender` is the user, or the dealer's name.
    `received_at_ns` is the wall clock when the request had come in full, over real sockets.
    `picture` is the path of the uploaded picture that is seen with it.
    """

    at: datetime
    receiver: str
    text: str
    template: Mapping[str, Any]
    sender: str
    path: str
    received_at_ns: int | None = None
    picture: str | None = None
