"""What the user has been told already, so that a lasting fault is told once and not each minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from kakaocron.installation import make_memory
from kakaocron.system.disk import Disk
from kakaocron.system.memory import Memory
from kakaocron.system.places import Places


class Incidents(Struct, frozen=True):
    """What was told before."""

    memory: Memory

    def news(self, ongoing: Mapping[str, str], over: Sequence[str] = ()) -> list[str]:
        """Return the sentences of the incidents not told before, and remember them as told.

        `over` names kinds of incident (the part of a key before the first colon) that this run has
        seen to be over unless they are in `ongoing`.
        """
        told = self.memory.read()
        kept = {
            key: said
            for key, said in told.items()
            if key.partition(":")[0] not in over or key in ongoing
        }
        fresh = [said for key, said in ongoing.items() if key not in told]
        now_told = {**kept, **ongoing}
        if now_told != told:
            self.memory.write(now_told)
        return fresh


def incidents_of(places: Places, disk: Disk) -> Incidents:
    return Incidents(make_memory(places, disk, "incidents.json"))
