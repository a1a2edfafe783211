// Which samples are shown, and in which order. A filter is what stands after the ? of an address.

import { FLAGS } from "./samples.js";

export const PROBLEMS = {
  "all-wrong": { label: "all samples wrong", holds: (problem) => problem.scored > 0 && problem.right === 0 },
  disagree: { label: "samples disagree", holds: (problem) => problem.right > 0 && problem.right < problem.scored },
};
export const SIGNS = {
  unread: "gold in response, not read",
  looping: "looping",
  endless: "thinking never ended",
};
export const ORDERS = {
  "": "as in the run",
  longest: "longest first",
  shortest: "shortest first",
  verdict: "by verdict",
};

export function parseFilter(query) {
  const list = (name) => (query.get(name) ?? "").split(",").filter(Boolean);
  return {
    run: query.get("run") === null ? null : Number(query.get("run")),
    verdict: list("verdict"),
    subset: query.get("subset"),
    problem: query.get("problem") ?? "",
    sign: list("sign"),
    doubt: query.get("doubt") === "1",
    q: query.get("q") ?? "",
    sort: query.get("sort") ?? "",
  };
}

export function filterQuery(filter) {
  const query = new URLSearchParams();
  if (filter.run !== null && filter.run !== undefined) query.set("run", filter.run);
  if (filter.verdict?.length) query.set("verdict", filter.verdict.join(","));
  if (filter.subset !== null && filter.subset !== undefined) query.set("subset", filter.subset);
  if (filter.problem) query.set("problem", filter.problem);
  if (filter.sign?.length) query.set("sign", filter.sign.join(","));
  if (filter.doubt) query.set("doubt", "1");
  if (filter.q) query.set("q", filter.q);
  if (filter.sort) query.set("sort", filter.sort);
  return query.toString().replaceAll("%2C", ",");
}

const oneLine = (text) => text.split(/\s+/).filter(Boolean).join(" ");

// What one part of the filter asks of a row. Parts are apart so that each can be counted without the others.
export function tests(filter, samples, doubts) {
  const { run, verdict, subset, flags } = samples.columns;
  const wanted = filter.sign.reduce((bits, sign) => bits | (FLAGS[sign] ?? 0), 0);
  const problem = PROBLEMS[filter.problem];
  return {
    run: filter.run === null ? null : (row) => run[row] === filter.run,
    verdict: filter.verdict.length === 0 ? null : (row) => filter.verdict.includes(verdict[row]),
    // A sample of a task that is reported by two columns has two values there, with a comma between them.
    subset: filter.subset === null ? null : (row) => `, ${subset[row]}, `.includes(`, ${oneLine(filter.subset)}, `),
    problem: problem === undefined ? null : (row) => problem.holds(samples.problem(row)),
    sign: wanted === 0 ? null : (row) => (flags[row] & wanted) !== 0,
    doubt: filter.doubt ? (row) => doubts.has(samples.key(row)) : null,
  };
}

// The rows that pass, all parts but those left out.
export function passing(parts, samples, without = []) {
  const asked = Object.entries(parts).flatMap(([name, test]) => (test && !without.includes(name) ? [test] : []));
  const rows = [];
  for (let row = 0; row < samples.count; row++) if (asked.every((test) => test(row))) rows.push(row);
  return rows;
}

export function sorted(rows, sort, samples) {
  const { out, verdict } = samples.columns;
  const by = {
    longest: (a, b) => (out[b] ?? -1) - (out[a] ?? -1),
    shortest: (a, b) => (out[a] ?? Infinity) - (out[b] ?? Infinity) || a - b,
    verdict: (a, b) => verdict[a].localeCompare(verdict[b]),
  }[sort];
  return by ? rows.toSorted?.(by) ?? [...rows].sort(by) : rows;
}

// How many rows there are of each value: of verdicts and so on, each counted with the other parts of the filter.
export function counts(parts, samples) {
  const { verdict, flags } = samples.columns;
  const found = { verdict: {}, sign: {}, problem: {} };
  const add = (group, name) => (found[group][name] = (found[group][name] ?? 0) + 1);
  for (const row of passing(parts, samples, ["verdict"])) add("verdict", verdict[row]);
  for (const row of passing(parts, samples, ["sign"]))
    for (const sign of Object.keys(SIGNS)) if (flags[row] & FLAGS[sign]) add("sign", sign);
  for (const row of passing(parts, samples, ["problem"]))
    for (const [name, { holds }] of Object.entries(PROBLEMS)) if (holds(samples.problem(row))) add("problem", name);
  return found;
}
