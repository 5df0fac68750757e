"""Draws docs/images/page-*.png, in Chromium: `python -m benchmarks.page docs/images`.

The page shows thirty days of the usual timetable, up to now, and a tick against the sandbox. It
needs fonts that have Korean and emoji: apt-get install fonts-noto-cjk fonts-noto-color-emoji.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.watch import served
from kakaocron.config.reading import parse_config
from kakaocron.installation import Edges, find_installation
from kakaocron.kakao.tokens import to_json
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.simulation.home import logged_in
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places
from kakaocron.system.stderr import complain
from kakaocron.ticking.runner import run_full
from tests.fakes import MESSAGE, kakao_section
from tests.years import write_days

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
PICTURES = (
    ("page-desktop.png", 1280, 1500, "light"),
    ("page-desktop-dark.png", 1280, 1500, "dark"),
    ("page-phone-dark.png", 390, 1900, "dark"),
)
DELIVERY = ("page-delivery.png", 1280, 900, "light")
DRAWN = "return document.documentElement.dataset.version"
A_BAD_ROW = (
    "return ['[data-row=unknown]', '[data-row=failed]', '.row']"
    ".map((one) => document.querySelector(`#list ${one}`)).find(Boolean)"
)
OPEN = "return document.querySelector('dialog[open] .attempt')"


def prepare(home: Path, sandbox: SandboxServer) -> None:
    (home / "config.toml").write_text(kakao_section(sandbox, 5) + MESSAGE)
    now = SystemClock().now()
    os.environ |= {
        "KAKAOCRON_CONFIG": str(home / "config.toml"),
        "KAKAOCRON_DATA_DIR": str(home / "data"),
        "KAKAOCRON_LOG_DIR": str(home / "log"),
    }
    log_in(sandbox, now)
    series = parse_config(MESSAGE, "config.toml").series()
    write_days(home / "data" / "ledger", series, now, 30, bad=0.05)
    run_full(find_places(), Edges(), find_installation, complain)


def log_in(sandbox: SandboxServer, now: datetime) -> None:
    path = Path(find_installation().places.tokens)
    path.parent.mkdir(parents=True)
    path.touch(0o600)
    path.write_bytes(to_json(logged_in(sandbox.kakao, now)))


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def draw(driver: webdriver.Chrome, url: str, width: int, height: int, scheme: str) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get(url)
    wait(driver, DRAWN)


def wait(driver: webdriver.Chrome, script: str) -> None:
    WebDriverWait(driver, 15).until(lambda driver: driver.execute_script(script))


def main(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        SandboxServer(Kakao(seed=7), SystemClock().now) as sandbox,
    ):
        prepare(Path(home), sandbox)
        with served() as url, browser() as driver:
            for name, *scene in PICTURES:
                draw(driver, url, *scene)
                driver.save_screenshot(str(folder / name))
            name, *scene = DELIVERY
            draw(driver, url, *scene)
            driver.execute_script(A_BAD_ROW).click()
            wait(driver, OPEN)
            driver.save_screenshot(str(folder / name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
