// Everything that comes from the ledger reaches the page as text nodes, never as markup.
const MARKS = {
  confirmed: "✓", sent: "▹", sending: "▸", scheduled: "·", retrying: "↻",
  failed: "✗", unknown: "?", missed: "!", cancelled: "-",
};
// Where one mark stands for several slots, it is that of the one to look at first.
const WORST_FIRST = ["unknown", "failed", "missed", "retrying", "sending", "sent", "scheduled", "confirmed", "cancelled"];
const MOST_MARKS = 4; // an hour: a phone has no room for more
const POLL_MS = 2000;
const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);
// The sentences of this file in the reader's language, which the server knows.
const words = await ask("/words").catch(() => ({}));
const _ = (sentence, values = {}) => (words[sentence] || sentence).replace(/\{(\w+)\}/g, (_place, name) => values[name]);

let page = null;
let days = [];
let span = "today";
let known = null; // the ids and states that the list showed last
let asked = 0; // how often the list was asked for
let opened = null; // what the dialog shows: how it is read and drawn, and what was read last
let pointed = null; // the cell of the heat map that is told below it
let offset = 0; // how far the server's clock is ahead of this one

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// The focus goes on to what takes the place of the one that had it.
function redraw(node, ...children) {
  const id = node.contains(document.activeElement) && document.activeElement.dataset.id;
  node.replaceChildren(...children);
  const heir = id && [...node.querySelectorAll("[data-id]")].find((one) => one.dataset.id === id);
  if (heir) heir.focus({ preventScroll: true });
}

function s(tag, attributes = {}, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const found = await answer.json();
  if (!answer.ok) throw new Error((found.problems || [`HTTP ${answer.status}`]).join(" "));
  return found;
}

// The server speaks KST, whatever zone this browser is in.
const clock = (iso, seconds = true) => (iso ? iso.slice(11, seconds ? 19 : 16) : "");
const instant = (iso) => `${clock(iso)}.${(/\.(\d{3})/.exec(iso) || [0, "000"])[1]}`; // a whole second has no fraction
const dayOf = (iso) => iso.slice(5, 10);
// Rounded down: what is not all is not 100%.
const percent = (share) => (share === null ? "–" : `${share === 1 ? 100 : (Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)}%`);

function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return _("{n} ms", { n: Math.round(value * 1000) });
  return value < 120 ? _("{n} s", { n: value.toFixed(1) }) : _("{n} min", { n: (value / 60).toFixed(1) });
}

function left(iso) {
  const minutes = Math.max(0, Math.floor((Date.parse(iso) - now()) / 60000));
  if (minutes >= 2880) return _("{n} days", { n: Math.floor(minutes / 1440) });
  if (minutes >= 60) return _("{hours} h {minutes} min", { hours: Math.floor(minutes / 60), minutes: String(minutes % 60).padStart(2, "0") });
  return minutes ? _("{n} min", { n: minutes }) : _("under a minute");
}

const ahead = (span) => (span === _("under a minute") ? _("in under a minute") : _("in {span}", { span }));

const now = () => Date.now() + offset;

function stateTag(state, say = _) {
  return h("span", { class: "state", "data-state": state, role: "cell" }, h("i", { "aria-hidden": "true" }, (MARKS[state] || "·")), say(state));
}

function drawTop() {
  const ok = page.health.status === "healthy";
  const pill = $("health");
  pill.textContent = ok ? _("healthy") : _("needs a look");
  pill.dataset.ok = ok;
  const list = $("problems");
  list.hidden = ok;
  list.replaceChildren(...page.health.problems.map((problem) => h("li", {}, problem)));
}

function drawPauses() {
  const { pauses } = page;
  $("pauses").hidden = !pauses.length;
  $("pauses").replaceChildren(...pauses.map(({ message, until, note }) => {
    const what = message === null ? _("All messages are paused") : _("{name} is paused", { name: message });
    const end = until ? ` ${_("until {day} {time} KST", { day: until.slice(0, 10), time: clock(until, false) })}` : "";
    return h("li", {}, `${what}${end}${note ? `: ${note}` : ""}. `,
      h("span", {}, _("End it: "), h("code", {}, `kakaocron resume${message === null ? "" : ` ${message}`}`)));
  }));
}

