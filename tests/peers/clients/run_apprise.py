"""Sends by the address that Apprise's own documentation gives; the tokens last in a folder."""

# mypy: ignore-errors

import os
import sys

from apprise import Apprise, AppriseAsset
from script import KEY, LINK, REFRESH, SECRET, tell


def main(targets):
    asset = AppriseAsset(storage_path="storage", storage_mode="flush")
    sender = Apprise(asset=asset)
    tell(sender.add(f"kakaotalk://{SECRET}@{KEY}/{REFRESH}/{targets}?link={LINK}"))
    if os.environ.get("LATER"):  # hours later: what was kept of the access token has run out
        for plugin in sender:
            plugin.store.clear("access_token")
    tell(bool(sender.notify(body="09:00 약 먹기")))


main(sys.argv[1])
