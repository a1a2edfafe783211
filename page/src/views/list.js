// The list of samples: filters, search, and rows of which only those in sight are elements.

import { Virtualizer, elementScroll, observeElementOffset, observeElementRect } from "@tanstack/virtual-core";
import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { ORDERS, PROBLEMS, SIGNS, counts, tests } from "../data/filters.js";
import { replaceAddress, sampleAddress, samplesAddress } from "../data/route.js";
import { FLAGS, VERDICTS } from "../data/samples.js";
import { useKeys } from "./keys.js";
import { CopyButton, Text, Verdict, whole } from "./parts.js";

const ROW = { wide: 30, narrow: 62 }; // pixels; the style sheet has the same
const HEADS = 26; // pixels of the line above the rows
const NARROW = matchMedia("(max-width: 720px)");

export function ListView({ state, filter, found }) {
  const change = (changes) => replaceAddress(samplesAddress({ ...filter, ...changes }));
  return html`<div class="list">
    <h1 tabindex="-1" class="hidden">Samples</h1>
    <${Filters} state=${state} filter=${filter} change=${change} />
    <div class="status">
      <p role="status">${whole(found.rows.length)} of ${whole(state.samples.count)} samples</p>
      ${found.progress && html`<progress max=${found.progress.total} value=${found.progress.done}
          aria-label="Search through all texts" /><span class="light">searching ${whole(found.progress.done)} of ${whole(found.progress.total)}</span>`}
      ${found.problem && html`<span class="problem" role="alert">${found.problem}</span>`}
      <span class="grow" />
      <span class="keys light">j, k: next, previous · Enter: open · Esc: back</span>
      <${CopyButton} text=${() => location.href} label="copy link to this filter" />
    </div>
    <${Rows} state=${state} filter=${filter} found=${found} />
  </div>`;
}

function Filters({ state, filter, change }) {
  const { samples, doubts, runs } = state;
  const parts = useMemo(() => tests(filter, samples, doubts), [filter, samples.count, samples.edition, doubts.marks.size]);
  const numbers = useMemo(() => counts(parts, samples), [parts]);
  const subsets = useMemo(() => subsetsOf(runs, filter.run), [runs, filter.run]);
  const [folded, fold] = useState(NARROW.matches);
  return html`<form class="filters" role="search" aria-label="Filter and search samples" onSubmit=${(event) => event.preventDefault()}>
    <${SearchField} value=${filter.q} change=${(q) => change({ q })} />
    <button type="button" class="quiet fold" aria-expanded=${!folded} onClick=${() => fold(!folded)}>filters</button>
    <div class="choices" hidden=${folded}>
      ${runs.length > 1 && html`<${Choice} label="run" value=${filter.run ?? ""}
        options=${[["", "all runs"], ...runs.map((run, number) => [number, run.label])]}
        change=${(value) => change({ run: value === "" ? null : Number(value) })} />`}
      <${Toggles} label="Verdict" all=${VERDICTS} chosen=${filter.verdict} numbers=${numbers.verdict} change=${(verdict) => change({ verdict })} />
      <${Toggles} label="Signs" all=${Object.keys(SIGNS)} names=${SIGNS} chosen=${filter.sign} numbers=${numbers.sign} change=${(sign) => change({ sign })} />
      <${Toggles} label="Problems" all=${Object.keys(PROBLEMS)} names=${labels(PROBLEMS)} one chosen=${filter.problem ? [filter.problem] : []}
        numbers=${numbers.problem} change=${([problem]) => change({ problem: problem ?? "" })} />
      ${(doubts.marks.size > 0 || filter.doubt) && html`<${Toggles} label="Doubts" all=${["doubt"]} names=${{ doubt: "doubted" }} chosen=${filter.doubt ? ["doubt"] : []}
        numbers=${{ doubt: doubts.marks.size }} change=${(chosen) => change({ doubt: chosen.length > 0 })} />`}
      ${subsets.length > 0 && html`<${Choice} label="subset" value=${filter.subset ?? ""}
        options=${[["", "all subsets"], ...subsets]} change=${(value) => change({ subset: value || null })} />`}
      <${Choice} label="order" value=${filter.sort} options=${Object.entries(ORDERS)} change=${(sort) => change({ sort })} />
    </div>
  </form>`;
}

// [value, how it is shown] of all that the runs are reported by.
function subsetsOf(runs, only) {
  const found = new Map();
  for (const [number, run] of runs.entries()) {
    if (only !== null && only !== number) continue;
    const columns = Object.entries(run.subsets ?? {});
    for (const [column, values] of columns)
      for (const { value } of values) found.set(String(value), columns.length > 1 ? `${column}: ${value}` : String(value));
  }
  return [...found];
}

const labels = (named) => Object.fromEntries(Object.entries(named).map(([name, { label }]) => [name, label]));

// What is typed is searched for once the typing pauses.
function SearchField({ value, change }) {
  const [typed, type] = useState(value);
  const timer = useRef(0);
  const sent = useRef(value);
  useEffect(() => {
    // What was typed since it was sent stays.
    if (value !== sent.current) type(value);
    sent.current = value;
  }, [value]);
  const typing = (event) => {
    const text = event.target.value;
    type(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = text;
      change(text);
    }, 250);
  };
  return html`<label class="search"><span class="hidden">Search all texts</span>
    <input id="search" type="search" placeholder="search all texts  ( / )" value=${typed} onInput=${typing} autocomplete="off" spellcheck="false" />
  </label>`;
}