function drawClock() {
  if (!page) return;
  const kst = new Date(now() + 9 * 3600e3).toISOString();
  $("clock").textContent = _("{time} KST", { time: kst.slice(11, 19) });
  const ago = page.last_tick ? Math.max(0, Math.round((now() - Date.parse(page.last_tick)) / 1000)) : null;
  const gone = ago < 120 ? _("{n} s", { n: ago }) : _("{n} min", { n: Math.floor(ago / 60) });
  const hosts = (page.hosts || []).map((one) => `${one.name} ${clock(one.last_tick)}`).join(", ");
  const tick = ago === null ? _("no tick seen") : _("last tick {span} ago", { span: gone });
  $("tick").textContent = hosts ? `${tick} (${hosts})` : tick;
}

function card(name, value, note, bad = false) {
  return h("div", { class: bad ? "card bad" : "card" }, h("span", { class: "name" }, name), h("b", {}, value), h("span", { class: "quiet" }, note));
}

function tokenWords(token) {
  if (!token.expires_at) return _("no token saved");
  return Date.parse(token.expires_at) > now() ? _("token for {span}", { span: left(token.expires_at) }) : _("token is renewed next");
}

function loginWords(account) {
  return account === "me" ? _("login") : _("login of {account}", { account });
}

function drawCards() {
  const { stats, tokens } = page;
  const next = page.next_slot;
  $("cards").replaceChildren(
    card(_("next slot"), next ? clock(next, false) : "–", next ? ahead(left(next)) : page.pauses.length ? _("paused") : _("nothing is scheduled")),
    card(_("confirmed"), percent(stats.success_rate), _("{count} of {all} slots today", { count: page.slots.confirmed, all: page.slots.ended }), stats.success_rate !== null && stats.success_rate < page.min_success_rate),
    card(_("on schedule"), percent(stats.schedule_accuracy), _("left within a minute")),
    card(_("lateness p50"), seconds(stats.delay_p50_seconds), _("p99 {span}", { span: seconds(stats.delay_p99_seconds) })),
    ...(page.receipts ? [card(_("delivered"), `${page.receipts.delivered} / ${page.receipts.accepted}`, _("time to receipt p50 {half}, p99 {most}", { half: seconds(page.receipts.receipt_p50_seconds), most: seconds(page.receipts.receipt_p99_seconds) }), page.receipts.undelivered > 0)] : []),
    ...Object.entries(tokens).map(([account, token]) => card(loginWords(account), token.refresh_expires_at ? left(token.refresh_expires_at) : "–", tokenWords(token))),
    ...(page.alimtalk ? [card(_("알림톡 today"), _("{won} won", { won: page.alimtalk.cost_won.toLocaleString() }), _("{count} messages", { count: page.alimtalk.messages }))] : []),
  );
}

// What the ledger does not know of: it is to come, or came due and no tick has seen to it.
function planned() {
  const today = page.now.slice(0, 10);
  const unseen = (page.unseen || []).filter((slot) => slot.slot.startsWith(today));
  return [...unseen, ...page.ahead.map((slot) => ({ ...slot, state: "scheduled" }))];
}

function marksOfToday() {
  const marks = [...page.today, ...planned()];
  return marks.sort((a, b) => a.slot.localeCompare(b.slot));
}

function tally(marks) {
  const counts = {};
  for (const one of marks) counts[one.state] = (counts[one.state] || 0) + 1;
  return Object.keys(counts).sort((a, b) => WORST_FIRST.indexOf(a) - WORST_FIRST.indexOf(b)).map((state) => [counts[state], state]);
}

// Each slot has its mark; in an hour with too many of them, each quarter of it has.
function grouped(found) {
  if (found.length <= MOST_MARKS) return found.map((one) => [one]);
  const quarters = [[], [], [], []];
  for (const one of found) quarters[Math.floor(Number(one.slot.slice(14, 16)) / 15)].push(one);
  return quarters.filter((group) => group.length);
}

