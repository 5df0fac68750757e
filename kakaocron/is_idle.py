"""Ends with 0 if a tick has nothing to do, else otherwise. Cron's line asks this before the tick:

    export KAKAOCRON_CONFIG=…; python -I -S …/kakaocron/is_idle.py 2>/dev/null || kakaocron tick

Run by its path, without looking for installed packages, it costs less than `python -c pass`. Should
it not be there any more, each tick is a whole one; so it is under another Python than the plan was
made by, which may lack those packages.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120
from kakaocron.idle import is_idle_tick

# What waits for a slot is the tick itself: it says so to a person, and can be asked to end.
os._exit(not is_idle_tick(["tick"], os.environ, may_wait=False))
