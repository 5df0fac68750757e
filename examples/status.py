"""상태 확인: the day at a glance, and each message that is not confirmed."""

from kakaocron import Scheduler

scheduler = Scheduler()
status = scheduler.get_schedule_status()
stats = status["stats"]
print(f"실행 중: {status['is_running']}")
print(f"예정 {status['scheduled_count']} · 성공 {stats['total_confirmed']}")
print(
    f"실패 {stats['total_failed']} · 불명 {stats['total_unknown']} · 놓침 {stats['total_missed']}"
)
for message in status["today"]:
    if message["state"] != "confirmed":
        print(f"{message['id']}: {message['state']} ({message['reason']})")