function told(group) {
  const [first, last] = [group[0], group[group.length - 1]];
  if (group.length === 1) return `${clock(first.slot, false)} ${first.message}: ${_(first.state)}${first.reason ? ` (${_(first.reason)})` : ""}`;
  return `${clock(first.slot, false)}–${clock(last.slot, false)}: ${tally(group).map(([count, state]) => _("{count} {state}", { count, state: _(state) })).join(", ")}`;
}

function drawStrip() {
  const marks = marksOfToday();
  const hours = Array.from({ length: 24 }, () => []);
  for (const one of marks) hours[Number(one.slot.slice(11, 13))].push(one);
  const current = Number(page.now.slice(11, 13));
  redraw($("strip"), ...hours.map(grouped).map((groups, hour) => h("div", { class: hour === current ? "hour now" : "hour" },
    h("div", { class: groups.length > 2 ? "slots many" : "slots" }, ...groups.map((group) => {
      const [[, state]] = tally(group);
      return h("button", {
        type: "button", class: "mark", "data-state": state, "data-id": group[0].id, title: told(group), "aria-label": told(group),
        onclick: () => (group.length > 1 ? showGroup(group) : show(group[0].id)),
      }, (MARKS[state] || "·"));
    })),
    h("div", { class: "label" }, String(hour).padStart(2, "0")))));
  $("legend").replaceChildren(...tally(marks).map(([count, state]) =>
    h("span", { "data-state": state }, h("i", { "aria-hidden": "true" }, (MARKS[state] || "·")), _("{count} {state}", { count, state: _(state) }))));
  $("day-totals").textContent = _("{day} · {count} slots", { day: page.now.slice(0, 10), count: marks.length });
}

function drawHeat() {
  const cells = [h("span")];
  for (let hour = 0; hour < 24; hour += 1) cells.push(h("span", { class: "tickmark" }, hour % 3 ? "" : String(hour).padStart(2, "0")));
  cells.push(h("span"));
  for (const day of [...days].reverse()) {
    const weekday = new Date(`${day.day}T00:00:00Z`).getUTCDay();
    cells.push(h("span", { class: weekday ? "day" : "day sunday" }, day.day.slice(5)));
    const bad = day.late + day.failed + day.unknown + day.missed;
    day.hours.forEach((found, hour) => {
      const when = _("{day} {hour}h", { day: day.day, hour: String(hour).padStart(2, "0") });
      const values = found && { count: found.count, state: _(found.state) };
      const some = values && (found.count === 1 ? _("{count} slot, the worst {state}", values) : _("{count} slots, the worst {state}", values));
      const what = some || _("no slot");
      const told = `${when}: ${what}${bad ? `. ${_("Bad that day: {count}", { count: bad })}` : ""}`;
      cells.push(h("button", {
        type: "button", class: "cell", "data-state": found && found.state, "data-id": when, title: told, "aria-label": told, tabindex: -1,
      }, found && found.state !== "confirmed" ? (MARKS[found.state] || "·") : ""));
    });
    cells.push(h("span", { class: "bad", title: _("{count} late, failed, unknown or missed", { count: bad }) }, bad || ""));
  }
  redraw($("heat"), ...cells);
  const shown = [...$("heat").querySelectorAll(".cell")];
  const same = shown.find((cell) => cell.dataset.id === pointed);
  if (same) point(same);
  else shown[0].tabIndex = 0;
}

// The keyboard stops at one cell, and goes on to the others by the arrows.
function point(cell) {
  for (const one of $("heat").querySelectorAll(".pointed, [tabindex='0']")) {
    one.classList.remove("pointed");
    one.tabIndex = -1;
  }
  cell.classList.add("pointed");
  cell.tabIndex = 0;
  pointed = cell.dataset.id;
  $("heat-told").textContent = cell.title;
}

function goOn(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -24, ArrowDown: 24 }[event.key];
  const cells = [...$("heat").querySelectorAll(".cell")];
  const next = step && cells[cells.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

const LEFT = 56, BOTTOM = 26, TOP = 10;

// Round values to draw lines at: only powers of ten, if those are enough.
function gridValues(low, high) {
  const found = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    for (const step of high - low > 2.5 ? [1] : [1, 2, 5]) found.push(step * 10 ** power);
  }
  return found.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
}

