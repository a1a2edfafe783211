// A person's doubts about verdicts.

import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { sampleAddress } from "../data/route.js";
import { Text, Verdict } from "./parts.js";

export function DoubtForm({ state, row }) {
  const { samples, doubts } = state;
  const { run, id, sample } = samples.columns;
  const mark = doubts.get(samples.key(row));
  const [problem, report] = useState("");
  const [note, write] = useState(mark?.note ?? "");
  const save = async (doubt, text) => {
    try {
      report("");
      await doubts.set({ run: run[row], id: id[row], sample: sample[row], doubt, note: text });
    } catch (error) {
      report(String(error.message ?? error));
    }
  };
  return html`<form class="doubt" onSubmit=${(event) => event.preventDefault()}>
    <label><input type="checkbox" checked=${mark !== undefined} onChange=${(event) => save(event.target.checked, note)} /> this verdict is doubtful</label>
    ${mark !== undefined && html`<label><span class="hidden">Why it is doubtful</span>
      <textarea rows="3" placeholder="why?" value=${note} onInput=${(event) => write(event.target.value)} onChange=${(event) => save(true, event.target.value)} /></label>`}
    ${problem && html`<p class="problem" role="alert">not saved: ${problem}</p>`}
  </form>`;
}

export function DoubtsView({ state }) {
  const { doubts, samples } = state;
  const marks = [...doubts.marks.values()];
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([doubts.exported(samples)], { type: "application/jsonl" }));
    link.download = "marks.jsonl";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return html`<div class="doubts">
    <h1 tabindex="-1">Doubted verdicts</h1>
    ${marks.length === 0
      ? html`<p>None. A verdict is marked as doubtful where a sample is shown.</p>`
      : html`<p><button type="button" onClick=${save}>save as marks.jsonl</button>${" "}
          <span class="light">${state.source.served ? "They are kept beside the run, too." : "They are kept in this browser only."}</span></p>
        <ul>
          ${marks.map((mark) => {
            const row = samples.find(mark.run, mark.id, mark.sample);
            return html`<li><a href=${sampleAddress(mark.run, mark.id, mark.sample)}>
                <${Text} of=${state.runs[mark.run]?.label} /> <${Text} of=${mark.id} /> · ${mark.sample}</a>
              ${" "}${row !== undefined && html`<${Verdict} of=${samples.columns.verdict[row]} />`} <${Text} of=${mark.note || ""} /></li>`;
          })}
        </ul>`}
  </div>`;
}
