"""오래된 메시지 정리: forget the days that are more than seven ago.

`keep_days` in [ledger] does so by itself; this is for a shorter memory once.
"""

from kakaocron import Scheduler

removed = Scheduler().cleanup_old_messages(days=7)
print(f"정리한 날: {removed}")
