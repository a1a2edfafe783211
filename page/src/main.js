// The page: opens the data, then shows what the address asks for.

import { html, render } from "htm/preact";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { Doubts } from "./data/doubts.js";
import { parseFilter, passing, sorted, tests } from "./data/filters.js";
import { useRoute } from "./data/route.js";
import { labelled } from "./data/runs.js";
import { Samples } from "./data/samples.js";
import { search } from "./data/search.js";
import { openSource } from "./data/source.js";
import { ComparisonView } from "./views/comparison.js";
import { DoubtsView } from "./views/doubts.js";
import { ListView } from "./views/list.js";
import { Text, whole } from "./views/parts.js";
import { RunView } from "./views/run.js";
import { SampleView } from "./views/sample.js";

function App({ state, listen }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  useEffect(() => listen(redraw), []);
  const route = useRoute();
  const asked = route.query.toString();
  const filter = useMemo(() => parseFilter(route.query), [asked]);
  const found = useFound(state, filter);
  useFocus(route);
  return html`<a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.querySelector("#main h1")?.focus(); }}>to the content</a>
    <${Header} state=${state} route=${route} />
    <main id="main" class=${`view-${route.view || "home"}`}>${view(state, route, filter, found)}</main>`;
}

function view(state, route, filter, found) {
  const { runs, samples, comparison } = state;
  if (route.view === "samples") return html`<${ListView} ...${{ state, filter, found }} />`;
  if (route.view === "doubts") return html`<${DoubtsView} state=${state} />`;
  if (route.view === "sample") {
    const [run, id, sample] = route.parts;
    const row = samples.find(Number(run), id, Number(sample));
    if (row === undefined) return html`<h1 tabindex="-1">There is no sample ${sample} of problem <${Text} of=${id} /> here</h1>`;
    return html`<${SampleView} ...${{ state, row, filter, rows: found.rows }} />`;
  }
  if (route.view !== "run" && runs.length > 1) return html`<${ComparisonView} comparison=${comparison} state=${state} />`;
  const number = route.view === "run" ? Number(route.parts[0]) : 0;
  if (runs[number] === undefined) return html`<h1 tabindex="-1">There is no such run here</h1>`;
  return html`<${RunView} key=${number} run=${runs[number]} number=${number} state=${state} />`;
}

function Header({ state, route }) {
  const { runs, doubts, samples } = state;
  const link = (href, label, current) => html`<a href=${href} aria-current=${current ? "page" : undefined}>${label}</a>`;
  const several = runs.length > 1;
  return html`<header><nav aria-label="Page">
    ${several && link("#/", state.comparison ? "comparison" : "all runs", route.view === "")}
    ${runs.map((run, number) => link(`#/run/${number}`, html`<${Text} of=${run.label} />`, (route.view === "run" && route.parts[0] === String(number)) || (!several && route.view === "")))}
    ${link("#/samples", html`samples <span class="light">${whole(samples.count)}</span>`, ["samples", "sample"].includes(route.view))}
    ${link("#/doubts", html`doubts <span class="light">${doubts.marks.size || ""}</span>`, route.view === "doubts")}
  </nav>${state.source.served && html`<span class="live light" role="status">${state.trouble ?? "live"}</span>`}</header>`;
}

// The rows that the filter and the search leave, and how far the search is.
function useFound(state, filter) {
  const { samples, doubts, source } = state;
  const rows = useMemo(
    () => sorted(passing(tests(filter, samples, doubts), samples), filter.sort, samples),
    [filter, samples.count, samples.edition, doubts.marks.size],
  );
  const asked = filter.q.trim();
  const [progress, set] = useState({});
  const memory = useRef({});
  const key = `${samples.edition} ${asked}`;
  if (memory.current.key !== key) memory.current = { key, seen: new Map() };
  const { seen } = memory.current;
  useEffect(() => {
    if (!asked) return undefined;
    const ending = new AbortController();
    set({});
    search(source, samples, rows, asked, seen, ending.signal, () => set({})).catch(
      (error) => !ending.signal.aborted && set({ problem: `the search ended early: ${error.message}` }),
    );
    return () => ending.abort();
  }, [rows, key]);
  return useMemo(() => {
    if (!asked) return { rows, hits: null };
    const done = rows.filter((row) => seen.has(row)).length;
    const searching = done < rows.length && !progress.problem;
    return {
      rows: rows.filter((row) => typeof seen.get(row) === "string"),
      hits: seen,
      progress: searching ? { done, total: rows.length } : null,
      problem: progress.problem,
    };
  }, [rows, key, progress]);
}

// A new view takes the focus, as a new page would.
function useFocus(route) {
  const place = `${route.view}/${route.parts.join("/")}`;
  const first = useRef(true);
  useLayoutEffect(() => {
    const heading = document.querySelector("#main h1");
    document.title = heading?.textContent.replace(/\s+/g, " ").trim() || "report";
    if (!first.current && route.view !== "samples") {
      heading?.focus({ preventScroll: true });
      document.getElementById("main").scrollTop = 0;
    }
    first.current = false;
  }, [place]);
}

const told = (index) => ({ runs: labelled(index), comparison: index.comparison, notCompared: index.not_compared });

// A run that goes on: new samples come after those there are; a new edition means that earlier ones are different now.
function follow(state, first, changed) {
  const { source, samples } = state;
  let edition = first.edition;
  let asking = Promise.resolve();
  const read = async (news) => {
    if (news.edition !== edition) {
      const whole = await source.index();
      source.forget();
      samples.clear();
      edition = whole.edition;
      take(whole);
    } else if (news.samples > samples.count) {
      take(await source.index(samples.count));
    }
    state.trouble = news.trouble ?? null;
  };
  const take = (news) => {
    samples.add(news.samples);
    Object.assign(state, told(news));
  };
  source.follow((news) => {
    asking = asking
      .then(() => read(news))
      .catch((error) => (state.trouble = String(error.message ?? error)))
      .then(changed);
  });
}

async function start() {
  const place = document.getElementById("app");
  const source = openSource();
  try {
    const index = await source.index();
    const listeners = new Set();
    const changed = () => listeners.forEach((listener) => listener());
    const samples = new Samples();
    samples.add(index.samples);
    const doubts = new Doubts(source, index, changed);
    const state = { source, samples, doubts, ...told(index), last: { row: null }, trouble: null };
    document.getElementById("static")?.remove();
    document.documentElement.classList.add("app");
    render(html`<${App} state=${state} listen=${(listener) => { listeners.add(listener); return () => listeners.delete(listener); }} />`, place);
    if (source.served) follow(state, index, changed);
  } catch (error) {
    place.textContent = `The samples cannot be shown: ${error.message ?? error}`;
    throw error;
  }
}

start();
