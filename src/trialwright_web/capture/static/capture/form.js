// The form page: keys, what is typed read at once, checks while typing, drafts kept on the server, saving.
// Nothing of a participant is stored in the browser; without this script the page works by its buttons alone.

import { evaluate, rounded } from "./form_engine.js";
import { isDate, normalText, shownText, valueOf } from "../shell/typed.js";

const config = JSON.parse(document.getElementById("form-config").textContent);
const form = document.getElementById("form");
const { rules } = await import(config.rules);
const kept = document.getElementById("kept"), alarm = document.getElementById("alarm");
const recorded = snapshot();
let sent = JSON.stringify(recorded), instruments = config.instruments, timer = 0, idle = 0, busy = Promise.resolve();
document.documentElement.classList.add("js");

// --- reading the page -----------------------------------------------------------------------------------------

const split = (name) => [name.split(".")[0], Number(name.split(".")[1] ?? 1)];
const control = (prefix, name) => form.elements[`${prefix}.${name}`];
const textOf = (name) => control("v", name)?.value ?? "";

function snapshot() {
  const fields = {};
  for (const element of form.elements) {
    if (!/^[vuws]\.|^(reason|source|visit_date)$/.test(element.name)) continue;
    if (element.type === "radio" && !element.checked) continue;
    fields[element.name] = element.value;
  }
  return fields;
}

const names = [...new Set([...form.elements].filter((e) => e.name.startsWith("v.")).map((e) => e.name.slice(2)))];

function entryOf(name) {
  const rule = rules.items[split(name)[0]];
  const why = control("w", name)?.value ?? "";
  if (why) {
    const [kind, code] = why.split(".");
    if (kind === "missing") return { value: null, why: code };
    const scored = rule.outcomes[code] ?? null;
    return { value: scored, why: scored === null ? "unknown" : "", outcome: true };
  }
  const text = normalText(rule.type, textOf(name), config.today);
  const value = valueOf(rule.type, text);
  if (value === undefined || value === null) return { value: null, why: "", unreadable: value === undefined };
  const factor = rule.type === "quantity" ? rule.units[control("u", name)?.value ?? config.units[split(name)[0]]] : null;
  return { value: factor ? (value * factor[0]) / factor[1] + factor[2] : value, why: "" };
}

// --- what it amounts to ---------------------------------------------------------------------------------------

function refresh() {
  const entries = Object.fromEntries(names.map((name) => [name, entryOf(name)]));
  for (const [name, told] of Object.entries(instruments)) entries[name] = { value: told.value, why: told.why };
  const result = evaluate(rules, entries, config.outside);
  const found = {};
  for (const finding of result.findings) (found[finding.item] ??= []).push(config.checks[finding.check] ?? config.sizes[finding.check]);
  for (const name of names) draw(name, entries[name], result.values.get(name), found[name] ?? []);
  for (const [name, entry] of result.values) if (!(name in entries) || name in instruments) drawComputed(name, entry);
  drawReason();
}

const row = (name) => document.querySelector(`[data-field="${CSS.escape(name)}"]`);

function draw(name, entry, value, found) {
  const place = row(name);
  const isUnasked = value?.why === "not_applicable" && entry.value === null && !entry.why && !textOf(name);
  place.dataset.state = isUnasked ? "unasked" : "asked";
  control("w", name)?.classList.toggle("chosen", Boolean(control("w", name).value));
  const list = document.querySelector(`[data-found="${CSS.escape(name)}"]`);
  const lines = found.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
  if (entry.unreadable && document.activeElement !== control("v", name)) {
    lines.unshift(Object.assign(document.createElement("li"), { className: "wrong", textContent: config.texts.not_readable }));
  }
  const before = [...list.children].map((line) => line.textContent).join("\n");
  if (before !== lines.map((line) => line.textContent).join("\n")) list.replaceChildren(...lines);
  drawStandard(name, entry);
  drawFlag(name, entry);
}

function drawFlag(name, entry) {
  const range = config.ranges[split(name)[0]], flag = document.querySelector(`[data-flag="${CSS.escape(name)}"]`);
  if (!range || !flag) return;
  const isNumber = typeof entry.value === "number" && !entry.outcome;
  const isLow = isNumber && range.low !== null && entry.value < range.low;
  const isHigh = isNumber && range.high !== null && entry.value > range.high;
  flag.textContent = isLow ? range.is_low : isHigh ? range.is_high : "";
}

function drawStandard(name, entry) {
  const unit = control("u", name), standard = document.querySelector(`[data-standard="${CSS.escape(name)}"]`);
  if (!unit || !standard) return;
  const shown = unit.options?.[0]?.textContent ?? "";
  const converted = entry.value !== null && !entry.outcome && unit.selectedIndex > 0;
  standard.textContent = converted ? `= ${trimmed(rounded(entry.value, 4))} ${shown}` : "";
}

