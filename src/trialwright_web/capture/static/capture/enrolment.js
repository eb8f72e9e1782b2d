// The curve as a live chart: values follow the pointer. Without this script the server's drawing stays.

import uPlot from "../vendor/uplot-1.6.32.esm.js";

const place = document.querySelector("[data-chart]");
const data = JSON.parse(document.getElementById("enrolment-chart").textContent);

if (place && data[0].length > 1) {
  const words = place.dataset;
  const { color, fontFamily } = getComputedStyle(place);
  const day = (uplot, seconds) => (seconds == null ? "–" : new Date(seconds * 1000).toLocaleDateString("nb"));
  const number = (uplot, value) => value ?? "–";
  const axis = { stroke: color, font: `12px ${fontFamily}`, grid: { stroke: "#d6dae0", width: 1 }, ticks: { show: false } };
  const options = {
    width: place.clientWidth,
    height: 260,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { y: { range: (_, low, high) => [0, Math.max(4, Math.ceil(high * 1.05))] } },
    axes: [
      { ...axis, values: (_, splits) => splits.map((s) => new Date(s * 1000).toISOString().slice(2, 7).split("-").reverse().join(".")) },
      { ...axis, size: 40 },
    ],
    series: [
      { label: words.day, value: day },
      { label: words.included, value: number, stroke: "#0062ba", width: 2, fill: "rgba(0, 98, 186, 0.1)", paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
      { label: words.planned, value: number, stroke: "#5a6472", width: 2, dash: [6, 4], spanGaps: true, points: { show: false } },
    ],
  };
  const figure = place.querySelector("figure");
  const chart = new uPlot(options, data, place);
  chart.root.setAttribute("role", "img");
  chart.root.setAttribute("aria-label", figure.querySelector("svg").getAttribute("aria-label"));
  figure.hidden = true;
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 260 })).observe(place);
}
