"""특정 시간 알림: a message five minutes from now, with a note of one's own."""

from datetime import UTC, datetime, timedelta

from kakaocron import Scheduler

scheduler = Scheduler()
at = datetime.now(UTC) + timedelta(minutes=5)
message_id = scheduler.schedule_message("⏰ 특정 시간 알림", at, meta={"order": "17"})
print(f"예약됨: {message_id}")

again = scheduler.schedule_message("⏰ 특정 시간 알림", at)
print(f"같은 메시지를 다시 예약하면: {again}")
