"""Group rooms by Kakao's bot: a channel of its own."""
