import { beforeEach, expect, it, vi } from "vitest";
import type { Entry } from "../api/types.ts";
import { listing } from "../state/listing.svelte.ts";
import { Pointing, type View } from "./pointing.ts";

/** As much of an element as says where in an entry it is. */
class Spot {
  constructor(readonly name: string, readonly within: readonly string[] = []) {}
  closest(selector: string) {
    return this.within.includes(selector) ? this : null;
  }
  getBoundingClientRect() {
    return { right: 7, bottom: 9 };
  }
}
class Press {
  pointerType = "mouse";
  button = 0;
  ctrlKey = false;
  metaKey = false;
  shiftKey = false;
  clientX = 1;
  clientY = 2;
  preventDefault = vi.fn();
  constructor(readonly target: Spot, more: object = {}) {
    Object.assign(this, more);
  }
}
vi.stubGlobal("Element", Spot);
vi.stubGlobal("PointerEvent", Press);

const entry = (name: string): Entry => ({ name, type: "file", size: 0, modified: "", mime: "", writable: true });
const event = (name: string, within: string[] = [], more: object = {}) =>
  new Press(new Spot(name, within), more) as unknown as PointerEvent & { preventDefault: ReturnType<typeof vi.fn> };
const finger = { pointerType: "touch" };

const view = { open: vi.fn<View["open"]>(), openMenu: vi.fn<View["openMenu"]>(), focus: vi.fn<View["focus"]>() };
const entryAt = (target: EventTarget | null) => listing.find((target as unknown as Spot).name);
const selected = () => [...listing.selection.names];
let pointing: Pointing;

beforeEach(() => {
  vi.clearAllMocks();
  listing.all = ["a", "b", "c", "d"].map(entry);
  listing.selection.reset();
  pointing = new Pointing({ ...view, entryAt });
});

it("selects with a click, more with Ctrl and Shift, and lets go beside all entries", () => {
  pointing.click(event("b"));
  expect(selected()).toEqual(["b"]);
  pointing.click(event("d", [], { shiftKey: true }));
  expect(selected()).toEqual(["b", "c", "d"]);
  pointing.click(event("c", [], { metaKey: true }));
  expect(selected()).toEqual(["b", "d"]);
  pointing.click(event("a", ["[data-mark]"]));
  expect(selected()).toEqual(["b", "d", "a"]);
  pointing.click(event("", [], { ctrlKey: true }));
  pointing.click(event("", ["button"]));
  expect(selected()).toHaveLength(3);
  pointing.click(event(""));
  expect(selected()).toEqual([]);
  expect(view.open).not.toHaveBeenCalled();
});

it("opens with two clicks, elsewhere with the middle button; links by themselves", () => {
  pointing.doubleClick(event("a"));
  expect(view.open).toHaveBeenLastCalledWith(entry("a"), false);
  pointing.doubleClick(event("a", ["[data-more]"]));
  pointing.doubleClick(event("a", [], finger));
  expect(view.open).toHaveBeenCalledTimes(1);
  pointing.middleClick(event("b", [], { button: 1 }));
  expect(view.open).toHaveBeenLastCalledWith(entry("b"), true);
  pointing.middleClick(event("b", [], { button: 0 }));
  pointing.middleClick(event("b", ["a"], { button: 1 }));
  expect(view.open).toHaveBeenCalledTimes(2);
  const link = event("a", ["a"]);
  pointing.click(link);
  expect(link.preventDefault).toHaveBeenCalled();
});

it("opens with a tap, and selects with it once something is selected", () => {
  pointing.click(event("a", [], finger));
  expect(view.open).toHaveBeenCalledWith(entry("a"), false);
  expect([selected(), listing.selection.cursor]).toEqual([[], "a"]);
  listing.selection.pick("b");
  pointing.click(event("c", [], finger));
  expect(selected()).toEqual(["b", "c"]);
  expect(view.open).toHaveBeenCalledTimes(1);
});

it("asks for the actions of what is meant", () => {
  pointing.click(event("a", ["[data-more]"]));
  expect(view.openMenu).toHaveBeenLastCalledWith(7, 9, undefined);
  expect(selected()).toEqual(["a"]);
  pointing.click(event("b", ["[data-more]"], finger));
  expect(view.openMenu).toHaveBeenLastCalledWith(7, 9, "closed");
  expect(selected()).toEqual(["b"]);
  listing.selection.only(["a", "b"]);
  pointing.contextMenu(event("a"));
  expect(view.openMenu).toHaveBeenLastCalledWith(1, 2);
  expect(selected()).toEqual(["a", "b"]);
  pointing.contextMenu(event("c"));
  expect(selected()).toEqual(["c"]);
  pointing.contextMenu(event(""));
  expect(selected()).toEqual([]);
  const field = event("a", ["input"]);
  pointing.contextMenu(field);
  expect(field.preventDefault).not.toHaveBeenCalled();
});

it("selects by a finger that stays, whose click means nothing any more", () => {
  vi.useFakeTimers();
  const down = Object.assign(event("a", [], finger), { isPrimary: true });
  pointing.press.down(down);
  vi.advanceTimersByTime(500);
  expect(view.openMenu).toHaveBeenLastCalledWith(1, 2, "picked");
  pointing.press.up();
  pointing.click(event("a", [], finger));
  pointing.contextMenu(event("a", [], finger));
  expect(selected()).toEqual(["a"]);
  expect(view.open).not.toHaveBeenCalled();
  expect(view.openMenu).toHaveBeenCalledTimes(1);
  vi.useRealTimers();
});
