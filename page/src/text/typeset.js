// Text from outside as elements. It enters as text nodes alone; innerHTML gets what KaTeX and highlight.js made of it,
// which both escape, and nothing else anywhere in this page does.

import katex from "katex";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import { emphasis } from "./finding.js";
import { appendText, hasInvisible } from "./invisible.js";
import { LONGEST_FORMULA, segments } from "./segments.js";

for (const [name, language] of Object.entries({ bash, cpp, java, javascript, json, python }))
  hljs.registerLanguage(name, language);

const MOST_FORMULAS = 1500; // in one text
const MOST_OUTPUT = 150_000; // characters of MathML, of one formula
const DEEPEST = 120; // elements in one another: browsers lay out deep MathML slowly
// A macro of the response's own may stand for thousands of characters, hundreds of times.
const DEFINING = /\\(?:[egx]?def|newcommand|renewcommand|providecommand|let|futurelet|global|long)(?![a-zA-Z])/;
const LONGEST_CODE = 60_000;
const LONGEST_LINE = 2000;

const OPTIONS = {
  output: "mathml",
  trust: false,
  throwOnError: true,
  strict: "ignore",
  maxExpand: 500,
  maxSize: 30,
  macros: { "\\mbox": "\\text" },
};

// Puts `text` into `parent`; `ranges` ({start, end, name}) become elements of these classes.
export function typeset(parent, text, ranges) {
  let formulas = 0;
  const all = segments(text);
  const isBlock = (segment) => segment !== undefined && (segment.kind === "code" || segment.display);
  for (const [number, segment] of all.entries()) {
    const covering = ranges.filter((range) => range.start < segment.end && range.end > segment.start);
    const names = covering.map((range) => range.name);
    if (segment.kind === "code") parent.append(codeElement(text.slice(...segment.inner), segment.language, names));
    else if (segment.kind === "word") parent.append(wordElement(text.slice(...segment.inner), names));
    else if (segment.kind === "math" && ++formulas <= MOST_FORMULAS) parent.append(formulaElement(text, segment, names));
    else {
      // A block stands on lines of its own as it is; the line breaks around it would be seen as empty lines.
      const after = isBlock(all[number - 1]) && text[segment.start] === "\n" ? 1 : 0;
      const before = isBlock(all[number + 1]) && text[segment.end - 1] === "\n" ? 1 : 0;
      if (segment.end - before > segment.start + after)
        prose(parent, text, segment.start + after, segment.end - before, covering);
    }
  }
}

export function plain(parent, text, ranges) {
  prose(parent, text, 0, text.length, ranges, false);
}

function prose(parent, text, start, end, ranges, shaped = true) {
  const all = shaped ? [...ranges, ...emphasis(text, start, end)] : ranges;
  const edges = new Set([start, end]);
  for (const range of all) edges.add(Math.max(start, range.start)).add(Math.min(end, range.end));
  const places = [...edges].sort((a, b) => a - b);
  const opening = [...all].sort((a, b) => a.start - b.start);
  let active = [];
  for (let i = 0; i + 1 < places.length; i++) {
    while (opening.length && opening[0].start <= places[i]) active.push(opening.shift());
    active = active.filter((range) => range.end > places[i]);
    const piece = text.slice(places[i], places[i + 1]);
    if (active.length === 0) appendText(parent, piece);
    else parent.append(marked(active.map((range) => range.name), (element) => appendText(element, piece)));
  }
}

function marked(names, fill) {
  const element = document.createElement(names.some((name) => name !== "strong") ? "mark" : "strong");
  element.className = [...new Set(names)].join(" ");
  fill(element);
  return element;
}

function wordElement(text, names) {
  const element = document.createElement("code");
  element.className = names.join(" ");
  appendText(element, text);
  return element;
}

function codeElement(text, language, names) {
  const outer = document.createElement("pre");
  outer.className = ["code", ...names].join(" ");
  outer.tabIndex = 0;
  if (language) outer.dataset.language = language;
  const element = document.createElement("code");
  outer.append(element);
  const short = text.length <= LONGEST_CODE && !text.split("\n").some((line) => line.length > LONGEST_LINE);
  if (short && hljs.getLanguage(language) && !hasInvisible(text))
    element.innerHTML = hljs.highlight(text, { language, ignoreIllegals: true }).value;
  else appendText(element, text);
  return outer;
}

function formulaElement(text, segment, names) {
  const tex = text.slice(...segment.inner);
  const element = document.createElement(names.length ? "mark" : "span");
  element.className = [segment.display ? "formula display" : "formula", ...names].join(" ");
  const html = mathml(tex, segment.display);
  if (html !== null) {
    element.innerHTML = html;
    element.firstElementChild?.setAttribute("title", tex);
  } else {
    element.classList.add("as-written");
    appendText(element, text.slice(segment.start, segment.end));
  }
  return element;
}

// KaTeX's MathML; null where the formula is wrong, or too large to be laid out.
function mathml(tex, display) {
  if (tex.length > LONGEST_FORMULA || hasInvisible(tex) || DEFINING.test(tex)) return null;
  let html;
  try {
    html = katex.renderToString(tex, { ...OPTIONS, macros: { ...OPTIONS.macros }, displayMode: display });
  } catch {
    return null; // also what deep brackets do: RangeError
  }
  return html.length > MOST_OUTPUT || depth(html) > DEEPEST ? null : html;
}

function depth(html) {
  let now = 0;
  let most = 0;
  for (const [tag] of html.matchAll(/<\/?[a-z][^>]*>/g)) {
    if (tag.startsWith("</")) now--;
    else if (!tag.endsWith("/>")) most = Math.max(most, ++now);
  }
  return most;
}
