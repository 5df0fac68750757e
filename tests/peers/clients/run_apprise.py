"""Sends by the address that Apprise's own documentation gives; the tokens last in a folder."""

# mypy: ignore-errors

import os
import sys

from apprise import Apprise, AppriseAsset
from script import KEY, LINK, REFRESH, SECRET, tell


def main(targets):
    asset = AppriseAsset(storage_path="storage", storage_mode="flush")
    sender = Apprise(asset=asset)
    refresh = os.environ.get("FIRST_REFRESH") or REFRESH
    tell(sender.add(f"kakaotalk://{SECRET}@{KEY}/{refresh}/{targets}?link={LINK}"))
    tell(bool(sender.notify(body="09:00 약 먹기")))


main(sys.argv[1])
