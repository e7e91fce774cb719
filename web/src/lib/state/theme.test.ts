import { expect, it } from "vitest";
import { readTheme } from "./theme.svelte.ts";

it("takes only themes there are", () => {
  expect(readTheme("dark")).toBe("dark");
  expect(readTheme("light")).toBe("light");
  for (const kept of [null, "", "Dark", "toString"]) expect(readTheme(kept)).toBe("system");
});
