// Verdicts that a person doubts, with a note: saved beside the run in `view`, else in this browser; exported as JSON lines.

import { keyOf } from "./samples.js";

export class Doubts {
  constructor(source, index, changed) {
    this.source = source;
    this.runs = index.runs;
    this.changed = changed;
    this.store = `skythought ${index.runs.map((run) => run.folder).join(" ")}`;
    this.marks = new Map();
    for (const mark of [...(index.marks ?? []), ...this.#stored()]) this.#apply(mark);
  }

  has(key) {
    return this.marks.has(key);
  }

  get(key) {
    return this.marks.get(key);
  }

  async set(mark) {
    mark = { ...mark, time: new Date().toISOString().replace(/\.\d+/, "") };
    this.#apply(mark);
    this.changed();
    if (this.source.served) return this.source.mark(mark);
    try {
      localStorage.setItem(this.store, JSON.stringify([...this.#stored(), mark]));
    } catch {
      throw new Error("this browser keeps nothing for files; export the doubts before you close the page");
    }
    return null;
  }

  // One line a mark: what `marks.jsonl` of a run has, and what else a test case needs.
  exported(samples) {
    const lines = [...this.marks.values()].map((mark) => {
      const row = samples.find(mark.run, mark.id, mark.sample);
      const { name, folder, task } = this.runs[mark.run] ?? {};
      const of = (column) => (row === undefined ? null : samples.columns[column][row]);
      const { id, sample, doubt, note, time } = mark;
      const about = { task, run: name, folder, answer: of("answer"), gold: of("gold") };
      return { id, sample, verdict: of("verdict"), doubt, note, time, ...about };
    });
    return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  }

  #apply(mark) {
    const key = keyOf(mark.run, mark.id, mark.sample);
    if (mark.doubt) this.marks.set(key, mark);
    else this.marks.delete(key);
  }

  #stored() {
    if (this.source.served) return [];
    try {
      return JSON.parse(localStorage.getItem(this.store) ?? "[]");
    } catch {
      return [];
    }
  }
}
