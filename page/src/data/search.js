// Search through all texts: block after block, so that the page stays alive and shows what is found so far.

const SHOWN_EVERY = 100; // milliseconds

export function matcher(query) {
  const escaped = query.replace(/[.*+?^${}()|[\]\\\/]/g, "\\$&");
  return new RegExp(escaped, "i");
}

function parts(text) {
  const turns = text.messages.map((message) => message.content);
  return [text.answer, text.thinking, text.read, text.gold, text.reason, text.error, ...turns];
}

function excerpt(part, at, length) {
  const start = Math.max(0, at - 30);
  return (start > 0 ? "…" : "") + part.slice(start, at + length + 90).replace(/\s+/g, " ");
}

// Looks into the rows that `seen` (from row to excerpt, or null where nothing was found) has not, and writes there.
// Calls back every now and then; `signal` ends it early.
export async function search(source, samples, rows, query, seen, signal, shown) {
  const { block, place, id } = samples.columns;
  const pattern = matcher(query);
  const blocks = new Map();
  for (const row of rows) if (!seen.has(row)) blocks.set(block[row], [...(blocks.get(block[row]) ?? []), row]);
  let last = 0;
  for (const members of blocks.values()) {
    for (const row of members) {
      const text = await source.text(block[row], place[row]);
      if (signal.aborted) return;
      seen.set(row, id[row] === query ? "" : found(text, pattern));
    }
    if (performance.now() - last > SHOWN_EVERY) {
      last = performance.now();
      shown();
      // Waiting for a timer, unlike for a promise, lets the browser paint and take keys.
      await new Promise((next) => setTimeout(next, 0));
    }
  }
  shown();
}

function found(text, pattern) {
  for (const part of parts(text)) {
    const hit = part ? pattern.exec(part) : null;
    if (hit) return excerpt(part, hit.index, hit[0].length);
  }
  return null;
}
