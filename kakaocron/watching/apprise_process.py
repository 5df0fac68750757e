"""Hands alarms to Apprise: a process of its own, with a JSON document on stdin.

A process of its own, which can be killed: Apprise sends through a pool of threads that Python waits
for at its end, however long they take.
"""

from __future__ import annotations

import json
import os
import sys

from kakaocron.language.words import marked

NOT_TOLD = {
    3: marked("it needs the extra: pip install 'kakaocron[alerts]'"),
    4: marked("Apprise does not know such an address"),
    5: marked("the service did not take it"),
}


def main() -> int:
    """Read `url`, `title`, `body`, `type` (Apprise's: failure, warning, success) and `storage`, a
    folder; return 0 when they are told, else a code of NOT_TOLD."""
    document = json.load(sys.stdin)
    os.umask(0o077)
    try:
        import apprise  # noqa: PLC0415 - an extra
    except ImportError:
        return 3
    # Some services hand out a new token that takes the old one's place: Apprise forgets it without
    # a folder, and by its usual mode it may write it too late, when Python ends.
    asset = apprise.AppriseAsset(storage_path=document["storage"], storage_mode="flush")
    out = apprise.Apprise(asset=asset)
    if not out.add(document["url"]):
        return 4
    is_told = out.notify(
        title=document["title"], body=document["body"], notify_type=document["type"]
    )
    return 0 if is_told else 5


if __name__ == "__main__":
    sys.exit(main())
