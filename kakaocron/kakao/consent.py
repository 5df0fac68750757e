"""The address of Kakao's consent page, and what may come back from it. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

from kakaocron.errors import LoginError, UsageError
from kakaocron.kakao.codes import LOGIN_CODES
from kakaocron.language.words import _, marked

# Kakao compares the redirect URI with the registered one to the letter, port included.
HOST = "127.0.0.1"
PATH = "/callback"
AGAIN = marked("Try again: kakaocron login (over ssh: --no-browser)")
_CODE = re.compile(r"[A-Za-z0-9_.~-]{8,512}")
_KOE = re.compile(r"\bKOE\d{3}\b")


@dataclass(frozen=True, slots=True)
class Consent:
    """One visit to the consent page: `state` ties the answer to it, `verifier` the code (PKCE)."""

    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    def page(self, auth_url: str, client_id: str, scopes: Sequence[str]) -> str:
        """Return the address to open. Kakao separates scopes by commas here."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "client_id": client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": ",".join(scopes),
            # The account that sends need not be the one that the browser is logged in with.
            "prompt": "select_account",
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{auth_url}/oauth/authorize?{urlencode(query)}"

    def code_in(self, query: str) -> str:
        """Return the authorization code of a redirect. Raises LoginError or UsageError."""
        fields = {name: values[0] for name, values in parse_qs(query).items()}
        if not hmac.compare_digest(fields.get("state", "").encode(), self.state.encode()):
            raise LoginError(
                _(
                    "The answer does not belong to this login (its state is another one): an old "
                    "address, or somebody else's. Nothing was changed"
                ),
                AGAIN,
            )
        if fields.get("error") == "access_denied":
            raise LoginError(
                _("The consent was refused in the browser; nothing was changed"), AGAIN
            )
        if "code" not in fields:
            said = f"{fields.get('error', 'no code')} {fields.get('error_description', '')}"
            raise explained(said, self.redirect_uri) or LoginError(
                _("Kakao gave no code ({short})").format(short=_short(said)), AGAIN
            )
        return fields["code"]

    def code_pasted(self, text: str) -> str:
        """Return the code in what the user pasted: the whole redirected address, or the code."""
        text = text.strip()
        if "://" in text or "code=" in text or "error=" in text:
            return self.code_in(text.partition("?")[2].partition("#")[0] or text)
        if error := explained(text, self.redirect_uri):
            raise error
        if not _CODE.fullmatch(text):
            raise UsageError(
                _(
                    "That is neither the address that the browser was sent to nor a code; nothing "
                    "was changed. The address begins with {redirect_uri}"
                ).format(redirect_uri=self.redirect_uri),
                AGAIN,
            )
        return text


def explained(page: str, redirect_uri: str) -> UsageError | None:
    """Return the sentence for a KOE code that Kakao's page shows, None if it shows none."""
    found = _KOE.search(page)
    if found is None:
        return None
    known = LOGIN_CODES.get(found[0])
    said = _(known.detail) if known else _("see Kakao's page")
    if found[0] == "KOE006":
        said += _("; register exactly {redirect_uri}").format(redirect_uri=redirect_uri)
    return UsageError(
        _("Kakao refuses the login ({found}: {said})").format(found=found[0], said=said),
        _("Then: kakaocron login"),
    )


def _short(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:120]
