// One sample: why its verdict is what it is.

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { sampleAddress, samplesAddress } from "../data/route.js";
import { matcher } from "../data/search.js";
import { FLAGS } from "../data/samples.js";
import { SIGNS } from "../data/filters.js";
import { hits, places, readRange } from "../text/finding.js";
import { plain, typeset } from "../text/typeset.js";
import { DoubtForm } from "./doubts.js";
import { useKeys } from "./keys.js";
import { CopyButton, Drawn, Text, Verdict, whole } from "./parts.js";
import { Command } from "./run.js";

const SHOWN = 100_000; // characters of one text, until more is asked for
const TAIL = 20_000; // of them from its end
const SHORT_TURN = 3000;

function useText(source, samples, row) {
  const [state, set] = useState({});
  useEffect(() => {
    let current = true;
    const { block, place } = samples.columns;
    source.text(block[row], place[row]).then(
      (text) => current && set({ row, text }),
      (error) => current && set({ row, problem: String(error.message ?? error) }),
    );
    return () => (current = false);
  }, [row]);
  return state.row === row ? state : {};
}

export function SampleView({ state, row, filter, rows }) {
  const { samples, runs, source } = state;
  const { columns } = samples;
  const { text, problem } = useText(source, samples, row);
  const [written, write] = useState(false);
  const thinking = useRef(null);
  const at = rows.indexOf(row);
  const to = (other) => sampleAddress(columns.run[other], columns.id[other], columns.sample[other], filter);
  const go = (other) => other !== undefined && (location.hash = to(other));
  state.last.row = row;
  const next = () => go(rows[at + 1]);
  const previous = () => at > 0 && go(rows[at - 1]);
  const back = () => (location.hash = samplesAddress(filter));
  useKeys({
    j: next,
    k: previous,
    ArrowRight: next,
    ArrowLeft: previous,
    Escape: back,
    t: () => thinking.current && (thinking.current.open = !thinking.current.open),
    "/": () => {
      back();
      requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById("search")?.focus()));
    },
  });
  const run = runs[columns.run[row]] ?? {};
  return html`<article class="sample">
    <nav class="steps" aria-label="Samples of the filter">
      <a href=${samplesAddress(filter)}>all samples</a>
      ${at > 0 ? html`<a href=${to(rows[at - 1])} rel="prev" title="k or ←">‹ previous</a>` : html`<span class="light">‹ previous</span>`}
      ${at >= 0 && at + 1 < rows.length ? html`<a href=${to(rows[at + 1])} rel="next" title="j or →">next ›</a>` : html`<span class="light">next ›</span>`}
      <span class="light">${at >= 0 && `${whole(at + 1)} of ${whole(rows.length)}`}</span>
      <span class="grow" />
      <${CopyButton} text=${() => location.href} label="copy link" />
      <button type="button" class="quiet" aria-pressed=${written} onClick=${() => write(!written)}>as written</button>
    </nav>
    <h1 tabindex="-1">
      <${Text} of=${run.task} /> <${Text} of=${columns.id[row]} /> <span class="light">sample ${columns.sample[row]}</span> <${Verdict} of=${columns.verdict[row]} />
    </h1>
    ${runs.length > 1 && html`<p class="light">of <${Text} of=${run.label} /></p>`}
    <${Siblings} state=${state} row=${row} filter=${filter} />
    ${problem && html`<p class="problem" role="alert">This sample cannot be read: ${problem}</p>`}
    ${text && html`<${Content} key=${row} ...${{ state, row, text, filter, written, thinking }} />`}
  </article>`;
}

// The other samples of the problem, in this run and in others of the same task.
function Siblings({ state, row, filter }) {
  const { samples, runs } = state;
  const { run } = samples.columns;
  const { rows } = samples.problem(row);
  const others = runs.flatMap((other, number) =>
    number !== run[row] && other.task === runs[run[row]]?.task ? [[other.label, samples.elsewhere(number, row)]] : [],
  );
  const lines = [["samples of this problem", rows.length > 1 ? rows : []], ...others].filter(([, rows]) => rows.length > 0);
  return lines.map(([label, rows]) => html`<p class="siblings"><${Text} of=${label} />: <${Links} ...${{ samples, rows, row, filter }} /></p>`);
}

function Links({ samples, rows, row, filter }) {
  const { run, id, sample, verdict } = samples.columns;
  return rows.map(
    (other) => html` <a href=${sampleAddress(run[other], id[other], sample[other], filter)}
      class="verdict ${verdict[other]}" aria-current=${other === row ? "page" : undefined}
      aria-label=${`sample ${sample[other]}, ${verdict[other]}`}>${sample[other]}</a>`,
  );
}

function Content({ state, row, text, filter, written, thinking }) {
  const flags = state.samples.columns.flags[row];
  const pattern = filter.q ? matcher(filter.q) : null;
  const sought = (part) => (pattern ? hits(part, pattern) : []);
  const unread = (part) => (flags & FLAGS.unread && text.gold ? golds(part, text.gold) : []);
  const answer = text.answer ?? "";
  const read = readRange(answer, text.read);
  return html`<div class="columns">
    <div class="texts">
      <${Turns} messages=${text.messages} sought=${sought} written=${written} />
      ${text.thinking && html`<details class="thinking" ref=${thinking} open=${Boolean(pattern?.test(text.thinking)) && !pattern.test(answer)}>
        <${Folded} title=${html`Thinking <span class="light">${whole(text.thinking.length)} characters${flags & FLAGS.endless ? ", never ended" : ""}${flags & FLAGS.looping ? ", looping" : ""}</span>`}
          text=${text.thinking} ranges=${[...unread(text.thinking), ...sought(text.thinking)]} written=${written} />
      </details>`}
      <section class="turn assistant" aria-label="Answer">
        <h2>Answer</h2>
        ${text.error && html`<p class="problem"><${Text} of=${text.error} /></p>`}
        ${answer ? html`<${Rich} text=${answer} written=${written} ranges=${[...(read ? [read] : []), ...unread(answer), ...sought(answer)]} />`
          : !text.error && html`<p class="light">There is no answer${text.thinking ? " after the thinking" : ""}.</p>`}
      </section>
    </div>
    <aside aria-label="Verdict and facts">
      <${Why} text=${text} read=${read} flags=${flags} verdict=${state.samples.columns.verdict[row]} />
      <${DoubtForm} state=${state} row=${row} />
      <${Facts} text=${text} />
    </aside>
  </div>`;
}

