// Where the data comes from: elements of the file itself, or the server of `skythought view`.

const KEPT_BLOCKS = 64;

async function unpacked(bytes) {
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const stream = new Blob([bytes]).stream();
  return new Response(zipped ? stream.pipeThrough(new DecompressionStream("gzip")) : stream).json();
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

// The script may run while the rest of the file is still being read, so an element can be absent or half there.
async function elementText(id) {
  const whole = () => document.getElementById(id)?.nextSibling;
  if (document.readyState === "loading" && !whole())
    await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
  const element = document.getElementById(id);
  if (element === null) throw new Error(`this page has no ${id}; it may have been cut off`);
  return element.textContent;
}

const file = {
  served: false,
  index: async () => unpacked(fromBase64(await elementText("index"))),
  block: async (number) => unpacked(fromBase64(await elementText(`block-${number}`))),
};

function server() {
  const token = new URLSearchParams(location.search).get("token") ?? "";
  const address = (path, more = {}) => `${path}?${new URLSearchParams({ token, ...more })}`;
  const asked = async (...request) => {
    const reply = await fetch(...request);
    if (!reply.ok) throw new Error(`the server says ${reply.status}: ${(await reply.text()).slice(0, 200)}`);
    return reply;
  };
  const json = async (path) => unpacked(new Uint8Array(await (await asked(path)).arrayBuffer()));
  return {
    served: true,
    index: (since) => json(address("index", since === undefined ? {} : { since })),
    block: (number) => json(address(`block/${number}`)),
    mark: (mark) =>
      asked(address("mark"), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(mark),
      }),
    // Calls back whenever there are more samples than before.
    follow(changed) {
      const events = new EventSource(address("events"));
      events.addEventListener("message", (event) => changed(JSON.parse(event.data)));
    },
  };
}

// Texts of samples, with the blocks opened last kept.
export function openSource() {
  const served = document.querySelector('meta[name="skythought"][content="served"]') !== null;
  const source = served ? server() : file;
  const blocks = new Map();
  return {
    ...source,
    forget: () => blocks.clear(),
    async text(block, place) {
      let list = await blocks.get(block);
      if (list === undefined || place >= list.length) {
        const opening = source.block(block);
        blocks.set(block, opening);
        opening.catch(() => blocks.delete(block));
        if (blocks.size > KEPT_BLOCKS) blocks.delete(blocks.keys().next().value);
        list = await opening;
      }
      return list[place];
    },
  };
}