const trimmed = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

function drawComputed(name, entry) {
  const output = document.getElementById(`f.${name}`);
  if (!output) return;
  const told = instruments[name];
  const text = told ? told.shown : computedText(name, entry);
  if (output.textContent !== text) output.textContent = text;
}

function computedText(name, entry) {
  if (entry.value === null) return entry.why && entry.why !== "not_asked" ? `(${config.missing[entry.why] ?? entry.why})` : "";
  if (typeof entry.value === "boolean") return entry.value ? config.texts.yes : config.texts.no;
  const rule = rules.items[split(name)[0]];
  const shown = config.shown_units[split(name)[0]] ?? "";
  return `${entry.text ?? shownText(rule.type, String(entry.value))} ${shown}`.trim();
}

// A reason is asked for values that were recorded and are changed now, and for no others.
function drawReason() {
  const block = document.getElementById("reason-block");
  if (!block) return;
  const changed = names.filter((name) => config.recorded.includes(name) && differs(name));
  block.classList.toggle("unneeded", changed.length === 0 && !config.left_out);
  document.getElementById("reason-for").textContent = changed.length
    ? `(${changed.map((name) => config.labels[name] ?? name).join(", ")})` : "";
}

const base = config.base;
function differs(name) {
  const known = base[name] ?? {};
  const kind = rules.items[split(name)[0]].type;
  const text = shownText(kind, normalText(kind, textOf(name), config.today));
  const units = rules.items[split(name)[0]].units;
  const unit = text && Object.keys(units).length > 1 ? control("u", name)?.value : known.unit;
  return text !== (known.text ?? "") || (control("w", name)?.value ?? "") !== (known.why ?? "") ||
    (control("s", name)?.value ?? "") !== (known.source ?? "") || (unit ?? "") !== (known.unit ?? "");
}

// --- keys -----------------------------------------------------------------------------------------------------

// Entries in order, one of each group of buttons: the chosen one, else the first.
function entries() {
  const found = [...form.querySelectorAll("[data-entry]")].filter((e) => e.offsetParent !== null || e.type === "radio");
  return found.filter((element) => {
    if (element.type !== "radio") return true;
    if (element.closest("[data-field]")?.offsetParent === null) return false;
    const group = [...form.querySelectorAll(`input[name="${CSS.escape(element.name)}"]`)];
    return element === (group.find((one) => one.checked) ?? group[0]);
  });
}

function step(from, by) {
  const all = entries();
  const here = all.findIndex((element) => element === from || (from.name && element.name === from.name && from.type === "radio"));
  const beside = here < 0 ? all.findIndex((e) => from.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING) - by : here;
  const next = all[beside + by];
  (next ?? (by > 0 ? form.querySelector('[value="save_next"]') : all[0])).focus();
  if (next?.select) next.select();
}

let digits = "", digitsAt = 0;
function pick(radio, key, at) {
  const group = [...form.querySelectorAll(`input[name="${CSS.escape(radio.name)}"]`)];
  const longer = at - digitsAt < 900 ? group.find((one) => one.dataset.digit === digits + key) : undefined;
  const found = longer ?? group.find((one) => one.dataset.digit === key);
  const letters = { y: "true", j: "true", n: "false" };
  const chosen = found ?? (radio.dataset.kind === "boolean" ? group.find((one) => one.value === letters[key.toLowerCase()]) : undefined);
  digits = longer ? digits + key : key;
  digitsAt = at;
  if (!chosen) return false;
  chosen.checked = true;
  chosen.focus();
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const wide = event.ctrlKey || event.metaKey;
  if (wide && event.key.toLowerCase() === "s") {
    event.preventDefault();
    act("save");
  } else if (wide && event.key === "Enter") {
    event.preventDefault();
    act("save_next");
  } else if (event.key === "Enter" && event.target.form === form && event.target.tagName !== "BUTTON" && !event.shiftKey) {
    // Scanners send Enter; it goes to the next field and never sends the form.
    if (event.target.tagName === "TEXTAREA" && !event.target.dataset.entry && event.target.dataset.entry !== "") return;
    event.preventDefault();
    step(event.target, 1);
  } else if (event.target.type === "radio" && !wide && !event.altKey && event.target.form === form) {
    if (/^[0-9a-z]$/i.test(event.key) && pick(event.target, event.key, event.timeStamp)) event.preventDefault();
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      for (const one of form.querySelectorAll(`input[name="${CSS.escape(event.target.name)}"]`)) one.checked = false;
      event.target.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
});

// --- fields ---------------------------------------------------------------------------------------------------

