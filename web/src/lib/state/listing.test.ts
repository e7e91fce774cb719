import { expect, it } from "vitest";
import type { Entry } from "../api/types.ts";
import { keepWanted } from "./listing.svelte.ts";

const entries = [".secret", "Über uns.txt", "résumé.pdf", "plan.md"].map(
  (name): Entry => ({ name, type: "file", size: 0, modified: "", mime: "", writable: true }),
);
const wanted = (filter: string, isHiddenShown = false) =>
  keepWanted(entries, filter, isHiddenShown).map((entry) => entry.name);

it("finds names without minding case and accents", () => {
  expect(wanted("uber")).toEqual(["Über uns.txt"]);
  expect(wanted("RESUME")).toEqual(["résumé.pdf"]);
  expect(wanted("  plan ")).toEqual(["plan.md"]);
  expect(wanted("nothing")).toEqual([]);
});

it("leaves hidden ones out unless they are wanted", () => {
  expect(wanted("")).toEqual(["Über uns.txt", "résumé.pdf", "plan.md"]);
  expect(wanted("", true)).toHaveLength(4);
  expect(wanted("secret")).toEqual([]);
});
