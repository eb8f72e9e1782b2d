// Ticks every value that waits, for a form that was compared as a whole; Ctrl+Enter sends.
const button = document.querySelector("[data-tick-wanted]");
const boxes = [...document.querySelectorAll("[data-wanted]")];
if (button && boxes.length) {
  button.hidden = false;
  button.addEventListener("click", () => boxes.forEach((box) => (box.checked = true)));
}
const form = document.querySelector("form.verify");
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("button[type=submit]:not(:disabled)"));
  }
});
