import { beforeEach, expect, it, vi } from "vitest";
import { isOf, noteSeen } from "./owner.ts";

const AT = Date.UTC(2026, 10, 29);
const share = { at: AT, goal: undefined };

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});

it("is of whoever sees it first", () => {
  expect(isOf("ana", share)).toBe(true);
  noteSeen("ana b", AT + 1);
  expect([isOf("ana b", share), isOf("ben", share)]).toEqual([true, false]);
  // What came after that nobody has seen yet.
  expect(isOf("ben", { ...share, at: AT + 2 })).toBe(true);
});

it("is of whoever said where it goes", () => {
  const sent = { ...share, goal: { user: "ana", folder: "" } };
  expect([isOf("ana", sent), isOf("ben", sent)]).toEqual([true, false]);
});
