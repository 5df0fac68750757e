"""What the sandbox counts: a message that reached somebody. A value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kakaocron.rehearsal.sandbox.settings import Member


@dataclass(frozen=True)
class Arrival:
    """One message that reached one receiver's chat: `receiver` is "me", a friend's uuid or a phone
    number.

    `template` is the parsed template_object, or the fields of a custom or scrape message; of a
    dealer's the template's code and variables. `sender` is the number of the
    account that sent it, or the dealer's name.
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

    def reached(self, person: Member) -> bool:
        """Tell whether it is in a person's KakaoTalk."""
        is_own = self.receiver == "me" and self.sender == str(person.user_id)
        return is_own or self.receiver == person.uuid