// Where one of the gold answers stands, of which there may be several, with "or" between them.
const golds = (part, gold) => gold.split(" or ").flatMap((one) => places(part, one, "gold").slice(-20));

function Why({ text, read, flags, verdict }) {
  const signs = Object.keys(FLAGS).filter((sign) => flags & FLAGS[sign]);
  const { passed, tests } = text.details ?? {};
  const counted = typeof passed === "number" && typeof tests === "number";
  return html`<dl class="why">
    <dt>verdict</dt>
    <dd><${Verdict} of=${verdict} />${text.reason && html` <${Text} of=${text.reason} />`}</dd>
    <dt>read</dt>
    <dd class="value">${text.read === null ? html`<span class="light">no answer was found</span>` : html`<${Value} text=${text.read} name=${read ? "read" : ""} />`}
      ${text.read && !read && text.answer && html`<span class="light"> stands nowhere in the answer in this form</span>`}</dd>
    <dt>gold</dt>
    <dd class="value"><${Value} text=${text.gold} /></dd>
    ${counted && html`<dt>tests</dt><dd>${whole(passed)} passed, ${whole(tests - passed)} not, of ${whole(tests)}</dd>`}
    ${signs.length > 0 && html`<dt>signs</dt><dd>${signs.map((sign) => SIGNS[sign]).join("; ")}</dd>`}
  </dl>`;
}

// Answers are short, as a rule; programs are not.
function Value({ text, name = "" }) {
  if (text === null || text === undefined) return html`<span class="light">none</span>`;
  if (text.length < 300 && !text.includes("\n")) return html`<mark class=${name || "bare"}><${Text} of=${text} /></mark>`;
  return html`<details><summary>${whole(text.length)} characters</summary><${Rich} text=${text} ranges=${[]} written=${true} /></details>`;
}

function Facts({ text }) {
  const details = Object.entries(text.details ?? {}).filter(([name]) => !["passed", "tests"].includes(name));
  const facts = [
    ["tokens", `${whole(text.prompt_tokens)} in, ${whole(text.completion_tokens)} out`],
    ["ended", text.finish_reason],
    ["seconds", text.seconds?.toFixed(1)],
    ["seed", text.seed],
    ...details.map(([name, value]) => [name.replaceAll("_", " "), shown(value)]),
  ].filter(([, value]) => value !== null && value !== undefined);
  const row = Object.entries(text.row ?? {});
  return html`<details open=${!matchMedia("(max-width: 1000px)").matches}><summary>Facts</summary>
    <dl class="facts">${facts.map(([name, value]) => html`<dt><${Text} of=${name} /></dt><dd><${Text} of=${value} /></dd>`)}</dl>
    ${row.length > 0 && html`<details><summary>The dataset's row</summary>
      <dl class="facts">${row.map(([name, value]) => html`<dt><${Text} of=${name} /></dt><dd><${Text} of=${shown(value)} /></dd>`)}</dl></details>`}
    ${text.again && html`<h2>Ask this one again</h2><${Command} text=${text.again} />`}</details>`;
}

const shown = (value) => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
};

function Turns({ messages, sought, written }) {
  return messages.map(({ role, content }, place) => {
    const last = place === messages.length - 1;
    const body = { text: content, written, ranges: sought(content) };
    if (last || content.length < SHORT_TURN / messages.length)
      return html`<section class="turn ${role}" aria-label=${role}><h2><${Text} of=${role} /></h2><${Rich} ...${body} /></section>`;
    return html`<details class="turn ${role}"><${Folded} title=${html`<${Text} of=${role} /> <span class="light">${whole(content.length)} characters</span>`} ...${body} /></details>`;
  });
}

// What is folded is made only once it is opened.
function Folded({ title, ...body }) {
  const summary = useRef(null);
  const [open, set] = useState(false);
  useEffect(() => {
    const details = summary.current.parentElement;
    const changed = () => details.open && set(true);
    changed();
    details.addEventListener("toggle", changed);
    return () => details.removeEventListener("toggle", changed);
  }, []);
  return html`<summary ref=${summary}>${title}</summary>${open && html`<${Rich} ...${body} />`}`;
}

function Rich({ text, ranges, written }) {
  const [all, showAll] = useState(false);
  const fill = written ? plain : typeset;
  const one = (from, to) => {
    const inside = ranges.filter((range) => range.end > from && range.start < to);
    const moved = inside.map((range) => ({ ...range, start: range.start - from, end: range.end - from }));
    return html`<${Drawn} class=${written ? "text written" : "text"} draw=${(place) => fill(place, text.slice(from, to), moved)} inputs=${[text, written, ranges.length, from, to]} />`;
  };
  if (all || text.length <= SHOWN) return one(0, text.length);
  const cut = [SHOWN - TAIL, text.length - TAIL];
  return html`${one(0, cut[0])}
    <button type="button" class="more" onClick=${() => showAll(true)}>show the ${whole(cut[1] - cut[0])} characters between</button>
    ${one(cut[1], text.length)}`;
}
