"""The page in a real browser: drawn, filtered, live, and deaf to what a message says."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.kst import DAY, KST, isoformat
from kakaocron.ledger.events import to_line
from kakaocron.rehearsal.sandbox.pictures import draw
from kakaocron.schedule.slots import Slot
from kakaocron.show.console import MARKS
from kakaocron.states import LOOK_FIRST, State
from kakaocron.system.clock import SystemClock
from tests.browsers import needs_chromium, start_chromium
from tests.language.test_bypass import english
from tests.sites import HOSTILE, Site, site, thirty_days
from tests.years import FINE, sent, write_days

pytest.importorskip("selenium", reason="no selenium here: pip install -e '.[browser]'")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

__all__ = ["site", "thirty_days"]

pytestmark = needs_chromium
WAIT_SECONDS = 15
OFTEN = """
[[message]]
name = "often"
cron = "*/2 * * * *"
text = "보고"
"""

# Adds to what the page shows each state in each of its shapes, on a row under the pointer too, and
# returns the contrast of each text with what is behind it, and of each shape with its panel.
CONTRASTS = """
for (const state of arguments[0]) {
  for (const shape of ["#list .state", ".mark", "#legend span", ".cell[data-state]"]) {
    const one = document.querySelector(shape);
    const twin = one.cloneNode(true);
    twin.dataset.state = state;
    (twin.matches("button, .cell") ? twin : twin.querySelector("i")).textContent = "x";
    one.parentElement.append(twin);
    if (shape === "#list .state") document.querySelector(".tabs").append(twin.cloneNode(true));
  }
}
for (const ok of [true, false]) {
  const pill = document.getElementById("health").cloneNode(true);
  pill.dataset.ok = ok;
  document.querySelector(".top").append(pill);
}
document.querySelector(".card:last-child").classList.add("bad");

