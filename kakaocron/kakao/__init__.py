"""One channel, whole: KakaoTalk messages to oneself and to friends."""
