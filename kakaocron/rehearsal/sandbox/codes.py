"""Kakao's error codes, one table for each of its two servers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from kakaocron.rehearsal.sandbox.wire import WireAnswer, json_answer

# code → HTTP status, msg (Kakao's documentation, error-code page; Kakao may reword any msg).
# The page gives no HTTP status for -403, -405, -504 and -531: those are assumed.
KAPI_ERRORS: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        -1: (400, "internal error."),
        -2: (400, "failed to parse parameter."),
        -3: (403, "App disabled the API or scope on developers.kakao.com."),
        -4: (403, "restricted account."),
        -5: (403, "permission denied"),
        -6: (403, "not allowed."),
        -7: (400, "service is under maintenance."),
        -8: (400, "invalid header."),
        -9: (400, "deprecated API."),
        -10: (400, "API limit has been exceeded."),
        -11: (400, "paid API limit has been exceeded."),
        -12: (403, "restricted app."),
        -101: (400, "not registered user."),
        -103: (400, "account does not exist."),
        -401: (401, "this access token does not exist"),
        -402: (403, "insufficient scopes."),
        -403: (403, "forbidden."),
        -405: (401, "required age verification."),
        -406: (401, "under age limit."),
        -501: (400, "not a talk user."),
        -502: (400, "not friend."),
        -504: (400, "not supported."),
        -530: (400, "receiver blocked messages."),
        -531: (400, "monthly message limit per sender has been exceeded."),
        -532: (400, "daily message limit per sender has been exceeded."),
        -533: (400, "daily message limit per receiver has been exceeded."),
        -536: (400, "daily message limit per sender and receiver has been exceeded."),
        -602: (400, "image size limit has been exceeded."),
        -603: (400, "execution timeout."),
        -606: (400, "image count limit has been exceeded."),
        -903: (400, "unknown developer key."),
        -911: (400, "unsupported image format."),
        -9798: (503, "under maintenance."),
    }
)

# Kakao does not say that nothing was delivered after these.
AMBIGUOUS_CODES = frozenset({-1, -7, -603, -9798})

# error_code → HTTP status, error, error_description (Kakao's documentation, Kakao Login
# trouble-shooting page, and test fixtures of public clients). KOE003–006, KOE101, KOE205 and
# KOE310 are given there without an HTTP status, and KOE237 is seen as 400 and as 429.
KAUTH_ERRORS: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "KOE003": (500, "server_error", "temporary fault, try again later"),
        "KOE004": (400, "misconfigured", "Kakao Login is not activated"),
        "KOE005": (400, "access_denied", "the user is not a member of the test app"),
        "KOE006": (400, "invalid_request", "Admin Settings Issue: redirect URI mismatch"),
        "KOE009": (400, "misconfigured", "the platform is not registered"),
        "KOE010": (401, "invalid_client", "Bad client credentials"),
        "KOE101": (401, "invalid_client", "Not exist client_id"),
        "KOE205": (400, "invalid_scope", "the consent item is not configured"),
        "KOE237": (400, "invalid_request", "token issue limit has been exceeded"),
        "KOE303": (400, "invalid_grant", "Redirect URI mismatch"),
        "KOE310": (400, "unsupported_grant_type", "unsupported grant type"),
        "KOE319": (400, "invalid_grant", "Not exist refresh_token"),
        "KOE320": (400, "invalid_grant", "authorization code not found"),
        "KOE322": (400, "invalid_grant", "expired_or_invalid_refresh_token"),
    }
)


class RefusedError(Exception):
    """kapi refuses the request; `details` go into the body beside msg and code."""

    errors: ClassVar[Mapping[int, tuple[int, str]]] = KAPI_ERRORS

    def __init__(self, code: int, msg: str | None = None, **details: object) -> None:
        self.code = code
        self.status, usual_msg = self.errors[code]
        self.msg = usual_msg if msg is None else msg
        self.details = details
        super().__init__(f"{code}: {self.msg}")

    def answer(self) -> WireAnswer:
        """Return the answer that says so."""
        return json_answer(self.status, {"msg": self.msg, "code": self.code, **self.details})


class KauthRefusedError(Exception):
    """kauth refuses the request."""

    def __init__(self, error_code: str) -> None:
        self.error_code = error_code
        self.status, self.error, self.description = KAUTH_ERRORS[error_code]
        super().__init__(error_code)

    def answer(self) -> WireAnswer:
        """Return the answer that says so."""
        return json_answer(
            self.status,
            {
                "error": self.error,
                "error_description": self.description,
                "error_code": self.error_code,
            },
        )
