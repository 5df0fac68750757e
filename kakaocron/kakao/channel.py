"""Kakao's message API: which request a delivery makes, and in what order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta

from msgspec import Struct

from kakaocron.delivery.channel import Flight, LeftOutError, Withheld
from kakaocron.delivery.parcel import Parcel, Part
from kakaocron.delivery.verdicts import Meaning, Verdict, of_failure, unsent
from kakaocron.errors import Cause, KakaocronError, LoginError
from kakaocron.kakao.answers import of_friends, of_memo
from kakaocron.kakao.login import Login, UnreachableError, UnreadableLoginError
from kakaocron.kakao.quota import Usage, used
from kakaocron.kakao.texts import with_link
from kakaocron.kst import DAY
from kakaocron.ledger.deliveries import Delivery
from kakaocron.states import BY, ME, Reason
from kakaocron.system.http import Failure, Http, Request

# Kakao's documentation: at most five receivers a call.
RECEIVERS_A_CALL = 5
BAD_PARAMETER = -2
# How old a token must be for a refused picture to have another one issued.
RENEWED_FOR_A_PICTURE = timedelta(hours=1)

# By the kind of a parcel's part.
MEMO_PATHS = {
    "default": "/v2/api/talk/memo/default/send",
    "custom": "/v2/api/talk/memo/send",
    "scrap": "/v2/api/talk/memo/scrap/send",
}
FRIENDS_PATHS = {
    "default": "/v1/api/talk/friends/message/default/send",
    "custom": "/v1/api/talk/friends/message/send",
    "scrap": "/v1/api/talk/friends/message/scrap/send",
}


class KakaoTalk(Struct, frozen=True):
    """The channel to an account's own chat and to its friends, by its login.

    `serves` says of a receiver whether it is this channel's, and `stranger` what is wrong with it.
    Where taps would lead to the `usual_link`, this account has its `link`.
    """

    http: Http
    login: Login
    api_url: str
    serves: Callable[[str], bool]
    stranger: Callable[[str], str | None] = lambda _: None
    usual_link: str = ""
    link: str = ""

    @property
    def own(self) -> str:
        """The receiver that is the account's own chat."""
        return self.login.account or ME

    def allowance_days(self, to: Iterable[str], today: date) -> set[date]:
        # Yesterday's too: a retry may go out today.
        return {today, today - DAY} if set(to) - {self.own} else set()

    def allowance(self, deliveries: Iterable[Delivery], day: date) -> Usage:
        return used(deliveries, day, lambda one: one != self.own and self.serves(one))

    def prepare(self, count: int) -> None:
        with suppress(KakaocronError):  # the delivery itself meets it again, and records it
            self.login.access_token()
        self.http.warm(self.api_url, count)

    def enclose(self, parcel: Parcel, seconds: float) -> Parcel:
        from kakaocron.kakao import pictures  # noqa: PLC0415 - few messages have a picture

        enclosure = parcel.enclosure
        assert enclosure is not None  # noqa: S101 - else there is nothing to bring
        until = self.login.clock.monotonic() + seconds

        def upload(token: str) -> pictures.Uploaded | Verdict:
            left = until - self.login.clock.monotonic()
            request = pictures.upload_request(self.api_url, enclosure, token, left)
            answer = self.http.ask(request)
            return of_failure(answer) if isinstance(answer, Failure) else pictures.of_upload(answer)

        try:
            token = self.login.access_token()
            found = upload(token)
            if isinstance(found, Verdict) and found.meaning is Meaning.LOG_IN_AGAIN:
                if enclosure.is_required or not self._is_new():
                    found = upload(self.login.renew(token))
            elif isinstance(found, Verdict) and pictures.may_change(found):
                found = upload(token)  # it shows nothing, so that twice does no harm
            if isinstance(found, pictures.Uploaded):
                return pictures.with_picture(parcel, found)
            verdict, down = _not_made(pictures.not_uploaded(found.cause)), None
        except LoginError as error:
            verdict, down = _of_login(error), error
        except KakaocronError as error:
            verdict, down = _not_made(error.cause), None
        raise LeftOutError(verdict, down)

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        if any(part.kind not in MEMO_PATHS for part in parcel.parts):
            for name in to:
                cause = Cause("other-content", {"receiver": name})
                flight.land(name, unsent(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, cause), 0)
            return
        strangers = {name for name in to if self.stranger(name)}
        for name in strangers:
            # Kakao would refuse the whole call for it, and with it the others.
            cause = Cause("stranger", {"receiver": name})
            flight.land(name, unsent(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, cause), 0)
        for group in groups([name for name in to if name not in strangers], self.own):
            self._deliver_parts(parcel, group, flight)

    def let_go(self) -> None:
        self.http.close()

    def _is_new(self) -> bool:
        """Say whether the token was issued a moment ago: where Kakao takes none for pictures, one
        for each of them would use up what Kakao issues."""
        at = self.login.read().refreshed_at
        return at is not None and self.login.clock.now() - at < RENEWED_FOR_A_PICTURE

    def _deliver_parts(self, parcel: Parcel, group: Sequence[str], flight: Flight) -> None:
        """Send the parts in order; a receiver who did not get one gets none after it."""
        first = min(flight.parts_done.get(receiver, 0) for receiver in group)
        for index in range(first, len(parcel.parts)):
            receivers = [r for r in group if _has_before(flight, r, index)]
            if not receivers:
                return
            verdicts = self._send_part(parcel.parts[index], receivers, flight)
            if len(receivers) > 1 and all(v.code == BAD_PARAMETER for v in verdicts.values()):
                # One wrong uuid makes Kakao refuse the call, for all: nobody got it, so each may
                # be asked for alone.
                for receiver in receivers:
                    verdicts |= self._send_part(parcel.parts[index], [receiver], flight)
            for receiver, verdict in verdicts.items():
                is_confirmed = verdict.meaning is Meaning.CONFIRMED
                flight.land(receiver, verdict, index + is_confirmed)

    def _send_part(
        self, part: Part, receivers: Sequence[str], flight: Flight
    ) -> dict[str, Verdict]:
        try:
            token = self.login.access_token()
            verdicts = self._request(part, receivers, token, flight)
            if all(v.meaning is Meaning.LOG_IN_AGAIN for v in verdicts.values()):
                # Kakao has refused the token, so the message was not taken: one more try is safe.
                verdicts = self._request(part, receivers, self.login.renew(token), flight)
            return verdicts
        except Withheld as withheld:
            verdict = withheld.verdict
        except LoginError as error:
            flight.down = error
            verdict = _of_login(error)
        except KakaocronError as error:
            is_unreachable = isinstance(error, UnreachableError)
            reason = Reason.UNREACHABLE if is_unreachable else Reason.NOT_LOGGED_IN
            verdict = unsent(Meaning.NOT_SENT, reason, error.cause)
        return dict.fromkeys(receivers, verdict)

    def _request(
        self, part: Part, receivers: Sequence[str], token: str, flight: Flight
    ) -> dict[str, Verdict]:
        is_memo = list(receivers) == [self.own]
        uuids = {receiver.partition(BY)[0]: receiver for receiver in receivers}
        paths = MEMO_PATHS if is_memo else FRIENDS_PATHS
        form = dict(part.fields)
        if self.link != self.usual_link and part.kind == "default":
            form["template_object"] = with_link(form["template_object"], self.usual_link, self.link)
        if not is_memo:
            form["receiver_uuids"] = json.dumps(list(uuids))
        answer = self.http.ask(
            Request(f"{self.api_url}{paths[part.kind]}", form, token), flight.leave
        )
        if isinstance(answer, Failure):
            return dict.fromkeys(receivers, of_failure(answer))
        flight.server_date = answer.headers.get("date")
        if is_memo:
            return {self.own: of_memo(answer)}
        verdicts = of_friends(answer, uuids)
        return {receiver: verdicts[uuid] for uuid, receiver in uuids.items()}


def _of_login(error: LoginError) -> Verdict:
    may_change = isinstance(error, UnreadableLoginError)
    meaning = Meaning.NOT_SENT if may_change else Meaning.LOG_IN_AGAIN
    return unsent(meaning, Reason.NOT_LOGGED_IN, error.cause)


def _not_made(cause: Cause) -> Verdict:
    return unsent(Meaning.NOT_SENT, Reason.CONTENT_FAILED, cause)


def groups(to: Sequence[str], own: str = ME) -> Iterator[list[str]]:
    """Split receivers into those of one request each: oneself alone, friends by five."""
    if own in to:
        yield [own]
    friends = [receiver for receiver in to if receiver != own]
    for start in range(0, len(friends), RECEIVERS_A_CALL):
        yield friends[start : start + RECEIVERS_A_CALL]


def _has_before(flight: Flight, receiver: str, index: int) -> bool:
    """Say whether a receiver has every part before `index` and still lacks that one."""
    found = flight.results.get(receiver)
    if found is None:
        return flight.parts_done.get(receiver, 0) == index
    return found.parts == index and found.state == "confirmed"
