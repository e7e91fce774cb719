import { expect, it } from "vitest";
import type { LogRow } from "../api/types.ts";
import { deedOf } from "./deeds.ts";

const row = (op: string, path: string, user?: string): LogRow => ({ id: 1, timestamp: "2026-11-29 12:00:00", action: "", ip: "10.0.0.9", door: "link", op, path, ...(user && { user }) });

it.each([
  ["read", "Summer", "look"],
  ["read", "Summer/a.jpg", "take"],
  ["create", "Summer/b.jpg", "bring"],
  ["refused", "Summer", "refused"],
])("%s of %s is told as %s", (op, path, kind) => {
  expect(deedOf(row(op, path, "anna"), { path: "Summer" })).toMatchObject({ kind, who: "anna", from: "10.0.0.9", name: path.split("/").at(-1) });
});

it("tells nothing of what was no guest's", () => {
  expect(deedOf(row("change", "Summer"), { path: "Summer" })).toBeUndefined();
});
