// Where in a response something stands, as ranges {start, end, name}.

import { balancedEnd } from "./segments.js";

const MOST_RANGES = 500;

// Where the answer that was read stands: the last \boxed{} with it, else its last place. Null if it stands nowhere as such.
export function readRange(text, read) {
  if (!read?.trim()) return null;
  const wanted = read.trim();
  for (let at = text.lastIndexOf("\\boxed{"), tries = 0; at >= 0 && tries < 50; tries++) {
    const start = at + "\\boxed{".length;
    const end = balancedEnd(text, start);
    if (end >= 0 && bare(text.slice(start, end - 1)) === bare(wanted)) return { start: at, end, name: "read" };
    at = at === 0 ? -1 : text.lastIndexOf("\\boxed{", at - 1);
  }
  return places(text, wanted, "read").at(-1) ?? null;
}

function bare(text) {
  return text.replace(/\s+/g, "");
}

// All places of a word, whole words where it begins or ends with a letter or digit.
export function places(text, wanted, name) {
  const found = [];
  if (!wanted?.trim()) return found;
  const word = /[\p{L}\p{N}]/u;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    const end = at + wanted.length;
    const inWord = (edge, beside) => word.test(edge) && word.test(beside ?? "");
    if (inWord(wanted[0], text[at - 1]) || inWord(wanted.at(-1), text[end])) continue;
    found.push({ start: at, end, name });
    if (found.length > MOST_RANGES) found.shift();
  }
  return found;
}

export function hits(text, pattern) {
  const found = [];
  const all = new RegExp(pattern.source, "gi");
  for (let hit = all.exec(text); hit && hit[0] && found.length < MOST_RANGES; hit = all.exec(text))
    found.push({ start: hit.index, end: hit.index + hit[0].length, name: "hit" });
  return found;
}

// **bold** and # headings, written as they are and shown so: this is no Markdown, only easier to read.
export function emphasis(text, start, end) {
  const found = [];
  const prose = text.slice(start, end);
  for (const match of prose.matchAll(/\*\*(?=\S)[^*\n]{1,400}\*\*/g))
    found.push({ start: start + match.index, end: start + match.index + match[0].length, name: "strong" });
  for (const match of prose.matchAll(/^#{1,6} .{1,400}$/gm))
    found.push({ start: start + match.index, end: start + match.index + match[0].length, name: "strong" });
  return found;
}
