// Small parts that every view uses.

import { html } from "htm/preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { pieces } from "../text/invisible.js";

// Text from outside, in one line: text nodes, with what is not seen written out.
export function Text({ of }) {
  if (of === null || of === undefined) return html`<span class="absent">none</span>`;
  const shown = pieces(String(of)).map(([piece, invisible]) =>
    invisible ? html`<span class="invisible" title="a character that is not seen">${piece}</span>` : piece,
  );
  return html`<bdi>${shown}</bdi>`;
}

export function Verdict({ of }) {
  return html`<span class="verdict ${of}">${of}</span>`;
}

export function CopyButton({ text, label, name }) {
  const [said, say] = useState("");
  const copy = async () => {
    say((await copied(text())) ? "copied" : "could not copy");
    setTimeout(() => say(""), 2000);
  };
  return html`<button type="button" class="quiet ${name ?? ""}" onClick=${copy}>
    ${label}<span class="said" role="status">${said && ` (${said})`}</span>
  </button>`;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

// An element that `draw(element)` fills, anew whenever one of `inputs` has changed.
export function Drawn({ draw, inputs, tag = "div", ...attributes }) {
  const place = useRef(null);
  useLayoutEffect(() => {
    place.current.replaceChildren();
    draw(place.current);
  }, inputs);
  return html`<${tag} ref=${place} ...${attributes} />`;
}

export const percent = (share, digits = 1) => (share === null || share === undefined ? "–" : (100 * share).toFixed(digits));
export const whole = (number) => (number === null || number === undefined ? "–" : Math.round(number).toLocaleString("en"));
export const points = (difference) =>
  difference === null || difference === undefined ? "–" : `${difference > 0 ? "+" : ""}${(100 * difference).toFixed(1)}`.replace("-", "−");

export const pValue = (p) => (typeof p !== "number" ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));
export const counted = (count, noun) => `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;

export function figureText({ value, low, high, unit }) {
  const one = { share: (x) => percent(x), count: whole, tokens: whole, seconds: (x) => x?.toFixed(1) ?? "–" }[unit] ?? whole;
  const sign = unit === "share" ? "%" : unit === "seconds" ? " s" : "";
  const interval = low === null || low === undefined ? "" : `${one(low)} to ${one(high)}`;
  return { value: value === null || value === undefined ? "–" : one(value) + sign, interval };
}

// A share and its interval as a line, in a table: the numbers beside it say the same.
export function Bar({ value, low, high, from = 0, to = 1 }) {
  const at = (x) => `${(100 * (x - from)) / (to - from)}%`;
  if (value === null || value === undefined) return null;
  return html`<span class="bar" aria-hidden="true">
    ${low !== null && low !== undefined && html`<i style=${{ left: at(low), right: `${100 - (100 * (high - from)) / (to - from)}%` }} />`}
    <b style=${{ left: at(value) }} />
  </span>`;
}
