// Enter goes to the next field and never sends or wipes anything: scanners end each code with it.
// Ctrl+Enter sends. Without this script Enter does nothing at all (the form's first button is disabled).

import { momentOf, normalText, valueOf, written } from "./typed.js";

const FIELDS = "input:not([type=hidden]):not(:disabled):not([tabindex='-1']), select:not(:disabled), textarea:not(:disabled)";

function next(field) {
  const fields = [...field.form.querySelectorAll(FIELDS)].filter((one) => one.offsetParent !== null);
  const later = fields.slice(fields.indexOf(field) + 1);
  // One stop for a group of radio buttons.
  return later.find((one) => one.type !== "radio" || one.name !== field.name);
}

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (event.key !== "Enter" || !field.form || field.form.dataset.enter !== "next") return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    field.form.requestSubmit(field.form.querySelector("button[type=submit]:not(:disabled)"));
    return;
  }
  if (!field.matches("input, select")) return;
  event.preventDefault();
  const following = next(field);
  if (following) {
    following.focus();
    following.select?.();
  }
});

const refused = document.getElementById("refused");
const first = document.querySelector(".act-form input:not([type=hidden]), .act-form select, .act-form textarea");
if (refused) refused.focus();
else if (first && !first.value && first.type !== "password") first.focus();

// Beside days and times: a calendar, for whoever would rather point than type (the keyboard passes it by), and how
// what is typed is read.
const words = document.getElementById("calendar-icon");
const dotted = (text) => text.split("-").reverse().join(".");

function readAs(field) {
  const text = field.value.trim();
  if (field.dataset.picker === "datetime-local") return momentOf(text, words.dataset.today);
  return valueOf("partial_date", normalText("partial_date", text, words.dataset.today)) || undefined;
}

function withReading(field) {
  const output = Object.assign(document.createElement("output"), { className: "read-as" });
  output.htmlFor = field.id;
  const show = (isLeft) => {
    const iso = readAs(field);
    const text = iso ? `= ${written(iso, document.documentElement.lang)}` : isLeft && field.value.trim() ? words.dataset.unread : "";
    if (output.textContent !== text) output.textContent = text;
  };
  field.addEventListener("input", () => show(false));
  field.addEventListener("change", () => show(true));
  show(true);
  return output;
}

function withCalendar(field) {
  const hidden = Object.assign(document.createElement("input"), { type: field.dataset.picker, tabIndex: -1, className: "picker-value" });
  hidden.setAttribute("aria-hidden", "true");
  const button = Object.assign(document.createElement("button"), { type: "button", tabIndex: -1, title: words.dataset.words, className: "picker-button" });
  button.setAttribute("aria-label", words.dataset.words);
  button.append(words.content.cloneNode(true));
  button.addEventListener("click", () => hidden.showPicker?.());
  hidden.addEventListener("change", () => {
    const [day, time] = hidden.value.split("T");
    field.value = [dotted(day), time].filter(Boolean).join(" ");
    field.dispatchEvent(new Event("change"));
    field.focus();
  });
  const place = Object.assign(document.createElement("span"), { className: "act-picker" });
  place.append(button, hidden);
  return place;
}

for (const field of words ? document.querySelectorAll("[data-picker]") : []) field.after(withCalendar(field), withReading(field));
