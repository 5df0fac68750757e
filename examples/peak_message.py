"""피크 알림: a message at the next peak minute (every 15 minutes in the busy hours)."""

from kakaocron import Scheduler

scheduler = Scheduler()
message_id = scheduler.schedule_peak_message("🚀 피크 알림: 배달 점수를 확인하세요")
print(f"예약됨: {message_id}")
