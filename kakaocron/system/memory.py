"""A small JSON object that outlives a process, even while the disk is full."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from msgspec import Struct

from kakaocron.system.disk import NO_LINK, Disk, guard, make_folders, read_file, replace_file
from kakaocron.text.documents import versioned, with_version


class Memory(Struct, frozen=True):
    """A JSON object in `path`, or in `spare` where that cannot be written (a full disk).

    One of a later version is as good as none.
    """

    path: str
    spare: str
    disk: Disk

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in (self.path, self.spare):
            with suppress(OSError, ValueError, RecursionError):
                flags = self._guard(path)
                found.update(versioned(read_file(self.disk, path, flags=flags)))
        return found

    def write(self, fields: Mapping[str, Any]) -> None:
        """Replace it; where nothing can be written it is forgotten, which is no reason to fail."""
        content = json.dumps(with_version(fields), ensure_ascii=False, indent=1).encode(
            "utf-8", "replace"
        )
        for path in (self.path, self.spare):
            try:
                make_folders(self.disk, os.path.dirname(path))  # noqa: PTH120
                flags = self._guard(path)
                replace_file(self.disk, path, content, durable=False, flags=flags)
            except OSError:
                continue
            if path == self.path != self.spare:
                with suppress(OSError):
                    self._guard(self.spare)
                    self.disk.unlink(self.spare)
            return

    def remove(self) -> None:
        """Remove it where it is; one that is not there is no reason to fail."""
        for path in {self.path: None, self.spare: None}:
            with suppress(OSError):
                self._guard(path)
                self.disk.unlink(path)

    def _guard(self, path: str) -> int:
        """Return how a file is to be opened. Raises OSError where the spare is not to be trusted:
        it stands in a folder in which every user may put a link."""
        if path != self.spare:
            return 0
        guard(self.disk, os.path.dirname(path))  # noqa: PTH120
        return NO_LINK