function drawLate() {
  const WIDTH = Math.max(260, $("late").clientWidth);
  const HEIGHT = WIDTH < 420 ? 230 : 425;
  const today = page.today.filter((one) => one.delay_seconds !== null);
  const filled = days.filter((day) => day.delay_p50_seconds !== null);
  const isToday = span === "today";
  const values = isToday ? today.map((one) => one.delay_seconds) : filled.flatMap((day) => [day.delay_p50_seconds, day.delay_p99_seconds]);
  $("late-key").replaceChildren(...(isToday
    ? [h("span", {}, _("each delivery: seconds after its slot, log scale"))]
    : [["key50", _("p50")], ["key99", _("p99")]].map(([key, name]) => h("span", { class: key }, h("i", {}), name)).concat(h("span", {}, _("seconds after the slot, log scale")))));
  if (!values.length) return $("late").replaceChildren(h("div", { class: "empty" }, _("Nothing has been sent yet.")));
  const low = Math.log10(Math.max(0.001, Math.min(...values) * 0.7));
  const high = Math.max(low + 1, Math.log10(Math.max(...values) * 1.4));
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (Math.log10(Math.max(value, 0.001)) - low) / (high - low));
  const x = (share) => LEFT + (WIDTH - LEFT - 10) * share;
  const drawing = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": _("Lateness over time") });
  for (const value of gridValues(low, high)) {
    drawing.append(s("line", { class: "grid", x1: LEFT, x2: WIDTH - 10, y1: y(value), y2: y(value) }),
      s("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, seconds(value).replace(".0", "")));
  }
  drawing.append(s("line", { class: "axis", x1: LEFT, x2: WIDTH - 10, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }));
  if (isToday) {
    for (const hour of [0, 6, 12, 18, 24]) drawing.append(s("text", { x: x(hour / 24), y: HEIGHT - 6, "text-anchor": "middle" }, String(hour).padStart(2, "0")));
    for (const one of today) {
      const at = Number(one.slot.slice(11, 13)) + Number(one.slot.slice(14, 16)) / 60;
      const dot = s("circle", { class: "dot", cx: x(at / 24), cy: y(one.delay_seconds), r: 4.5, "data-state": one.state });
      dot.append(s("title", {}, `${clock(one.slot, false)} ${one.message}: ${seconds(one.delay_seconds)}`));
      drawing.append(dot);
    }
  } else {
    const place = (day) => x(days.length > 1 ? days.indexOf(day) / (days.length - 1) : 0.5);
    days.forEach((day, index) => { if (index % 7 === days.length % 7) drawing.append(s("text", { x: x(index / (days.length - 1)), y: HEIGHT - 6, "text-anchor": "middle" }, day.day.slice(5))); });
    for (const name of ["p99", "p50"]) {
      const points = filled.map((day) => [place(day), y(day[`delay_${name}_seconds`]), day]);
      drawing.append(s("path", { class: name, d: points.map(([px, py], index) => `${index ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("") }));
      for (const [px, py, day] of points) {
        const dot = s("circle", { class: `dot ${name}`, cx: px, cy: py, r: 3.5 });
        dot.append(s("title", {}, `${day.day}: ${_(name)} ${seconds(day[`delay_${name}_seconds`])}`));
        drawing.append(dot);
      }
    }
  }
  $("late").replaceChildren(drawing);
}

async function drawList(isLive) {
  asked += 1;
  const mine = asked;
  const query = new URLSearchParams();
  for (const [name, value] of new FormData($("filters"))) if (value) query.set(name, value);
  const { total, rows: found } = await ask(`/api/deliveries?${query}`);
  if (mine !== asked) return; // another filter was chosen meanwhile
  const shown = new Map(found.map((one) => [one.id, one.state]));
  redraw($("list"), ...found.map((one) => h("button", {
    type: "button", role: "row", "data-id": one.id, "data-row": one.state, onclick: () => show(one.id),
    class: isLive && known && known.get(one.id) !== one.state ? "row fresh" : "row",
  },
  h("span", { role: "cell" }, `${dayOf(one.slot)} ${clock(one.slot, false)}`),
  h("span", { role: "cell" }, one.message),
  stateTag(one.state),
  h("span", { role: "cell", class: "said" }, one.reason ? `${_(one.reason)}${one.text ? ` · ${one.text}` : ""}` : one.text || ""),
  h("span", { role: "cell", class: "lateness" }, one.delay_seconds === null ? "" : seconds(one.delay_seconds)))));
  if (!found.length) $("list").replaceChildren(h("div", { class: "empty" }, _("No delivery fits.")));
  $("count").textContent = total > found.length
    ? _("the {count} newest of {all}: choose fewer days, a message or a state to see the others", { count: found.length, all: total })
    : _("{count} shown", { count: total });
  known = shown;
}

function fillFilters() {
  const form = $("filters");
  const fill = (name, values) => {
    const select = form.elements[name];
    const wanted = select.value;
    select.replaceChildren(h("option", { value: "" }, _("all")), ...values.map((value) => h("option", { value }, name === "state" ? _(value) : value)));
    select.value = values.includes(wanted) ? wanted : "";
  };
  fill("message", page.messages);
  if (form.elements.state.length === 1) fill("state", Object.keys(MARKS));
}

function openDialog(title, read, draw) {
  opened = { title, read, draw };
  return drawDialog();
}

// While it is open, it follows; what has not changed is left alone, and can be copied.
async function drawDialog() {
  const mine = opened;
  if (!mine) return;
  const isNew = !mine.told;
  let drawn;
  try {
    const found = await mine.read();
    const told = JSON.stringify(found);
    if (told === mine.told) return;
    mine.told = told;
    drawn = mine.draw(found);
  } catch (error) {
    if (!isNew) return;
    drawn = [mine.title, null, h("p", {}, error.message)];
  }
  if (mine !== opened) return; // it was closed meanwhile, or shows another
  const [title, state, ...body] = drawn;
  $("detail-title").textContent = title;
  $("detail-state").replaceChildren(...(state ? [stateTag(state, beside)] : []));
  redraw($("detail-body"), ...body.filter(Boolean));
  if (!isNew) return;
  if (!$("detail").open) $("detail").showModal();
  $("detail").scrollTop = 0;
  $("detail-close").focus();
}

function facts(pairs) {
  const list = h("dl");
  for (const [name, value] of pairs) if (value) list.append(h("dt", {}, name), h("dd", {}, value));
  return list;
}

// A word as people read it, and the one that programs know, where that is another.
const beside = (word) => (_(word) === word ? word : `${_(word)}(${word})`);

function attempt(one) {
  const results = Object.entries(one.results);
  const state = results.length ? results[0][1].state : "sending";
  return h("div", { class: "attempt", "data-state": state },
    h("p", {}, h("strong", {}, _("Attempt {n}", { n: one.attempt })), ` ${[
      _("claimed {time}", { time: clock(one.claimed_at) }),
      one.sent_at ? _("sent {at}", { at: instant(one.sent_at) }) : _("nothing sent"),
      one.ended_at ? _("ended {at}", { at: instant(one.ended_at) }) : _("no end known"),
    ].join(", ")}`),
    ...results.map(([name, found]) => h("p", { class: "quiet" }, `${name}: ${[_(found.state), found.http_status && `HTTP ${found.http_status}`, found.code && _("code {code}", { code: found.code }), found.reason && beside(found.reason), found.detail].filter(Boolean).join(", ")}`)));
}

async function readDelivery(id) {
  const slot = planned().find((one) => one.id === id);
  if (!slot) return ask(`/api/deliveries/${encodeURIComponent(id)}`);
  const { messages } = await ask(`/api/explain?at=${encodeURIComponent(id)}`);
  return { ...slot, isPlanned: true, to: [], targets: {}, attempt_log: [], explained: messages.find((one) => one.id === id) };
}

function drawDelivery(one) {
  const said = one.explained || {};
  return [one.id, one.state,
    one.isPlanned && page.pictures.includes(one.message)
      ? h("img", { class: "picture", src: `/api/pictures/${encodeURIComponent(one.message)}?${page.version}`, alt: _("its picture, as it is now") }) : null,
    one.text ? h("div", { class: "bubble" }, one.text) : null,
    facts([
      [_("slot"), _("{day} {time} KST, {kind}", { day: one.slot.slice(0, 10), time: clock(one.slot, false), kind: _(one.kind) })],
      [_("to"), Object.entries(one.targets).map(([name, state]) => `${name}: ${_(state)}`).join(", ") || one.to.join(", ")],
      [_("left"), one.sent_at && _("{at} ({span} after the slot)", { at: instant(one.sent_at), span: seconds(one.delay_seconds) })],
      [_("confirmed"), one.confirmed_at && instant(one.confirmed_at)],
      [_("receipt"), one.receipt && [one.receipt.code, one.receipt.at && instant(one.receipt.at)].filter(Boolean).join(", ")],
      [_("reason"), one.reason && `${beside(one.reason)}: ${said.why || ""}`],
      [_("why"), one.isPlanned && !one.reason && said.why],
      [_("detail"), said.detail],
    ]),
    ...one.attempt_log.map(attempt),
    said.next ? h("p", { class: "quiet" }, _("Next: {what}", { what: said.next })) : null];
}

function show(id) {
  return openDialog(id, () => readDelivery(id), drawDelivery);
}

function showGroup(group) {
  const ids = new Set(group.map((one) => one.id));
  const read = async () => marksOfToday().filter((one) => ids.has(one.id));
  return openDialog(told(group), read, (found) => [told(found), null, ...found.map((one) => h("button", {
    type: "button", class: "one", "data-id": one.id, onclick: () => show(one.id),
  }, h("span", {}, `${clock(one.slot, false)} ${one.message}`), stateTag(one.state)))]);
}

async function load() {
  [page, days] = await Promise.all([ask("/api/page"), ask("/api/days")]);
  offset = Date.parse(page.now) - Date.now();
  drawTop(); drawPauses(); drawClock(); drawCards(); drawStrip(); drawHeat(); drawLate(); fillFilters();
  await Promise.all([drawList(true), drawDialog()]);
  document.documentElement.dataset.version = page.version;
}

async function follow() {
  try {
    const { version } = document.hidden && page ? page : await ask("/api/version");
    if (!page || version !== page.version) await load();
  } catch (error) {
    $("health").textContent = _("no answer");
    $("health").dataset.ok = false;
    $("problems").hidden = false;
    $("problems").replaceChildren(h("li", {}, error.message));
    if (page) page.version = null;
  }
  setTimeout(follow, POLL_MS);
}

for (const button of document.querySelectorAll("[data-span]")) {
  button.addEventListener("click", () => {
    span = button.dataset.span;
    for (const one of document.querySelectorAll("[data-span]")) one.setAttribute("aria-pressed", one === button);
    drawLate();
  });
}
for (const kind of ["focusin", "click"]) {
  $("heat").addEventListener(kind, (event) => { if (event.target.matches(".cell")) point(event.target); });
}
$("heat").addEventListener("keydown", goOn);
// A list that could not be read is read again with the rest, at the next poll.
const filter = () => drawList(false).catch(() => { if (page) page.version = null; });
// A choice that a program makes (WebDriver, some form fillers) is told by `change` alone.
$("filters").addEventListener("change", filter);
$("filters").elements.text.addEventListener("input", filter);
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("detail-close").addEventListener("click", () => $("detail").close());
$("detail").addEventListener("close", () => { opened = null; });
$("detail").addEventListener("click", (event) => { if (event.target === $("detail")) $("detail").close(); });
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});
$("language").addEventListener("click", () => {
  document.cookie = `language=${$("language").lang}; path=/; max-age=31536000; samesite=strict`;
  location.reload();
});
addEventListener("resize", () => { if (page) drawLate(); });
setInterval(drawClock, 1000);
follow();
