// How the pages' worker is built: one script of its own at a name that never changes. It comes last, for it carries the
// version of all the others: with each other build of the pages the worker is another one, too.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const DIST = join(import.meta.dirname, "dist");
/** Characters of a hash that tell versions apart. */
const VERSION_LENGTH = 16;

/** `virtual:pages-version`: what the built pages are told from others by; see src/virtual.d.ts. */
function pagesVersion(): Plugin {
  const id = "virtual:pages-version";
  return {
    name: "larder-pages-version",
    resolveId: (wanted) => (wanted === id ? `\0${id}` : undefined),
    load(wanted) {
      if (wanted !== `\0${id}`) return undefined;
      return `export const pagesVersion = ${JSON.stringify(versionOf(DIST))};`;
    },
  };
}

/** A hash of the first page and of the names of all parts, which carry hashes of their own. */
function versionOf(folder: string): string {
  const hash = createHash("sha256").update(readFileSync(join(folder, "index.html")));
  for (const name of readdirSync(join(folder, "assets")).sort()) hash.update(`${name}\n`);
  return hash.digest("hex").slice(0, VERSION_LENGTH);
}

export default defineConfig({
  base: "/web/",
  publicDir: false,
  plugins: [pagesVersion()],
  build: {
    emptyOutDir: false,
    modulePreload: false,
    rollupOptions: {
      input: resolve(import.meta.dirname, "src/worker.ts"),
      output: { entryFileNames: "worker.js", format: "iife" },
    },
  },
});
