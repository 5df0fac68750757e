"""KakaoTalk messages on the minute from plain cron."""

__version__ = "0.1.0"
