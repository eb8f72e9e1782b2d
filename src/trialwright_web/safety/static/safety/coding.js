// Searches while somebody types; without it the search is a form of its own.
const form = document.getElementById("search");
let waiting = 0;
let asked = 0;

async function search(text) {
  const mine = ++asked;
  const address = new URL(location.href);
  address.searchParams.set("q", text);
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["choices", "found"]) {
    const now = document.getElementById(id);
    const found = page.getElementById(id);
    if (now && found) now.replaceChildren(...found.childNodes);
  }
}

form?.elements.q.addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => search(event.target.value), 150);
});
