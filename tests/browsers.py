"""Chromium without a window, and the mark of the tests that need it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="no Chromium here: apt-get install chromium chromium-driver",
)


def start_chromium(folder: Path, **capabilities: Any) -> Any:
    """Start a Chromium with a profile of its own; skips the test where Selenium is missing."""
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="no selenium here: pip install -e '.[browser]'"
    )
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    for name, value in capabilities.items():
        options.set_capability(name, value)
    return webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
