// What the build makes for home screens agrees with what the pages look like.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { GROUND } from "../homeScreen.ts";

const TOP = join(import.meta.dirname, "..");
/** What all of it may add to the program (bytes). */
const ICONS_BYTES_MAX = 10_000;

it("has the ground of the pages", () => {
  const tokens = readFileSync(join(TOP, "src/styles/tokens.css"), "utf8");
  const grounds = [...tokens.matchAll(/--raw-page: (#\w+);/g)].map((found) => found[1]);
  expect(grounds).toEqual([GROUND.light, GROUND.dark]);
});

it.runIf(existsSync(join(TOP, "dist/worker.js")))("is small, and the worker imports nothing", () => {
  const manifest = JSON.parse(readFileSync(join(TOP, "dist/manifest.webmanifest"), "utf8")) as { icons: { src: string }[] };
  const sizes = manifest.icons.map(({ src }) => readFileSync(join(TOP, "dist", src.replace("/web/", ""))).length);
  expect(sizes.reduce((sum, one) => sum + one, 0)).toBeLessThan(ICONS_BYTES_MAX);
  const worker = readFileSync(join(TOP, "dist/worker.js"), "utf8");
  expect(worker).not.toMatch(/\bimport\b|\bexport\b|importScripts/);
  expect(worker).toMatch(/"[0-9a-f]{16}"/);
});
