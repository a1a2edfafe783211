// Bundles src/ into the three files that the wheel ships. `node build.js FOLDER` writes them elsewhere.
import { readFileSync, writeFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "src", "skythought", "reporting", "page");
const options = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  // The file is put into a page between script tags: esbuild writes </script> in strings as <\/script>.
  charset: "utf8",
  legalComments: "none",
  target: ["chrome115", "firefox115", "safari16.4"],
  metafile: true,
  write: false,
};

const script = await build({ ...options, entryPoints: ["src/main.js"], format: "iife" });
const style = await build({ ...options, entryPoints: ["src/page.css"] });
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "page.js"), script.outputFiles[0].contents);
writeFileSync(join(out, "page.css"), style.outputFiles[0].contents);
writeFileSync(join(out, "LICENSES.txt"), licences(script.metafile.inputs));

// The licence of each package that the bundle has something of.
function licences(inputs) {
  const pattern = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//;
  const names = new Set(Object.keys(inputs).flatMap((path) => pattern.exec(path)?.[1] ?? []));
  const texts = new Map();
  for (const name of [...names].sort()) {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    if (!file) throw new Error(`${name} has no licence file`);
    const text = readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
    texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const parts = [...texts].map(([text, packages]) => `${packages.join("\n")}\n\n${text}\n`);
  return `page.js contains these packages.\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}
