// Arrow keys walk over the matrix like over a sheet: one stop for the Tab key, Enter opens the visit.

const table = document.querySelector("[data-matrix]");

if (table) {
  const rows = [...table.tBodies[0].rows];
  const links = table.tBodies[0].querySelectorAll("a");
  for (const link of links) link.tabIndex = -1;
  links[0].tabIndex = 0;

  const linkIn = (row, column) => rows[row]?.cells[column]?.querySelector("a");

  function search(row, column, down, right) {
    for (let r = row + down, c = column + right; rows[r] && c >= 0 && c < rows[r].cells.length; r += down, c += right) {
      const found = linkIn(r, c);
      if (found) return found;
    }
    return null;
  }

  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  table.addEventListener("keydown", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.altKey || event.metaKey) return;
    const cell = link.closest("td, th");
    const row = rows.indexOf(cell.parentElement);
    let next = null;
    if (MOVES[event.key]) next = search(row, cell.cellIndex, ...MOVES[event.key]);
    else if (event.key === "Home") next = linkIn(event.shiftKey ? 0 : row, 0);
    else if (event.key === "End") next = [...rows[row].querySelectorAll("a")].at(-1);
    else return;
    event.preventDefault();
    next?.focus();
  });

  table.addEventListener("focusin", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    table.querySelector("a[tabindex='0']").tabIndex = -1;
    link.tabIndex = 0;
    // The sticky column would cover what lies under it.
    link.closest("td")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}
