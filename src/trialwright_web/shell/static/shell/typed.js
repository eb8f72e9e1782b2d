// How people type, read as shell/typed.py and capture/form_entry.py read it: the same table of cases tests both.

const NUMBERS = new Set(["integer", "decimal", "quantity", "scale"]);
const TODAY = /^t(?:([+-])([0-9]{1,3}))?$/i;
const RUN_ON = /^([0-9]{2}|UN)([0-9]{2}|UN)([0-9]{4}|[0-9]{2})$/i;
const PARTED = /^([0-9]{1,2}|UN)[. /-]([0-9]{1,2}|UN)[. /-]([0-9]{4}|[0-9]{2})$/i;
const MONTH = /^([0-9]{1,2})[./]([0-9]{4})$/;
const ISO = /^([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?$/;
const DOTTED = /^([0-9]{1,2}|UN)\.([0-9]{1,2}|UN)\.([0-9]{4})$/i;
const CLOCK = /^([0-9]{1,2})[.: ]?([0-9]{2})$/;
const ALONE = /^[0-9]{1,2}:?[0-9]{2}$/;
const MOMENT = /^(.*?[^, ])(?:,? +|T(?=[0-9]))([0-9]{1,2}[.: ]?[0-9]{2})$/;
const two = (number) => String(Number(number)).padStart(2, "0");

export const isDate = (kind) => kind === "date" || kind === "partial_date";
export const isNumber = (kind) => NUMBERS.has(kind);

export function normalText(kind, typed, today) {
  const text = typed.trim();
  if (isDate(kind)) return normalDate(text, today);
  if (isNumber(kind)) return text.replace(/[ \u00a0\u202f]/g, "").replaceAll(",", ".").replaceAll("\u2212", "-");
  return kind === "time" ? normalClock(text) : text;
}

function normalClock(text) {
  const found = CLOCK.exec(text);
  return found ? `${two(found[1])}:${found[2]}` : text;
}

// A day with a time, or a time alone, which is today's, as "2028-02-15T09:30"; undefined where it is none.
// With an offset of its own it is the server's to read.
export function momentOf(typed, today) {
  const text = typed.trim();
  const found = ALONE.test(text) ? [text, today, text] : MOMENT.exec(text);
  if (!found) return undefined;
  const day = dateValue("date", normalDate(found[1], today)), clock = normalClock(found[2]);
  return day && valueOf("time", clock) ? `${day}T${clock}` : undefined;
}

// A day, a month, a year or a moment as "Tue, 15 Feb 2028, 09:30" in the reader's language.
export function written(iso, language) {
  const [day, clock] = iso.split("T");
  const parts = day.split("-").length;
  const shown = { year: "numeric", ...(parts > 1 && { month: "long" }), ...(parts > 2 && { day: "numeric", weekday: "short" }) };
  // Not every browser knows nynorsk; its readers read bokmål before English.
  const format = new Intl.DateTimeFormat([language, "nb", "en-GB"].map((one) => (one === "en" ? "en-GB" : one)), { ...shown, timeZone: "UTC" });
  return [format.format(Date.parse(`${day}${parts === 1 ? "-01-01" : parts === 2 ? "-01" : ""}T00:00:00Z`)), clock].filter(Boolean).join(" · ");
}

function normalDate(text, today) {
  let found = TODAY.exec(text);
  if (found) {
    const days = Number(found[2] ?? 0) * (found[1] === "-" ? -1 : 1);
    return new Date(Date.parse(`${today}T00:00:00Z`) + days * 86400000).toISOString().slice(0, 10);
  }
  found = RUN_ON.exec(text) ?? PARTED.exec(text);
  if (found) return dated(found[1], found[2], found[3].length === 4 ? found[3] : century(found[3], today));
  found = MONTH.exec(text);
  return found ? dated("UN", found[1], found[2]) : text;
}

function dated(day, month, year) {
  const noDay = day.toUpperCase() === "UN";
  if (month.toUpperCase() === "UN") return noDay ? year : `${day}.${month}.${year}`;
  return `${year}-${two(month)}${noDay ? "" : `-${two(day)}`}`;
}

function century(year, today) {
  const latest = Number(today.slice(0, 4)) + 1;
  return String(latest - ((latest - Number(year)) % 100));
}

// As people read it: dates with dots.
export function shownText(kind, text) {
  const found = isDate(kind) ? ISO.exec(text) : null;
  if (found) return `${found[3] ?? "UN"}.${found[2]}.${found[1]}`;
  return kind === "partial_date" && /^[0-9]{4}$/.test(text) ? `UN.UN.${text}` : text;
}

// A readable text as expressions see it, or undefined where it cannot be a value of its kind.
export function valueOf(kind, text) {
  if (text === "") return null;
  if (isNumber(kind)) {
    const readable = kind === "integer" || kind === "scale" ? /^-?[0-9]{1,15}$/ : /^-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/;
    return readable.test(text) && text.length <= 40 ? Number(text) : undefined;
  }
  if (isDate(kind)) return dateValue(kind, text);
  if (kind === "boolean") return text === "true" ? true : text === "false" ? false : undefined;
  if (kind === "time") return /^([01][0-9]|2[0-3]):[0-5][0-9]$/.test(text) ? text : undefined;
  return text;
}

function dateValue(kind, text) {
  const dotted = DOTTED.exec(text);
  const iso = dotted ? dated(dotted[1], dotted[2], dotted[3]) : text;
  const found = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$/.exec(iso);
  if (!found || found[1] < "1800" || found[1] > "2199") return undefined;
  if (found[2] && !(found[2] >= "01" && found[2] <= "12")) return undefined;
  const days = found[2] ? new Date(Date.UTC(Number(found[1]), Number(found[2]), 0)).getUTCDate() : 0;
  if (found[3] && !(Number(found[3]) >= 1 && Number(found[3]) <= days)) return undefined;
  return kind === "date" && !found[3] ? undefined : iso;
}
