// Two and more runs: who is better first, then where.

import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { sampleAddress } from "../data/route.js";
import { Bar, Text, counted, figureText, pValue, percent, points, whole } from "./parts.js";

export function ComparisonView({ comparison, state }) {
  if (!comparison) return html`<div><h1 tabindex="-1">${state.runs.length} runs</h1><${SideBySide} runs=${state.runs} /></div>`;
  const [chosen, choose] = useState(0);
  const pair = comparison.pairs[chosen];
  return html`<div class="comparison">
    <h1 tabindex="-1" class="sentence"><${Text} of=${comparison.sentence} /></h1>
    ${comparison.names.length > 2 && html`<${HeatMap} ...${{ comparison, chosen, choose }} />`}
    ${pair.tasks.length > 1 && html`<${Tasks} pair=${pair} />`}
    ${pair.tasks.map((task) => html`<${Task} key=${`${chosen} ${task.task}`} ...${{ pair, task, state, level: comparison.level }} />`)}
    <h2>All figures</h2>
    <${SideBySide} runs=${state.runs} />
  </div>`;
}

function SideBySide({ runs }) {
  const names = [...new Set(runs.flatMap((run) => run.figures.map((figure) => figure.name)))];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Figures of all runs"><table>
    <thead><tr><th scope="col">figure</th>${runs.map((run, number) => html`<th scope="col"><a href=${`#/run/${number}`}><${Text} of=${run.label} /></a></th>`)}</tr></thead>
    <tbody>${names.map(
      (name) => html`<tr><th scope="row"><${Text} of=${name} /></th>
        ${runs.map((run) => {
          const figure = run.figures.find((figure) => figure.name === name);
          if (!figure) return html`<td class="light">–</td>`;
          const { value, interval } = figureText(figure);
          return html`<td><span class="strong">${value}</span> <span class="interval">${interval}</span></td>`;
        })}</tr>`,
    )}</tbody>
  </table></div>`;
}

// Row minus column, in points; a cell opens its pair.
function HeatMap({ comparison, chosen, choose }) {
  const { names, pairs } = comparison;
  const cell = (row, column) => {
    const at = pairs.findIndex((pair) => [pair.first, pair.second].includes(row) && [pair.first, pair.second].includes(column));
    if (row === column || at < 0) return html`<td class="same" />`;
    const { difference, conclusion } = pairs[at].overall;
    const ours = pairs[at].second === row ? difference : -difference;
    const shown = ["better", "worse"].includes(conclusion);
    const strength = `${Math.round(Math.min(1, Math.abs(ours) / 0.2) * 55)}%`;
    const said = { undecided: "undecided", equivalent: "the same" }[conclusion] ?? (ours > 0 ? "better" : "worse");
    return html`<td class=${shown ? "shown" : ""} style=${{ "--strength": strength, "--side": `var(--${ours > 0 ? "correct" : "wrong"})` }}>
      <button type="button" aria-pressed=${at === chosen} onClick=${() => choose(at)}>
        <span class="hidden">${row} against ${column}: </span>${points(ours)} <small>${said}</small></button></td>`;
  };
  return html`<p class="light">Points that the row is ahead of the column. Choose a pair to see where.</p>
    <div class="scroll" tabindex="0" role="region" aria-label="All pairs"><table class="heat">
    <thead><tr><td />${names.map((name) => html`<th scope="col"><${Text} of=${name} /></th>`)}</tr></thead>
    <tbody>${names.map((row) => html`<tr><th scope="row"><${Text} of=${row} /></th>${names.map((column) => cell(row, column))}</tr>`)}</tbody>
  </table></div>`;
}

const HEADS = html`<th scope="col" class="number">difference</th><th scope="col">interval</th><th scope="col" class="number">p, adjusted</th>`;

function Difference({ of }) {
  return html`<td class="number strong">${points(of.difference)}</td>
    <td class="interval">${points(of.low)} to ${points(of.high)}</td><td class="number">${pValue(of.p_adjusted)}</td>`;
}

function Tasks({ pair }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Tasks"><table>
    <thead><tr><th scope="col">task</th><th scope="col" class="number"><${Text} of=${pair.first} /></th><th scope="col" class="number"><${Text} of=${pair.second} /></th>${HEADS}<th scope="col">conclusion</th></tr></thead>
    <tbody>${[["all tasks", pair.overall], ...pair.tasks.map((task) => [task.task, task.estimate])].map(
      ([name, estimate]) => html`<tr><th scope="row"><${Text} of=${name} /></th>
        <td class="number">${percent(estimate.first)}%</td><td class="number">${percent(estimate.second)}%</td>
        <${Difference} of=${estimate} /><td>${estimate.conclusion}</td></tr>`,
    )}</tbody></table></div>`;
}

function Task({ pair, task, state, level }) {
  const { estimate, settle, length } = task;
  const more = settle && [
    settle.more_problems !== null && counted(settle.more_problems, "more problem"),
    settle.more_samples !== null && `${counted(settle.more_samples, "more sample")} a problem`,
  ].filter(Boolean);
  return html`<section aria-label=${`${pair.second} against ${pair.first} on ${task.task}`}>
    <h2><${Text} of=${pair.second} /> <span class="light">against</span> <${Text} of=${pair.first} /> <span class="light">on</span> <${Text} of=${task.task} /></h2>
    <p><b>${points(estimate.difference)} points</b> (${points(estimate.low)} to ${points(estimate.high)}, ${percent(level, 0)}%), p ${pValue(estimate.p_adjusted).replace(/^(?=\d)/, "= ")}:
      ${" "}${estimate.conclusion}. Of ${counted(estimate.problems, "problem")} ${whole(task.gained)} gained and ${whole(task.lost)} lost.
      ${more?.length > 0 && ` ${more.join(" or ")} would settle it.`}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Rates"><table>
      <thead><tr><td /><th scope="col" class="number"><${Text} of=${pair.first} /></th><th scope="col" class="number"><${Text} of=${pair.second} /></th><th scope="col" class="number">difference</th></tr></thead>
      <tbody>
        <tr><th scope="row">accuracy</th><td class="number">${percent(estimate.first)}%</td><td class="number">${percent(estimate.second)}%</td><td class="number">${points(estimate.difference)}</td></tr>
        ${task.rates.filter((rate) => rate.first !== null && rate.second !== null).map((rate) => html`<tr><th scope="row">${rate.name}</th><td class="number">${percent(rate.first)}%</td>
          <td class="number">${percent(rate.second)}%</td><td class="number">${points(rate.difference)}</td></tr>`)}
        ${length && html`<tr><th scope="row">completion tokens</th><td class="number">${whole(length.first)}</td><td class="number">${whole(length.second)}</td>
          <td class="number">${points(length.growth)}${length.growth !== null && "%"}</td></tr>`}
      </tbody></table></div>
    ${task.subsets.length > 0 && html`<${SubsetTable} subsets=${task.subsets} pair=${pair} />`}
    ${task.flips.length > 0 && html`<${Flips} ...${{ task, pair, state }} />`}
    ${task.differences.length > 0 && html`<details class="settings"><summary>What else is different: ${counted(task.differences.length, "setting")}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Settings"><table><tbody>${task.differences.map((setting) => html`<tr><th scope="row"><${Text} of=${setting.name} /></th><td><${Text} of=${setting.first} /></td><td><${Text} of=${setting.second} /></td></tr>`)}</tbody></table></div></details>`}
    ${task.notes.length > 0 && html`<ul class="light notes">${task.notes.map((note) => html`<li><${Text} of=${note} /></li>`)}</ul>`}
  </section>`;
}

function SubsetTable({ subsets, pair }) {
  const reach = Math.max(...subsets.flatMap((subset) => [Math.abs(subset.low), Math.abs(subset.high)]), 0.01);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="By subset"><table>
    <thead><tr><th scope="col">subset</th><th scope="col" class="number">problems</th><th scope="col" class="number"><${Text} of=${pair.first} /></th><th scope="col" class="number"><${Text} of=${pair.second} /></th>${HEADS}<td class="wide" /></tr></thead>
    <tbody>${subsets.map(
      (subset) => html`<tr><th scope="row"><span class="light"><${Text} of=${subset.column} /></span> <${Text} of=${subset.value} /></th><td class="number">${whole(subset.problems)}</td>
        <td class="number">${percent(subset.first)}%</td><td class="number">${percent(subset.second)}%</td><${Difference} of=${subset} />
        <td class="wide"><${Bar} value=${subset.difference} low=${subset.low} high=${subset.high} from=${-reach} to=${reach} /></td></tr>`,
    )}</tbody></table></div>`;
}

function Flips({ task, pair, state }) {
  const number = (facts) => state.runs.findIndex((run) => run.folder === facts.path);
  const side = (name, answers, facts, id) => {
    const run = number(facts);
    const link = run >= 0 && state.samples.find(run, id, 0) !== undefined;
    return html`<div><h4>${link ? html`<a href=${sampleAddress(run, id, 0)}><${Text} of=${name} /></a>` : html`<${Text} of=${name} />`}
        ${" "}<span class="verdict ${answers.right === answers.scored ? "correct" : answers.right === 0 ? "wrong" : "unparsed"}">${answers.right} of ${answers.scored} right</span></h4>
      <p>${answers.answers.map(([answer, count]) => html`<span class="given"><${Text} of=${answer} />${count > 1 && html`<span class="light"> ×${count}</span>`}</span> `)}</p>
      ${answers.reason && html`<p class="light"><${Text} of=${answers.reason} /></p>`}
      <p class="ending"><${Text} of=${answers.ending} /></p></div>`;
  };
  return html`<h3>Largest changes</h3><ul class="flips">${task.flips.map((flip) => {
    const gained = flip.second.right / flip.second.scored > flip.first.right / flip.first.scored;
    return html`<li><details><summary><span class="verdict ${gained ? "correct" : "wrong"}">${gained ? "gained" : "lost"}</span> <${Text} of=${flip.problem_id} />${" "}
        <span class="light"><${Text} of=${flip.prompt.slice(0, 160)} /></span></summary>
      <p class="prompt"><${Text} of=${flip.prompt} /></p>
      ${flip.target !== null && html`<p>gold <b><${Text} of=${flip.target} /></b></p>`}
      <div class="sides">${side(pair.first, flip.first, task.runs[0], flip.problem_id)}${side(pair.second, flip.second, task.runs[1], flip.problem_id)}</div>
    </details></li>`;
  })}</ul>`;
}
