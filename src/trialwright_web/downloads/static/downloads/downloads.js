// Looks every few seconds whether the files that were asked for are there, and shows the list anew when they are.
// Nothing else on the page moves; without this script the link "Look again" does the same.

const PAUSE = 3000;
let tries = 100; // then somebody has to ask: a page left open must not keep its session alive

async function look() {
  const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  if (answer && answer.ok && answer.url === location.href) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [before, after] = [document, page].map((one) => one.querySelector("[aria-labelledby=files]"));
    if (before && after && before.innerHTML !== after.innerHTML) before.replaceWith(after);
    if (!after || !("unfinished" in after.dataset)) return;
  }
  if (--tries > 0) setTimeout(look, PAUSE);
}

setTimeout(look, PAUSE);
