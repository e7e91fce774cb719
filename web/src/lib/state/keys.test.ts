import { expect, it } from "vitest";
import { commandOf } from "./keys.ts";

const press = (key: string, more: object = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...more,
});

it.each([
  [press("ArrowDown"), "down"],
  [press("ArrowDown", { shiftKey: true }), "down"],
  [press("ArrowUp", { altKey: true }), "parent"],
  [press("a", { ctrlKey: true }), "all"],
  [press("A", { metaKey: true }), "all"],
  [press("c", { ctrlKey: true }), "copy"],
  [press("Backspace", { metaKey: true }), "delete"],
  [press("F10", { shiftKey: true }), "menu"],
  [press("/"), "filter"],
  [press("?", { shiftKey: true }), "help"],
  [press("q"), "type"],
  [press("ä"), "type"],
  [press("r", { ctrlKey: true }), undefined],
  [press("Shift"), undefined],
  [press("constructor"), undefined],
])("%j is %s", (one, command) => {
  expect(commandOf(one, true)).toBe(command);
});

it("leaves single keys alone where they are off", () => {
  expect(commandOf(press("/"), false)).toBeUndefined();
  expect(commandOf(press("?"), false)).toBeUndefined();
});
