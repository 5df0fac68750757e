"""`python -m tests.fuzz --cpu-minutes 30`: spoil files and answers for as long as that."""

from __future__ import annotations

import argparse
import sys
import time

from tests.fuzz.campaign import KINDS, Campaign, houses


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cpu-minutes", type=float, default=1.0, help="of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of the first try")
    parser.add_argument("--cases", type=int, default=sys.maxsize, help="at most")
    parser.add_argument("--only", choices=sorted(KINDS), action="append")
    given = parser.parse_args()
    is_well = True
    with houses() as furnished:
        for kind in given.only or KINDS:
            campaign = Campaign(kind, furnished)
            began = time.process_time()
            campaign.run(given.seed, given.cpu_minutes * 60, given.cases)
            minutes = (time.process_time() - began) / 60
            is_well = is_well and not campaign.faults
            print("\n\n".join(campaign.faults[:20]))
            print(_summary(kind, campaign, minutes), flush=True)
    return 0 if is_well else 1


def _summary(kind: str, campaign: Campaign, minutes: float) -> str:
    tally = campaign.tally
    codes = ", ".join(f"{count} with exit {code}" for code, count in sorted(tally.codes.items()))
    return (
        f"{kind}: {tally.cases} tries ({len(tally.ways)} places or ways), {tally.commands} "
        f"commands ({codes}), {len(campaign.faults)} faults, {minutes:.1f} CPU minutes"
    )


if __name__ == "__main__":
    sys.exit(main())
