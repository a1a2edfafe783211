// A response in segments: prose, code and mathematics, as ranges of the text. Linear in its length, whatever is in it.

const ENVIRONMENTS = "align|aligned|alignat|gather|gathered|equation|cases|array|matrix|pmatrix|bmatrix|vmatrix";
const OPENING = new RegExp(
  String.raw`\$\$|\$|\\\(|\\\[|\\boxed\{|\\begin\{(?:${ENVIRONMENTS})\*?\}|` + "`",
  "g",
);
export const LONGEST_FORMULA = 4000; // characters

// {kind: "prose" | "code" | "math" | "word", start, end, inner: [start, end], display, language}
export function segments(text) {
  const found = [];
  let last = 0;
  for (const code of fences(text)) {
    formulas(text, last, code.start, found);
    found.push(code);
    last = code.end;
  }
  formulas(text, last, text.length, found);
  return found;
}

function fences(text) {
  const found = [];
  let open = null;
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline + 1;
    const fence = /^[ \t]{0,12}(`{3,}|~{3,})[ \t]*([\w+#.-]*)/.exec(text.slice(start, Math.min(end, start + 80)));
    if (open === null && fence) {
      open = { start, inner: end, mark: fence[1], language: fence[2].toLowerCase() };
    } else if (open !== null && fence && fence[1].startsWith(open.mark) && !fence[2]) {
      found.push({ kind: "code", start: open.start, end, inner: [open.inner, start], language: open.language });
      open = null;
    }
    start = end;
  }
  if (open !== null) {
    const { inner, language } = open;
    found.push({ kind: "code", start: open.start, end: text.length, inner: [inner, text.length], language });
  }
  return found;
}

function formulas(text, from, to, found) {
  const closings = new Closings(text, to);
  let last = from;
  OPENING.lastIndex = from;
  for (let match = OPENING.exec(text); match !== null && match.index < to; match = OPENING.exec(text)) {
    if (text[match.index - 1] === "\\") continue;
    const segment = formula(text, match.index, match[0], closings);
    if (segment === null) continue;
    if (segment.start > last) found.push({ kind: "prose", start: last, end: segment.start });
    found.push(segment);
    last = OPENING.lastIndex = segment.end;
  }
  if (last < to) found.push({ kind: "prose", start: last, end: to });
}

// The next place of each closing, remembered: looking for it from every opening anew would be quadratic.
class Closings {
  constructor(text, end) {
    this.text = text;
    this.end = end;
    this.known = new Map();
  }

  next(closing, from) {
    let at = this.known.get(closing);
    if (at === undefined || (at < from && at >= 0)) {
      at = this.text.indexOf(closing, from);
      while (at > 0 && closing[0] === "$" && this.text[at - 1] === "\\") at = this.text.indexOf(closing, at + 1);
      this.known.set(closing, at);
    }
    return at >= from && at + closing.length <= this.end ? at : -1;
  }
}

function formula(text, start, opening, closings) {
  const inside = start + opening.length;
  if (opening === "\\boxed{") {
    const end = balancedEnd(text, inside);
    // Prompts say "within \\boxed{}": that is no formula.
    return end < 0 || !text.slice(inside, end - 1).trim() ? null : { kind: "math", start, end, inner: [start, end], display: false };
  }
  if (opening.startsWith("\\begin")) {
    const closing = opening.replace("begin", "end");
    const at = closings.next(closing, inside);
    const end = at + closing.length;
    return at < 0 ? null : { kind: "math", start, end, inner: [start, end], display: true };
  }
  const closing = { "\\(": "\\)", "\\[": "\\]" }[opening] ?? opening;
  const at = closings.next(closing, inside);
  if (at <= inside || at - inside > LONGEST_FORMULA) return null;
  const inner = text.slice(inside, at);
  if (inner.includes("\n\n")) return null;
  const range = { start, end: at + closing.length, inner: [inside, at] };
  if (opening === "`") return inner.includes("\n") ? null : { kind: "word", ...range };
  if (opening === "$" && !looksLikeFormula(inner, text[at + 1])) return null;
  return { kind: "math", ...range, display: opening === "$$" || opening === "\\[" };
}

// "$5 and $10" is money: pandoc's rule, but spaces inside of the signs are let through around what is surely TeX.
function looksLikeFormula(inner, after) {
  if (after >= "0" && after <= "9") return false;
  return !/^\s|\s$/.test(inner) || /[\\^_=<>]/.test(inner);
}

// Where the brace that is open at `from` closes, after it; -1 where it is too far.
export function balancedEnd(text, from) {
  let depth = 1;
  const limit = Math.min(text.length, from + LONGEST_FORMULA);
  for (let at = from; at < limit; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at + 1;
  }
  return -1;
}
