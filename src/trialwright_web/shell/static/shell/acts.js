// Enter goes to the next field and never sends or wipes anything: scanners end each code with it.
// Ctrl+Enter sends. Without this script Enter does nothing at all (the form's first button is disabled).

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

// A calendar beside days and times, for whoever would rather point than type. The keyboard passes it by.
const icon = document.getElementById("calendar-icon");
const dotted = (text) => text.split("-").reverse().join(".");

for (const field of icon ? document.querySelectorAll("[data-picker]") : []) {
  const hidden = Object.assign(document.createElement("input"), { type: field.dataset.picker, tabIndex: -1, className: "picker-value" });
  hidden.setAttribute("aria-hidden", "true");
  const button = Object.assign(document.createElement("button"), { type: "button", tabIndex: -1, title: icon.dataset.words, className: "picker-button" });
  button.setAttribute("aria-label", icon.dataset.words);
  button.append(icon.content.cloneNode(true));
  button.addEventListener("click", () => hidden.showPicker?.());
  hidden.addEventListener("change", () => {
    const [day, time] = hidden.value.split("T");
    field.value = [dotted(day), time].filter(Boolean).join(" ");
    field.focus();
  });
  const place = Object.assign(document.createElement("span"), { className: "act-picker" });
  place.append(button, hidden);
  field.after(place);
}
