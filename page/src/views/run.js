// One run: how good, where it fails, how long.

import { html } from "htm/preact";
import { useMemo, useState } from "preact/hooks";
import { PROBLEMS, SIGNS, parseFilter, passing, tests } from "../data/filters.js";
import { samplesAddress } from "../data/route.js";
import { FLAGS, VERDICTS } from "../data/samples.js";
import { LengthAgainstAccuracy, LengthByVerdict, PassAtK } from "./charts.js";
import { Bar, CopyButton, Text, counted, figureText, pValue, percent, whole } from "./parts.js";

const FIRST_SUBSETS = 30;

export function RunView({ run, number, state }) {
  const { samples, doubts } = state;
  const rows = useMemo(
    () => passing(tests({ ...parseFilter(new URLSearchParams()), run: number }, samples, doubts), samples),
    [samples.count, samples.edition, number],
  );
  const sampling = Object.entries(run.sampling ?? {}).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return html`<div class="run">
    <h1 tabindex="-1"><${Text} of=${run.task} /> <span class="light">by</span> <${Text} of=${run.model} /></h1>
    <p class="light">
      ${counted(run.problems, "problem")}, ${counted(run.n, "sample")} each
      ${run.pending > 0 && html`, <b>${whole(run.pending)} still to come</b>`} · <${Text} of=${run.backend} />
      ${sampling.length > 0 && html` · <${Text} of=${sampling.join(", ")} />`}
    </p>
    <${Figures} figures=${run.figures} />
    <section aria-labelledby="where">
      <h2 id="where">Where it fails</h2>
      <${VerdictBar} rows=${rows} number=${number} samples=${samples} />
      <${Signs} rows=${rows} number=${number} samples=${samples} />
    </section>
    ${Object.entries(run.subsets ?? {}).map(
      ([column, values]) => html`<${Subsets} column=${column} values=${values} number=${number} key=${column} />`,
    )}
    <section aria-labelledby="how-long" class="charts">
      <h2 id="how-long">${run.pass_at_k?.length > 1 ? "More samples, more tokens" : "How long"}</h2>
      ${run.pass_at_k?.length > 1 && html`<${PassAtK} points=${run.pass_at_k} />`}
      <${LengthByVerdict} rows=${rows} samples=${samples} />
      <${LengthAgainstAccuracy} rows=${rows} samples=${samples} />
    </section>
    <section aria-labelledby="facts">
      <h2 id="facts">The run</h2>
      <dl class="facts">
        <dt>folder</dt>
        <dd><${Text} of=${run.folder} /></dd>
        ${(run.facts ?? []).map(([name, value]) => html`<dt><${Text} of=${name} /></dt><dd><${Text} of=${value} /></dd>`)}
      </dl>
      ${run.command && html`<${Command} text=${run.command} />`}
    </section>
  </div>`;
}

export function Command({ text }) {
  return html`<div class="command"><pre tabindex="0"><${Text} of=${text} /></pre>
    <${CopyButton} text=${() => text} label="copy" /></div>`;
}

function Figures({ figures }) {
  const shares = figures.filter((figure) => figure.unit === "share");
  return html`<section aria-labelledby="how-good">
    <h2 id="how-good">How good</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Figures">
      <table>
        <thead><tr><th scope="col">figure</th><th scope="col" class="number">value</th><th scope="col">interval</th>
          ${shares.length > 0 && html`<td class="wide"><span class="axis"><i>0</i><i>50</i><i>100%</i></span></td>`}
          <th scope="col">note</th></tr></thead>
        <tbody>
          ${figures.map((figure) => {
            const { value, interval } = figureText(figure);
            return html`<tr>
              <th scope="row"><${Text} of=${figure.name} /></th>
              <td class="number strong">${value}</td>
              <td class="interval">${interval}</td>
              ${shares.length > 0 && html`<td class="wide">${figure.unit === "share" && html`<${Bar} ...${figure} />`}</td>`}
              <td class="light">${figure.note && html`<${Text} of=${figure.note} />`}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
  </section>`;
}

function VerdictBar({ rows, number, samples }) {
  const counts = VERDICTS.map((name) => [name, rows.filter((row) => samples.columns.verdict[row] === name).length]);
  const some = counts.filter(([, count]) => count > 0);
  return html`<div class="verdicts">
    <div class="stack" aria-hidden="true">
      ${some.map(([name, count]) => html`<i class=${name} style=${{ flexGrow: count }} />`)}
    </div>
    <ul>
      ${some.map(
        ([name, count]) => html`<li>
          <a href=${samplesAddress({ run: number, verdict: [name] })} class="verdict ${name}">${name}</a>
          ${" "}<b>${whole(count)}</b> <span class="light">${percent(count / rows.length)}%</span>
        </li>`,
      )}
    </ul>
  </div>`;
}

function Signs({ rows, number, samples }) {
  const { flags } = samples.columns;
  const problems = [...new Set(rows.map((row) => samples.problem(row)))];
  const several = problems.some((problem) => problem.rows.length > 1);
  const lines = [
    ...Object.entries(SIGNS).map(([sign, label]) => ({
      label,
      count: rows.filter((row) => flags[row] & FLAGS[sign]).length,
      of: "samples",
      filter: { sign: [sign] },
    })),
    ...Object.entries(PROBLEMS).map(([name, { label, holds }]) => ({
      label,
      count: several || name === "all-wrong" ? problems.filter(holds).length : 0,
      of: "problems",
      filter: { problem: name },
    })),
  ].filter((line) => line.count > 0);
  if (lines.length === 0) return null;
  return html`<ul class="signs">
    ${lines.map(
      (line) => html`<li>
        <a href=${samplesAddress({ run: number, ...line.filter })}>${line.label}</a>${" "}
        <b>${whole(line.count)}</b> <span class="light">${line.of}</span>
      </li>`,
    )}
  </ul>`;
}

function Subsets({ column, values, number }) {
  const [all, showAll] = useState(values.length <= FIRST_SUBSETS + 5);
  const tested = values.some((subset) => typeof subset.p_adjusted === "number");
  return html`<section aria-label=${`Accuracy by ${column}`}>
    <h2>By <${Text} of=${column} /></h2>
    <div class="scroll" tabindex="0" role="region" aria-label=${`Accuracy by ${column}, table`}>
      <table>
        <thead><tr><th scope="col"><${Text} of=${column} /></th><th scope="col" class="number">problems</th>
          <th scope="col" class="number">accuracy</th><th scope="col">interval</th>
          <td class="wide"><span class="axis"><i>0</i><i>50</i><i>100%</i></span></td>
          ${tested && html`<th scope="col" class="number">p, against the rest</th>`}</tr></thead>
        <tbody>
          ${(all ? values : values.slice(0, FIRST_SUBSETS)).map(
            (subset) => html`<tr>
              <th scope="row"><a href=${samplesAddress({ run: number, subset: String(subset.value) })}><${Text} of=${subset.value} /></a></th>
              <td class="number">${whole(subset.problems)}</td>
              <td class="number strong">${figureText({ value: subset.accuracy, unit: "share" }).value}</td>
              <td class="interval">${figureText({ ...subset, value: subset.accuracy, unit: "share" }).interval}</td>
              <td class="wide"><${Bar} value=${subset.accuracy} low=${subset.low} high=${subset.high} /></td>
              ${tested && html`<td class="number light">${pValue(subset.p_adjusted)}</td>`}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${!all && html`<button type="button" class="more" onClick=${() => showAll(true)}>show all ${whole(values.length)}</button>`}
  </section>`;
}
