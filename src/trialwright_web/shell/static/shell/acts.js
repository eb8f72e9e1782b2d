// Enter goes to the next field and never sends or wipes anything: scanners end each code with it.
// Ctrl+Enter sends. Without this script Enter does nothing at all (the form's first button is disabled).

const FIELDS = "input:not([type=hidden]):not(:disabled), select:not(:disabled), textarea:not(:disabled)";

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
