"""사용자 정의 피크 시간: the same calls under a configuration with hours of its own."""

from pathlib import Path

from kakaocron import Scheduler

scheduler = Scheduler(Path(__file__).with_name("config.toml"))
print(f"예약됨: {scheduler.schedule_peak_message('🚀 우리 가게의 피크')}")
