// How much the built pages load at first: compressed scripts and styles together.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { parse } from "acorn";
import { expect, it } from "vitest";

/** Bytes that UX.md allows. */
const FIRST_LOAD_BYTES_MAX = 150_000;
/** The same for the guest's page, and with all that it loads later (bytes of gzip). */
const GUEST_BYTES_MAX = 25_000;
const GUEST_ALL_BYTES_MAX = 38_000;
/** The newest JavaScript that every browser of the guest's page knows (see vite.guest.config.ts), but for `import()`. */
const GUEST_EDITION = 2019;
/** Packing as small as it gets takes its time on a busy machine (ms). */
const PACKING_MS_MAX = 60_000;
const DIST = join(import.meta.dirname, "..", "dist");

/** The scripts and styles that a page loads at once. */
function loadedAtFirst(page: string): Set<string> {
  const html = readFileSync(join(DIST, page), "utf8");
  const files = new Set([...html.matchAll(/\/web\/(assets\/[\w.-]+\.(?:js|css))/g)].map((found) => found[1] ?? ""));
  // Whatever those import at once comes along.
  for (const file of files) for (const other of importsOf(file, /(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) files.add(other);
  return files;
}

function importsOf(file: string, how: RegExp): string[] {
  if (!file.endsWith(".js")) return [];
  return [...readFileSync(join(DIST, file), "utf8").matchAll(how)].map((found) => `assets/${found[1] ?? ""}`);
}

function sumOf(files: Iterable<string>, pack: (bytes: Buffer) => Buffer): number {
  return [...files].reduce((sum, file) => sum + pack(readFileSync(join(DIST, file))).length, 0);
}

// Without a build there is nothing to measure; the end-to-end tests always have one and measure too.
it.runIf(existsSync(DIST)).each(["index.html", "login.html", "preview.html"])("%s loads little at first", (page) => {
  const files = loadedAtFirst(page);
  expect(files.size).toBeGreaterThan(1);
  expect(sumOf(files, brotliCompressSync)).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
}, PACKING_MS_MAX);

const isGuestBuilt = existsSync(join(DIST, "guest.html"));

it.runIf(isGuestBuilt)("the guest's page is small, and old phones can read it", () => {
  const files = loadedAtFirst("guest.html");
  expect(files.size).toBe(2);
  expect(sumOf(files, gzipSync)).toBeLessThanOrEqual(GUEST_BYTES_MAX);
  const later = [...files].flatMap((file) => importsOf(file, /import\("\.\/([\w.-]+\.js)"\)/g));
  expect(later.length).toBeGreaterThan(0);
  const all = new Set([...files, ...later]);
  expect(sumOf(all, gzipSync)).toBeLessThanOrEqual(GUEST_ALL_BYTES_MAX);
  for (const file of all) {
    if (!file.endsWith(".js")) continue;
    const code = readFileSync(join(DIST, file), "utf8").replaceAll("import(", "load(");
    expect(() => parse(code, { ecmaVersion: GUEST_EDITION, sourceType: "module" }), file).not.toThrow();
  }
});
