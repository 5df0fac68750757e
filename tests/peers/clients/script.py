"""What every script here says to the test that runs it."""

# mypy: ignore-errors

import json
import os

KEY, SECRET, REDIRECT = (os.environ.get(f"KAKAO_{name}", "") for name in ("KEY", "SECRET", "URI"))
ACCESS, REFRESH = (os.environ.get(f"KAKAO_{name}", "") for name in ("ACCESS", "REFRESH"))
LINK = "https://example.org"


def tell(value):
    print("TOLD", json.dumps(value), flush=True)


def visit(address):
    """Let a person agree at the address; return where the browser is sent back to."""
    print("VISIT", address, flush=True)
    return input()
