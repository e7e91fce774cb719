import { expect, it } from "vitest";
import { showOf } from "./preview.svelte.ts";

it("shows what has a look of its own", () => {
  for (const kind of ["image", "video", "audio", "pdf"] as const) {
    expect(showOf(kind, 5e9, false)).toBe(kind);
  }
  for (const kind of ["archive", "other", "folder"] as const) {
    expect(showOf(kind, 1, true)).toBe("none");
  }
});

it("shows text that is short enough and may be read", () => {
  expect(showOf("text", 2_000_000, true)).toBe("text");
  expect(showOf("text", 2_000_001, true)).toBe("tooLong");
  expect(showOf("text", undefined, true)).toBe("tooLong");
  expect(showOf("text", 1, false)).toBe("none");
});
