"""정기 알림: a message at the next regular minute (:00 or :30)."""

from kakaocron import Scheduler

scheduler = Scheduler()
message_id = scheduler.schedule_regular_message("📊 정기 알림: 장부를 확인하세요")
if message_id is None:
    print("이미 예약되어 있습니다")
else:
    print(f"예약됨: {message_id}")
