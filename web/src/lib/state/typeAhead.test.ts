import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { TypeAhead } from "./typeAhead.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("takes letters that come quickly for one beginning", () => {
  const typed = new TypeAhead();
  expect(typed.isUnderWay).toBe(false);
  expect(typed.add("a")).toBe("a");
  vi.advanceTimersByTime(500);
  expect(typed.isUnderWay).toBe(true);
  expect(typed.add("b")).toBe("ab");
  vi.advanceTimersByTime(700);
  expect(typed.add("c")).toBe("abc");
  vi.advanceTimersByTime(900);
  expect(typed.isUnderWay).toBe(false);
  expect(typed.add("d")).toBe("d");
});

it("begins anew once something else was done", () => {
  const typed = new TypeAhead();
  typed.add("a");
  typed.forget();
  expect(typed.isUnderWay).toBe(false);
  expect(typed.add("b")).toBe("b");
});
