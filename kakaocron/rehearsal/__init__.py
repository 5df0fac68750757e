"""Kakao without Kakao, and a machine without luck."""
