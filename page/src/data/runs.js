// How runs are called: as in their comparison if it has a name for each, else by their folders.

export function labelled({ runs, comparison }) {
  const names = new Map();
  for (const pair of comparison?.pairs ?? [])
    for (const task of pair.tasks)
      [pair.first, pair.second].forEach((name, side) => names.set(task.runs[side].path, name));
  const tasks = new Set(runs.map((run) => run.task));
  const labels = runs.map(({ folder, task }) => names.get(folder) && (tasks.size > 1 ? `${names.get(folder)} · ${task}` : names.get(folder)));
  const told = labels.every(Boolean) && new Set(labels).size === runs.length;
  return runs.map((run, number) => ({ ...run, label: told ? labels[number] : run.name }));
}
