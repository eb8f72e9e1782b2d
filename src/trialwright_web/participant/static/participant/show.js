// Lets somebody with poor sight or unsteady hands see the code or password they type; hidden again before it is sent.
for (const choice of document.querySelectorAll("[data-shows]")) {
  const box = choice.querySelector("input");
  const fields = choice.dataset.shows.split(" ").map((id) => document.getElementById(id));
  const show = (shown) => fields.forEach((field) => (field.type = shown ? "text" : "password"));
  choice.hidden = false;
  box.checked = false;
  box.addEventListener("change", () => show(box.checked));
  choice.closest("form").addEventListener("submit", () => show(false));
}
