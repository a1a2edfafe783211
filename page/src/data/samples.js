// All samples as columns, and what is known of the problems that they belong to.

export const VERDICTS = ["correct", "wrong", "truncated", "unparsed", "failed", "pending"];
export const FLAGS = { looping: 1, unread: 2, endless: 4 };

export class Samples {
  constructor() {
    this.clear();
  }

  clear() {
    this.columns = null;
    this.edition = (this.edition ?? 0) + 1;
    this.count = 0;
    this.places = new Map();
    this.problems = new Map();
  }

  add(columns) {
    if (this.columns === null) this.columns = Object.fromEntries(Object.keys(columns).map((name) => [name, []]));
    for (const [name, column] of Object.entries(this.columns)) for (const value of columns[name]) column.push(value);
    const first = this.count;
    this.count = this.columns.id.length;
    for (let row = first; row < this.count; row++) {
      this.columns.verdict[row] ??= "pending";
      this.places.set(this.key(row), row);
      const problem = this.problemKey(row);
      if (!this.problems.has(problem)) this.problems.set(problem, { rows: [], right: 0, scored: 0 });
      const entry = this.problems.get(problem);
      entry.rows.push(row);
      entry.right += this.columns.verdict[row] === "correct";
      entry.scored += !["failed", "pending"].includes(this.columns.verdict[row]);
    }
  }

  key(row) {
    return keyOf(this.columns.run[row], this.columns.id[row], this.columns.sample[row]);
  }

  problemKey(row) {
    return JSON.stringify([this.columns.run[row], this.columns.id[row]]);
  }

  problem(row) {
    return this.problems.get(this.problemKey(row));
  }

  // The rows of the same problem in another run.
  elsewhere(run, row) {
    return this.problems.get(JSON.stringify([run, this.columns.id[row]]))?.rows ?? [];
  }

  // The row of a sample, or undefined.
  find(run, id, sample) {
    return this.places.get(keyOf(run, id, sample));
  }
}

export function keyOf(run, id, sample) {
  return JSON.stringify([run, id, sample]);
}