form.addEventListener("input", (event) => changed(event.target));
form.addEventListener("change", (event) => {
  const element = event.target;
  if (element.name?.startsWith("v.") || element.name === "visit_date") tidy(element);
  // A reason instead of a value, or a value instead of a reason: the newer one stays.
  if (element.name?.startsWith("w.") && element.value) empty(element.name.slice(2));
  changed(element);
});

function tidy(element) {
  const kind = element.dataset.kind;
  const why = element.name.startsWith("v.") ? control("w", element.name.slice(2)) : null;
  const short = config.shorthand[element.value.trim().toLowerCase()];
  if (short && why && [...why.options].some((option) => option.value === short)) {
    why.value = short;
    element.value = "";
    return;
  }
  if (kind !== "text" && (isDate(kind) || element.type !== "radio") && element.tagName === "INPUT") {
    element.value = shownText(kind, normalText(kind, element.value, config.today));
  }
  if (why?.value && element.value) why.value = "";
}

function empty(name) {
  for (const element of [control("v", name)].flatMap((e) => (e instanceof RadioNodeList ? [...e] : [e]))) {
    if (element.type === "radio") element.checked = false;
    else element.value = "";
  }
}

function changed(element) {
  if (!element.name) return;
  if (/^[vuws]\./.test(element.name)) refresh();
  else if (!/^(reason|source|visit_date)$/.test(element.name)) return;
  clearTimeout(timer);
  timer = setTimeout(keep, 1200);
}

let focused = form.elements.focus.value;
form.addEventListener("focusin", (event) => {
  const name = event.target.closest("[data-field]")?.dataset.field;
  if (name && name !== focused) showMargin(name);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-look]");
  if (!button) return;
  event.preventDefault();
  document.getElementById(`f.${button.dataset.look}`)?.focus({ preventScroll: false });
  showMargin(button.dataset.look);
});

