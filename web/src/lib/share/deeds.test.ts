import { expect, it } from "vitest";
import type { LogRow } from "../api/types.ts";
import { deedOf, folded } from "./deeds.ts";

const link = { id: 3, path: "Summer", label: "Grandma", guest_folders: true };
const row = (op: string | undefined, path: string, more: Partial<LogRow> = {}): LogRow => ({
  id: 1, timestamp: "2026-11-29 12:00:00", action: "", ip: "10.0.0.9", door: "link", path, user: "link Grandma", ...(op && { op }), ...more,
});

it.each([
  [row(undefined, "Summer", { action: "opened /Summer" }), "look", "Summer", ""],
  [row("read", "Summer", { action: "opened /Summer as Anna" }), "look", "Summer", "Anna"],
  [row("create", "Summer/Anna/b.jpg"), "bring", "b.jpg", "Anna"],
  [row("create", "Summer/b.jpg"), "bring", "b.jpg", ""],
  [row("create", "Summer/b.jpg", { action: "uploaded /Summer/b.jpg as Anna" }), "bring", "b.jpg", "Anna"],
  [row("create", "Summer/Anna (1)/b.jpg", { action: "uploaded /Summer/Anna (1)/b.jpg as Anna" }), "bring", "b.jpg", "Anna"],
  [row("create", "Summer/b as Anna", { action: "uploaded /Summer/b as Anna" }), "bring", "b as Anna", ""],
  [row("refused", "Summer"), "refused", "Summer", ""],
  // It was called otherwise then.
  [row("create", "Summer/b.jpg", { user: "link Oma" }), "bring", "b.jpg", ""],
])("%j is told as %s of %s by %j", (one, kind, name, who) => {
  expect(deedOf(one, link, [])).toMatchObject({ kind, name, who, from: "10.0.0.9" });
});

it("tells nothing of what came by another link, or lies elsewhere", () => {
  const others = [{ ...link, id: 4, label: "Uncle" }, { ...link, id: 5, label: "" }];
  expect(deedOf(row("create", "Summer/b.jpg", { user: "link Uncle" }), link, others)).toBeUndefined();
  expect(deedOf(row("create", "Summer/b.jpg", { user: "link 5" }), link, others)).toBeUndefined();
  expect(deedOf(row("create", "Winter/b.jpg"), link, others)).toBeUndefined();
  // Two for the same person are not told apart.
  expect(deedOf(row("create", "Summer/b.jpg"), link, [{ ...link, id: 6 }])).toBeDefined();
});

it("names nobody where guests have no folders", () => {
  expect(deedOf(row("create", "Summer/Anna/b.jpg"), { ...link, guest_folders: false }, [])).toMatchObject({ who: "" });
});

it("tells of a guest's look once a day", () => {
  const look = (id: number, more: Partial<LogRow> = {}) => deedOf({ ...row(undefined, "Summer"), id, ...more }, link, []) ?? [];
  const deeds = [
    look(9), look(8), look(7, { ip: "10.0.0.7" }), look(6, { action: "opened /Summer as Anna" }),
    look(5, { timestamp: "2026-11-28 12:00:00" }), look(4, { op: "create", path: "Summer/a" }), look(3, { op: "create", path: "Summer/b" }),
  ].flat();
  expect(folded(deeds).map(({ id }) => id)).toEqual([9, 7, 6, 5, 4, 3]);
});
