"""What looking and simulating cost."""

from __future__ import annotations

from benchmarks.limits.row import Row

ROWS: list[Row] = []
