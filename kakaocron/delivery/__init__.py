"""Decide, claim, send, record: the engine. It knows no channel by name."""
