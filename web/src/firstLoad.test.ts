// How much the built pages load at first: compressed scripts and styles together.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { expect, it } from "vitest";

/** Bytes that UX.md allows. */
const FIRST_LOAD_BYTES_MAX = 150_000;
const DIST = join(import.meta.dirname, "..", "dist");

// Without a build there is nothing to measure; the end-to-end tests always have one and measure too.
it.runIf(existsSync(DIST)).each(["index.html", "login.html", "preview.html"])("%s loads little at first", (page) => {
  const html = readFileSync(join(DIST, page), "utf8");
  const files = new Set([...html.matchAll(/\/web\/(assets\/[\w.-]+\.(?:js|css))/g)].map((found) => found[1] ?? ""));
  // Whatever those import at once comes along.
  for (const file of files) {
    if (!file.endsWith(".js")) continue;
    const code = readFileSync(join(DIST, file), "utf8");
    for (const found of code.matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) {
      files.add(`assets/${found[1] ?? ""}`);
    }
  }
  const sizes = [...files].map((file) => brotliCompressSync(readFileSync(join(DIST, file))).length);
  expect(files.size).toBeGreaterThan(1);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
});