function Toggles({ label, all, names, chosen, numbers, change, one }) {
  const shown = all.filter((name) => numbers[name] > 0 || chosen.includes(name));
  if (shown.length === 0) return null;
  const toggled = (name) =>
    chosen.includes(name) ? chosen.filter((other) => other !== name) : [...(one ? [] : chosen), name];
  return html`<fieldset><legend class="hidden">${label}</legend>
    ${shown.map(
      (name) => html`<button type="button" class="toggle ${name}" aria-pressed=${chosen.includes(name)} onClick=${() => change(toggled(name))}>
        ${names?.[name] ?? name} <span class="light">${whole(numbers[name] ?? 0)}</span></button>`,
    )}
  </fieldset>`;
}

function Choice({ label, value, options, change }) {
  return html`<label class="choice"><span class="hidden">${label}</span>
    <select value=${value} onChange=${(event) => change(event.target.value)}>
      ${options.map(([name, shown]) => html`<option value=${name} selected=${String(name) === String(value)}>${shown}</option>`)}
    </select></label>`;
}

function useNarrow() {
  const [narrow, set] = useState(NARROW.matches);
  useEffect(() => {
    const changed = () => set(NARROW.matches);
    NARROW.addEventListener("change", changed);
    return () => NARROW.removeEventListener("change", changed);
  }, []);
  return narrow;
}

// As @tanstack's adapters do it: one Virtualizer, told of new options at each drawing.
function useVirtual(options) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const kept = useRef(null);
  const all = { scrollToFn: elementScroll, observeElementRect, observeElementOffset, overscan: 12, onChange: redraw, ...options };
  if (kept.current === null) kept.current = new Virtualizer(all);
  kept.current.setOptions(all);
  useLayoutEffect(() => kept.current._didMount(), []);
  useLayoutEffect(() => kept.current._willUpdate());
  return kept.current;
}

function Rows({ state, filter, found }) {
  const box = useRef(null);
  const narrow = useNarrow();
  const size = narrow ? ROW.narrow : ROW.wide;
  const { rows } = found;
  const virtual = useVirtual({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => size, scrollPaddingStart: HEADS });
  useLayoutEffect(() => virtual.measure(), [size]);
  const active = Math.max(0, rows.indexOf(state.last.row));
  const go = (place) => {
    const next = Math.min(rows.length - 1, Math.max(0, place));
    if (rows.length === 0) return;
    state.last.row = rows[next];
    virtual.scrollToIndex(next);
    // The row may become an element only with the next drawing.
    requestAnimationFrame(() => requestAnimationFrame(() => box.current?.querySelector(`[data-place="${next}"] a`)?.focus()));
  };
  useLayoutEffect(() => {
    if (rows.includes(state.last.row)) virtual.scrollToIndex(rows.indexOf(state.last.row), { align: "center" });
  }, []);
  const focused = () => box.current?.contains(document.activeElement) && document.activeElement.tagName === "A";
  const step = (by) => go(focused() ? Number(document.activeElement.closest("[data-place]").dataset.place) + by : active);
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Home: () => go(0),
    End: () => go(rows.length - 1),
    "/": () => document.getElementById("search")?.focus(),
  });
  const several = state.runs.length > 1;
  const heads = [["name", "problem · sample"], ["outcome", "verdict"], ...(several ? [["of-run", "run"]] : []), ["tokens", "tokens"], ["answer", "answer read"], ["first", filter.q ? "found in" : "first line of the answer"]];
  return html`<div class="rows" ref=${box} role="table" aria-label="Samples" aria-rowcount=${rows.length + 1} tabindex="-1">
    <div role="rowgroup" class="heads"><div class="row" role="row" aria-rowindex="1">
      ${heads.map(([name, label]) => html`<span role="columnheader" class=${name}>${label}</span>`)}</div></div>
    <div class="all" role="rowgroup" style=${{ height: `${virtual.getTotalSize()}px` }}>
      ${virtual.getVirtualItems().map(
        (item) => html`<${Row} key=${rows[item.index]} row=${rows[item.index]} place=${item.index} top=${item.start} ...${{ state, filter, found, several }} />`,
      )}
    </div>
    ${rows.length === 0 && !found.progress && html`<p class="light nothing">No sample is like that.</p>`}
  </div>`;
}

const SHORT_SIGNS = { unread: "gold unread", looping: "looping", endless: "never ended" };

function Row({ row, place, top, state, filter, found, several }) {
  const { columns } = state.samples;
  const of = (name) => columns[name][row];
  const signs = Object.keys(FLAGS).filter((sign) => of("flags") & FLAGS[sign]);
  const doubted = state.doubts.has(state.samples.key(row));
  const excerpt = found.hits?.get(row);
  const open = () => (state.last.row = row);
  return html`<div class="row" role="row" data-place=${place} aria-rowindex=${place + 2} style=${{ transform: `translateY(${top}px)` }}>
    <span role="cell" class="name">
      <a href=${sampleAddress(of("run"), of("id"), of("sample"), filter)} onClick=${open}><span class="hidden">problem </span><${Text}
        of=${of("id")} /><span class="light"> · <span class="hidden">sample </span>${of("sample")}</span></a>
    </span>
    <span role="cell" class="outcome"><${Verdict} of=${of("verdict")} />${doubted && html`<span class="doubted" title="its verdict is doubted">doubted</span>`}</span>
    ${several && html`<span role="cell" class="of-run light"><${Text} of=${state.runs[of("run")]?.label} /></span>`}
    <span role="cell" class="tokens">${whole(of("out"))}</span>
    <span role="cell" class="answer"><${Text} of=${of("answer")} />
      ${of("verdict") !== "correct" && of("gold") !== null && html`<span class="light"> gold </span><${Text} of=${of("gold")} />`}</span>
    <span role="cell" class="first light">${signs.map((sign) => html`<span class="sign">${SHORT_SIGNS[sign]}</span>`)}<${Text} of=${excerpt || of("first") || ""} /></span>
  </div>`;
}
