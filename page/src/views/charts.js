// Plots of one run. Colours are the page's own, so that they follow dark and light.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { VERDICTS } from "../data/samples.js";
import { Drawn, percent, whole } from "./parts.js";

const GROUPS = 10;
const FEWEST = 20; // samples, for length against accuracy

// `said` is what a screen reader says in place of the drawing.
function Chart({ title, note, said, options, inputs }) {
  const draw = (place) => {
    const drawing = Plot.plot({
      height: 236,
      width: Math.min(560, Math.max(280, place.clientWidth || 400)),
      marginLeft: 44,
      marginBottom: 44,
      style: { background: "none", fontFamily: "inherit", fontSize: "12px", color: "inherit", overflow: "visible" },
      ...options,
    });
    for (const part of drawing.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", said ? `${title}: ${said}` : title);
    place.append(drawing);
  };
  return html`<figure>
    <figcaption>${title}${note && html` <small>${note}</small>`}</figcaption>
    <${Drawn} draw=${draw} inputs=${inputs} />
  </figure>`;
}

const share = { percent: true, grid: true, label: "%", labelArrow: "none" };

export function PassAtK({ points }) {
  const band = points.filter((point) => point.low !== null);
  return html`<${Chart}
    title="pass@k"
    note="with its 95% interval"
    said=${points.map((point) => `${percent(point.value)}% at ${point.k}`).join(", ")}
    inputs=${[points]}
    options=${{
      x: { label: "k", type: points.length > 6 ? "log" : "linear", ticks: points.map((point) => point.k), tickFormat: "d", labelArrow: "none", labelOffset: 38 },
      y: { ...share, nice: true },
      marks: [
        Plot.areaY(band, { x: "k", y1: "low", y2: "high", fill: "currentColor", fillOpacity: 0.12 }),
        Plot.lineY(points, { x: "k", y: "value", stroke: "var(--accent)", strokeWidth: 2 }),
        Plot.dot(points, { x: "k", y: "value", r: 3, fill: "var(--accent)" }),
      ],
    }}
  />`;
}

export function LengthByVerdict({ rows, samples }) {
  const { out, verdict } = samples.columns;
  const known = rows.filter((row) => out[row] !== null);
  const present = VERDICTS.filter((name) => known.some((row) => verdict[row] === name));
  if (known.length === 0) return null;
  return html`<${Chart}
    title="Completion tokens by verdict"
    note="samples in each range of lengths"
    said=${present.map((name) => `${name}, median ${whole(median(known.filter((row) => verdict[row] === name).map((row) => out[row])))} tokens`).join("; ")}
    inputs=${[rows]}
    options=${{
      color: { domain: present, range: present.map((name) => `var(--${name})`), legend: false },
      x: { label: "tokens", labelArrow: "none", labelOffset: 38 },
      y: { label: "samples", grid: true, labelArrow: "none" },
      marks: [
        Plot.rectY(
          known,
          Plot.binX({ y: "count" }, { x: (row) => out[row], fill: (row) => verdict[row], thresholds: 30, order: present, insetRight: 0.5 }),
        ),
        Plot.ruleY([0]),
      ],
    }}
  />`;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

// Ten groups of the same size, shortest first: {tokens: their median, share, low, high, n}; Wilson's intervals of 95%.
export function lengthGroups(rows, samples) {
  const { out, verdict } = samples.columns;
  const known = rows.filter((row) => out[row] !== null && !["failed", "pending"].includes(verdict[row]));
  if (known.length < FEWEST) return [];
  known.sort((a, b) => out[a] - out[b]);
  const size = known.length / Math.min(GROUPS, Math.floor(known.length / 5));
  const groups = [];
  for (let start = 0; Math.round(start) < known.length; start += size) {
    const members = known.slice(Math.round(start), Math.round(start + size));
    const right = members.filter((row) => verdict[row] === "correct").length;
    groups.push({ tokens: out[members[members.length >> 1]], n: members.length, ...wilson(right, members.length) });
  }
  return groups;
}

function wilson(right, n) {
  const z = 1.959964;
  const middle = (right + (z * z) / 2) / (n + z * z);
  const half = (z / (n + z * z)) * Math.sqrt((right * (n - right)) / n + (z * z) / 4);
  return { share: right / n, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

export function LengthAgainstAccuracy({ rows, samples }) {
  const groups = lengthGroups(rows, samples);
  if (groups.length === 0) return null;
  return html`<${Chart}
    title="Accuracy by length"
    note=${`${groups.length} groups of about ${groups[0].n} samples, shortest first; 95% interval as if samples were independent`}
    said=${groups.map((group) => `${percent(group.share, 0)}% at ${whole(group.tokens)} tokens`).join(", ")}
    inputs=${[rows]}
    options=${{
      x: { label: "tokens (median of the group)", labelArrow: "none", labelOffset: 38 },
      y: { ...share, domain: [0, 100] },
      marks: [
        Plot.ruleX(groups, { x: "tokens", y1: "low", y2: "high", stroke: "currentColor", strokeOpacity: 0.35, strokeWidth: 2 }),
        Plot.lineY(groups, { x: "tokens", y: "share", stroke: "var(--accent)", strokeWidth: 1.5 }),
        Plot.dot(groups, { x: "tokens", y: "share", r: 3, fill: "var(--accent)" }),
      ],
    }}
  />`;
}