const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const light = (layers) => {
  for (const colour of layers) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
  const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((value) =>
    (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (node) =>
  (node ? [...behind(node.parentElement), getComputedStyle(node).backgroundColor] : ["white"]);
const ratio = (below, above) => {
  const [dark, bright] = [light(below), light([...below, above])].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
};
const named = (node, value) => [`${node.tagName} ${node.className} ${node.textContent}`, value];
const all = [...document.querySelectorAll("body *")];
const shown = all.filter((node) => node.getClientRects().length);
const hasText = (node) => [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
const texts = shown.filter(hasText).map((node) => {
  const { fill, color } = getComputedStyle(node);
  return named(node, ratio(behind(node), node.ownerSVGElement ? fill : color));
});
const isShape = (node) => node.closest("[data-state]:not([data-state=scheduled])")
  && node.matches(".mark, .cell, i");
const shapes = shown.filter(isShape).map((node) => {
  const panel = behind(node.closest(".panel"));
  return named(node, ratio(panel, getComputedStyle(node).backgroundColor));
});
return [texts, shapes];
"""

WITH_UNSEEN = """
const [unseen] = arguments;
const ask = window.fetch;
window.fetch = async (path, options) => {
  const answer = await ask(path, options);
  return path === "/api/page" ? Response.json({ ...await answer.json(), unseen }) : answer;
};
"""


class Page:
    """The page in a browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def resize(self, width: int, height: int = 900, scheme: str = "light") -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def load(self, url: str) -> None:
        self.driver.get("about:blank")  # so that the last test's page asks for nothing more
        self.log("performance")
        self.log("browser")
        self.driver.get(url)
        self.until("return document.documentElement.dataset.version")

    def until(self, script: str, *arguments: Any) -> Any:
        return WebDriverWait(self.driver, WAIT_SECONDS, 0.1).until(
            lambda driver: driver.execute_script(script, *arguments)
        )

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def log(self, kind: str) -> Any:
        """Return what was logged since the last call."""
        return self.driver.get_log(kind)  # type: ignore[no-untyped-call]

    def rows(self) -> list[tuple[str, str]]:
        """Return the ids and states of the list's rows."""
        script = (
            "return [...document.querySelectorAll('.row')].map("
            "(row) => [row.dataset.id, row.dataset.row])"
        )
        return [(id_, state) for id_, state in self.run(script)]

    def hosts(self) -> set[str]:
        """Return the hosts that were asked for anything since the page was loaded."""
        found = set()
        for entry in self.log("performance"):
            message = json.loads(entry["message"])["message"]
            asked = message["params"]
            # Chromium's own first tab may still be asking Chromium for its icons.
            if (
                message["method"] == "Network.requestWillBeSent"
                and urlsplit(asked["documentURL"]).scheme == "http"
            ):
                found.add(urlsplit(asked["request"]["url"]).netloc)
        return found


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    logs = {"browser": "ALL", "performance": "ALL"}
    folder = tmp_path_factory.mktemp("chromium")
    found = start_chromium(folder, **{"goog:loggingPrefs": logs})
    yield found
    found.quit()


@pytest.fixture
def page(driver: webdriver.Chrome) -> Page:
    return Page(driver)


@pytest.mark.parametrize(("width", "height", "scheme"), [(390, 844, "dark"), (1280, 900, "light")])
def test_the_page_is_drawn_without_an_error_or_another_host(
    site: Site, page: Page, width: int, height: int, scheme: str
) -> None:
    site.tick()
    page.resize(width, height, scheme)
    page.load(site.url)

    assert page.driver.title == "kakaocron"
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#heat .cell")) == 30 * 24
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#strip .hour")) == 24
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    colour = page.run("return getComputedStyle(document.body).backgroundColor")
    assert colour == ("rgb(246, 245, 241)" if scheme == "light" else "rgb(20, 19, 15)")
    assert page.hosts() == {urlsplit(site.url).netloc}
    assert page.log("browser") == []


@pytest.mark.parametrize("width", [390, 700, 1001, 1280])
def test_many_slots_an_hour_are_marks_that_can_be_seen(
    site: Site, home: Path, page: Page, width: int
) -> None:
    often = parse_config(OFTEN, "config.toml").series()
    write_days(home / "data" / "ledger", often, SystemClock().now(), 1, bad=0.1)
    page.resize(width)
    page.load(site.url)
    narrowest, most = page.run(
        "const width = (mark) => mark.getBoundingClientRect().width;"
        "const hours = [...document.querySelectorAll('.slots')];"
        "return [Math.min(...[...document.querySelectorAll('.mark')].map(width)),"
        " Math.max(...hours.map((hour) => hour.children.length))]"
    )

    assert narrowest >= 5
    assert most == 4


def test_a_mark_of_many_slots_shows_the_worst_and_names_them_all(
    site: Site, home: Path, page: Page
) -> None:
    often = parse_config(OFTEN, "config.toml").series()
    now = SystemClock().now()
    write_days(home / "data" / "ledger", often, now, 1, bad=0.1)
    today = site.get("/api/page").json()["today"]
    page.resize(390)
    page.load(site.url)
    # Not the hour that is, and may turn meanwhile.
    hours = page.run(
        "return [...document.querySelectorAll('.slots')].map((hour) =>"
        " [...hour.children].map((mark) => [mark.dataset.state, mark.title, mark.textContent]))"
    )
    for hour in range(now.hour):
        group = [
            State(one["state"])
            for one in today
            if f"T{hour:02d}:00" <= one["slot"][10:16] < f"T{hour:02d}:15"
        ]
        state, title, glyph = hours[hour][0]
        assert state == min(group, key=LOOK_FIRST.index)
        assert title.startswith(f"{hour:02d}:00–{hour:02d}:14: {group.count(state)} {state}")
        assert glyph == MARKS[state]

    mark = page.driver.find_element(By.CSS_SELECTOR, ".mark")
    title = mark.get_attribute("title")
    mark.click()
    page.until("return document.querySelector('dialog[open] .one')")
    assert page.driver.find_element(By.ID, "detail-title").text == title
    page.driver.find_element(By.CSS_SELECTOR, "dialog .one").click()
    page.until("return document.querySelector('dialog[open] dl')")
    assert "@" in page.driver.find_element(By.ID, "detail-title").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_and_every_mark_stands_out(site: Site, page: Page, scheme: str) -> None:
    page.resize(1280, scheme=scheme)
    page.load(site.url)
    texts, shapes = page.run(CONTRASTS, list(State))

    assert len(texts) > 300
    assert len(shapes) > 300
    # What WCAG 2.2 asks for at its level AA (1.4.3 and 1.4.11).
    assert [found for found in texts if found[1] < 4.5] == []
    assert [found for found in shapes if found[1] < 3] == []


def test_a_slot_that_no_tick_has_seen_to_has_its_mark(site: Site, page: Page) -> None:
    today = SystemClock().now().date()
    slots = [
        Slot("report", datetime.combine(day, time(0, 1), KST), "regular")
        for day in (today, today - DAY)
    ]
    unseen = [
        {"id": s.id, "message": s.message, "kind": s.kind, "slot": isoformat(s.at)} for s in slots
    ]
    page.resize(1280)
    page.load(site.url)
    page.run(WITH_UNSEEN, [{**one, "state": "missed", "attempts": 0} for one in unseen])
    assert run(["pause"]) == 0
    page.until("return document.querySelector(`.mark[data-id='${arguments[0]}']`)", slots[0].id)
    marks = page.driver.find_elements(By.CSS_SELECTOR, "#strip .hour:first-child .mark")

    assert [mark.get_attribute("title") for mark in marks][1] == "00:01 report: missed"
    assert page.driver.find_elements(By.CSS_SELECTOR, f".mark[data-id='{slots[1].id}']") == []
    marks[1].click()
    page.until("return document.querySelector('dialog[open] #detail-state [data-state=missed]')")
    assert "00:01 KST, regular" in page.driver.find_element(By.CSS_SELECTOR, "dialog").text


def test_a_slot_to_come_shows_its_picture_as_it_is_now(site: Site, home: Path, page: Page) -> None:
    (home / "chart.png").write_bytes(draw(300, 200).content)
    config = home / "config.toml"
    config.write_text(config.read_text("utf-8") + 'image = "chart.png"\n', "utf-8")
    page.load(site.url)
    page.until("return document.querySelector('.mark[data-state=scheduled]')")
    page.run("[...document.querySelectorAll('.mark[data-state=scheduled]')].at(-1).click()")
    page.until("return document.querySelector('#detail .one, #detail dl')")
    page.run("document.querySelector('#detail .one')?.click()")

    assert page.until("return document.querySelector('#detail .picture')?.naturalWidth") == 300


def test_an_hour_of_the_month_is_told_to_a_tap_and_to_the_keyboard(site: Site, page: Page) -> None:
    page.resize(390)
    page.load(site.url)
    labels = page.run(
        "return [...document.querySelectorAll('#heat .cell')]"
        ".map((cell) => cell.getAttribute('aria-label'))"
    )
    told = page.driver.find_element(By.ID, "heat-told")
    page.driver.find_element(By.CSS_SELECTOR, "#heat .cell:nth-last-of-type(2)").click()
    assert told.text == labels[-2]
    assert re.match(r"\d{4}-\d\d-\d\d 22h: \d+ slots, the worst \w+", told.text)

    assert page.run("return document.querySelectorAll(\"#heat [tabindex='0']\").length") == 1
    page.driver.switch_to.active_element.send_keys(Keys.ARROW_LEFT, Keys.ARROW_UP)
    assert told.text == labels[-27]

    was = told.text.partition(":")[0]
    page.run("document.querySelector('.cell').isOld = true")
    assert run(["pause"]) == 0
    page.until("return !document.querySelector('.cell').isOld")
    assert page.run("return document.activeElement.dataset.id") == was


def test_the_list_is_filtered(site: Site, page: Page) -> None:
    page.resize(1280)
    page.load(site.url)
    Select(page.driver.find_element(By.NAME, "days")).select_by_value("30")
    Select(page.driver.find_element(By.NAME, "state")).select_by_value("unknown")
    page.until(
        "const rows = [...document.querySelectorAll('.row')];"
        "return rows.length > 0 && rows.every((row) => row.dataset.row === 'unknown')"
    )
    shown = page.driver.find_element(By.ID, "count")
    assert shown.text == f"{len(page.rows())} shown"
    Select(page.driver.find_element(By.NAME, "state")).select_by_value("")
    page.until("return document.querySelectorAll('.row').length === 500")
    total = site.get("/api/deliveries?days=30").json()["total"]
    assert shown.text.startswith(f"the 500 newest of {total}: choose fewer days")
    page.driver.find_element(By.NAME, "text").send_keys("no such text anywhere")
    page.until("return document.querySelectorAll('.row').length === 0")


def test_the_page_follows_a_tick_without_a_reload(site: Site, page: Page) -> None:
    page.resize(1280)
    page.load(site.url)
    before = page.rows()
    page.run("window.isTheSamePage = true")
    site.tick()
    (sent,) = site.sandbox.deliveries
    page.until("return document.querySelector('.row.fresh[data-row=confirmed]')")

    assert page.run("return window.isTheSamePage")
    assert len(page.rows()) == len(before) + 1
    assert sent.text.startswith(HOSTILE)


def test_markup_in_a_message_is_shown_as_text(site: Site, page: Page) -> None:
    site.tick()
    page.resize(390)
    page.load(site.url)
    row = page.driver.find_element(By.CSS_SELECTOR, ".row")
    assert HOSTILE in row.text
    row.click()
    page.until("return document.querySelector('dialog[open] .bubble')")

    assert HOSTILE in page.driver.find_element(By.CSS_SELECTOR, ".bubble").text
    assert page.driver.title == "kakaocron"
    assert page.driver.find_elements(By.CSS_SELECTOR, "main script, main img, dialog img") == []
    assert page.log("browser") == []


def test_one_delivery_is_shown_with_its_attempts(site: Site, page: Page) -> None:
    page.resize(1280)
    page.load(site.url)
    Select(page.driver.find_element(By.NAME, "days")).select_by_value("30")
    Select(page.driver.find_element(By.NAME, "state")).select_by_value("unknown")
    # In one script: the rows are drawn again when the list arrives, and with each poll.
    page.until(
        "if (!document.querySelector('dialog[open]'))"
        " document.querySelector('.row[data-row=unknown]')?.click();"
        "return document.querySelector('dialog[open] .attempt')"
    )

    told = page.driver.find_element(By.CSS_SELECTOR, "dialog").text
    assert "Attempt 1 claimed" in told
    assert "kakaocron resolve report@" in told


def test_a_whole_second_is_a_time_of_day_as_any_other(site: Site, home: Path, page: Page) -> None:
    midnight = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    slot = Slot("whole", midnight, "regular")
    events = sent(slot, midnight + timedelta(seconds=1), FINE, random.Random(1))
    with (home / "data" / "ledger" / f"{midnight.date()}.jsonl").open("ab") as ledger:
        ledger.writelines(to_line(event) for event in events)
    page.resize(1280)
    page.load(site.url)
    page.run("document.querySelector(`.row[data-id='${arguments[0]}']`).click()", slot.id)
    page.until("return document.querySelector('dialog[open] .attempt')")

    told = page.driver.find_element(By.CSS_SELECTOR, "dialog").text
    assert "00:00:01.000 (1.0 s after the slot)" in told
    assert re.search(r"claimed 00:00:00, sent 00:00:01\.000, ended 00:00:01\.\d{3}\n", told)


def test_an_open_delivery_follows_and_a_closed_one_stays_closed(site: Site, page: Page) -> None:
    query = "/api/deliveries?days=30&state=unknown"
    first, second = (one["id"] for one in site.get(query).json()["rows"][-2:])
    page.resize(1280, 320)
    page.load(site.url)
    Select(page.driver.find_element(By.NAME, "days")).select_by_value("30")
    Select(page.driver.find_element(By.NAME, "state")).select_by_value("unknown")
    row = "return document.querySelector(`.row[data-id='${arguments[0]}']`)"
    page.until(row, first).click()
    page.until("return document.querySelector('dialog[open] .attempt')")
    page.run("document.getElementById('detail').scrollTop = 60")

    assert run(["resolve", first, "--delivered"]) == 0
    page.until("return document.querySelector('#detail-state [data-state=sent]')")
    focus, scrolled = page.run("return [document.activeElement.id, detail.scrollTop]")
    assert (focus, scrolled) == ("detail-close", 60)

    page.driver.find_element(By.ID, "detail-close").click()
    assert run(["resolve", second, "--delivered"]) == 0
    page.until("return !document.querySelector(`.row[data-id='${arguments[0]}']`)", second)
    assert page.driver.find_elements(By.CSS_SELECTOR, "dialog[open]") == []


def test_a_row_keeps_the_focus_when_the_list_is_redrawn(site: Site, page: Page) -> None:
    page.resize(1280)
    page.load(site.url)
    id_ = page.run("const row = document.querySelector('.row'); row.focus(); return row.dataset.id")
    page.run("document.querySelector('.row').isOld = true")
    assert run(["pause"]) == 0
    page.until("return !document.querySelector(`.row[data-id='${arguments[0]}']`).isOld", id_)

    assert page.run("return document.activeElement.dataset.id") == id_


def test_a_pause_is_shown_with_what_ends_it(site: Site, page: Page) -> None:
    page.resize(390)
    page.load(site.url)
    shown = page.driver.find_element(By.ID, "pauses")
    assert not shown.is_displayed()
    assert run(["pause"]) == 0
    day = SystemClock().now().date() + timedelta(days=90)
    assert run(["pause", "report", "--until", f"{day} 03:04", "--note", HOSTILE]) == 0
    page.until("return document.querySelectorAll('#pauses li').length === 2")

    assert shown.text.splitlines() == [
        "All messages are paused. End it: kakaocron resume",
        f"report is paused until {day} 03:04 KST: {HOSTILE}. End it: kakaocron resume report",
    ]
    assert "–\npaused" in page.driver.find_element(By.ID, "cards").text
    assert run(["resume"]) == 0
    page.until("return document.getElementById('pauses').hidden")


def test_the_chosen_theme_is_kept(site: Site, page: Page) -> None:
    page.resize(1280)
    page.load(site.url)
    page.driver.find_element(By.ID, "theme").click()
    page.load(site.url)

    assert page.run("return document.documentElement.dataset.theme") == "dark"
    page.run("localStorage.clear()")


def test_a_server_that_is_gone_is_said(site: Site, page: Page) -> None:
    page.resize(1280)
    page.load(site.url)
    page.run("window.fetch = () => Promise.reject(new Error('gone'))")

    page.until("return document.getElementById('health').textContent === 'no answer'")


def test_a_click_reads_the_page_in_korean_and_is_remembered(site: Site, page: Page) -> None:
    page.load(site.url)
    try:
        page.run("document.getElementById('language').click()")
        page.until(
            "const root = document.documentElement;"
            "return root.lang === 'ko' && root.dataset.version"
        )
        said = page.run("return document.body.innerText")
        page.load(site.url)
        again = page.run("return document.documentElement.lang")
    finally:
        page.driver.delete_all_cookies()

    assert again == "ko"
    assert "전송 확인" in said
    words = {line.partition(":")[0] for line in english(said.replace(HOSTILE, ""))}
    assert words <= {"English", "orders", "often", "app"}