let marginTimer = 0;
function showMargin(name) {
  focused = form.elements.focus.value = name;
  clearTimeout(marginTimer);
  // While somebody types from field to field nothing is fetched.
  marginTimer = setTimeout(async () => {
    const answer = await fetch(`${config.address}margin/${name}/`, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const text = await answer.text();
    const margin = document.getElementById("margin");
    const isInUse = margin.contains(document.activeElement) || [...margin.querySelectorAll("textarea")].some((e) => e.value);
    if (focused === name && !isInUse) margin.innerHTML = text; // a part of our own page, drawn by our own server
  }, 350);
}

// --- drafts ---------------------------------------------------------------------------------------------------

let elsewhere = ""; // when another window of the same person kept a draft of this form
const isUnsent = () => JSON.stringify(snapshot()) !== sent;

function keep() {
  clearTimeout(timer);
  if (!isUnsent()) return busy;
  busy = busy.then(keepNow);
  return busy;
}

async function keepNow() {
  const content = JSON.stringify(snapshot());
  const told = await post("draft");
  if (!told) return;
  sent = content;
  quiet();
  instruments = told.instruments ?? instruments;
  refresh();
  kept.hidden = !told.kept_at;
  kept.firstElementChild.textContent = told.kept_at ? config.texts.kept.replace("{time}", told.kept_at) : "";
  elsewhere = told.elsewhere || elsewhere;
  if (elsewhere) warn(config.texts.elsewhere.replace("{time}", elsewhere));
  if (told.moved) warn(config.texts.moved.replace("{by}", told.moved.by).replace("{at}", told.moved.at), told.moved.location, config.texts.compare);
}

// Sends the form with an act; null where it did not arrive, which is said and tried again.
async function post(name, extra = {}) {
  const body = new URLSearchParams(new FormData(form));
  body.set("act", name);
  let answer;
  try {
    answer = await fetch(config.address, { method: "POST", body, headers: { Accept: "application/json" }, ...extra });
  } catch {
    warn(config.texts.offline);
    retry();
    return null;
  }
  if (answer.redirected || answer.status === 403) {
    if (!(await renewed())) {
      warn(config.texts.signed_out, config.login, config.texts.sign_in, true);
      retry();
      return null;
    }
    return post(name, extra);
  }
  if (!(answer.headers.get("Content-Type") ?? "").includes("json")) {
    warn(config.texts.not_saved);
    retry();
    return null;
  }
  rest();
  return answer.json();
}

// Somebody signed in again elsewhere: this page goes on if it is the same person at the same desk.
async function renewed() {
  const answer = await fetch(config.token, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return false;
  const told = await answer.json().catch(() => null);
  if (!told || told.person !== config.person || told.role !== config.role) return false;
  const isNew = form.elements.csrfmiddlewaretoken.value !== told.token;
  form.elements.csrfmiddlewaretoken.value = told.token;
  return isNew;
}

function retry() {
  clearTimeout(timer);
  timer = setTimeout(keep, 4000);
}

function warn(text, location, label, isNewWindow = false) {
  alarm.textContent = text;
  if (location) {
    const link = Object.assign(document.createElement("a"), { href: location, textContent: label });
    if (isNewWindow) link.target = "_blank";
    alarm.append(" ", link);
  }
  alarm.hidden = false;
}

function quiet() {
  alarm.hidden = true;
}

// Left alone, the page goes back to the sign-in when its session ends, and shows nothing any more.
function rest() {
  clearTimeout(idle);
  idle = setTimeout(() => isUnsent() || location.reload(), (config.idle * 60 + 65) * 1000);
}

// Leaving within the last second keeps the draft all the same.
window.addEventListener("pagehide", () => {
  if (isUnsent() && !leaving) post("draft", { keepalive: true });
});
window.addEventListener("online", keep);

// --- acts -----------------------------------------------------------------------------------------------------

let leaving = false;
form.addEventListener("submit", (event) => {
  const name = event.submitter?.value ?? "";
  event.preventDefault();
  if (name) act(name);
});

async function act(name) {
  clearTimeout(timer);
  for (const element of form.querySelectorAll("[data-entry]")) if (element === document.activeElement) tidy(element);
  await busy;
  const told = await post(name);
  if (!told) return;
  if (told.location) {
    leaving = true;
    sent = JSON.stringify(snapshot());
    const target = new URL(told.location, location.href);
    if (target.pathname + target.search === location.pathname + location.search) location.reload();
    else location.assign(target);
    return;
  }
  sent = JSON.stringify(snapshot());
  showTrouble(told, /^(?:void|leave_out)/.test(name));
}

function showTrouble({ error, fields }, isWhole) {
  document.getElementById("refused")?.remove();
  document.querySelector(".form-done")?.remove();
  const box = document.createElement("div");
  box.className = "ds-alert refused";
  box.id = "refused";
  box.tabIndex = -1;
  box.dataset.color = "danger";
  box.dataset.code = error.error;
  box.setAttribute("role", "alert");
  const head = Object.assign(document.createElement("h2"), { className: "ds-heading", textContent: config.texts.not_saved });
  head.dataset.size = "xs";
  const what = Object.assign(document.createElement("p"), { textContent: error.message });
  const todo = document.createElement("p");
  todo.append(Object.assign(document.createElement("strong"), { textContent: config.texts.to_do }), ` ${error.remedy}`);
  box.append(head, what, todo);
  if (error.details) {
    const details = Object.assign(document.createElement("details"), { className: "said" });
    const said = Object.assign(document.createElement("p"), { textContent: error.details, lang: "en" });
    details.append(Object.assign(document.createElement("summary"), { textContent: config.texts.details }), said);
    box.append(details);
  }
  form.before(box);
  for (const old of document.querySelectorAll(".has-error")) old.classList.remove("has-error");
  for (const [name, text] of Object.entries(fields ?? {})) {
    row(name)?.classList.add("has-error");
    const list = document.querySelector(`[data-found="${CSS.escape(name)}"]`);
    for (const old of list?.querySelectorAll(".wrong") ?? []) old.remove();
    list?.prepend(Object.assign(document.createElement("li"), { className: "wrong", textContent: text }));
  }
  const first = Object.keys(fields ?? {})[0];
  if (first) (document.getElementById(`f.${first}`) ?? box).focus();
  else if (error.error === "capture.reason_missing" && isWhole) document.getElementById("reason-whole").focus();
  else if (error.error === "capture.reason_missing") {
    document.getElementById("reason-block")?.classList.remove("unneeded");
    document.getElementById("reason")?.focus();
  } else box.focus();
}

// --- picker ---------------------------------------------------------------------------------------------------

for (const place of document.querySelectorAll(".picker")) {
  const target = document.getElementById(place.dataset.for);
  const hidden = Object.assign(document.createElement("input"), { type: "date", tabIndex: -1 });
  hidden.setAttribute("aria-hidden", "true");
  const button = Object.assign(document.createElement("button"), { type: "button", tabIndex: -1, title: config.texts.calendar });
  button.setAttribute("aria-label", config.texts.calendar);
  button.append(document.querySelector("#calendar-icon").content.cloneNode(true));
  button.addEventListener("click", () => hidden.showPicker?.());
  hidden.addEventListener("change", () => {
    target.value = shownText("date", hidden.value);
    target.dispatchEvent(new Event("change", { bubbles: true }));
    target.focus();
  });
  place.append(button, hidden);
}

rest();
refresh();
const start = focused ? document.getElementById(`f.${focused}`) : null;
if (document.getElementById("refused")) document.getElementById("refused").focus();
else if (start) start.focus();
else if (!location.hash) entries()[0]?.focus({ preventScroll: true });
