"""수동 재시도: send again what failed or was missed today; the next tick does it."""

from kakaocron import Scheduler

scheduler = Scheduler()
for message in scheduler.get_schedule_status()["today"]:
    if message["state"] in {"failed", "missed"} and scheduler.retry_message(message["id"]):
        print(f"재시도 예약: {message['id']} (지금까지 {message['attempts']}번 시도)")
