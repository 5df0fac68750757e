"""Texts without a meaning."""
