// Counts down the hours of a clock on the page; what stands in the record decides, not this.
// The rehearsed time of a demonstration is not the browser's: only the time that passed here is taken off.
const opened = performance.now();
const clocks = [...document.querySelectorAll("[data-ends]")]
  .map((element) => ({ element, match: /^(\d+):(\d\d) (\S+)$/.exec(element.textContent.trim()) }))
  .filter((clock) => clock.match)
  .map(({ element, match }) => ({ element, minutes: Number(match[1]) * 60 + Number(match[2]), unit: match[3] }));

function draw() {
  const passed = Math.floor((performance.now() - opened) / 60000);
  for (const { element, minutes, unit } of clocks) {
    const left = Math.max(0, minutes - passed);
    element.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} ${unit}`;
  }
}

if (clocks.length) setInterval(draw, 20000);
