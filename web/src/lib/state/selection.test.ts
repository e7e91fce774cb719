import { beforeEach, describe, expect, it } from "vitest";
import { Selection } from "./selection.svelte.ts";

let order: string[];
let selection: Selection;
const picked = () => [...selection.names].sort();

beforeEach(() => {
  order = ["a", "b", "c", "d", "e"];
  selection = new Selection(() => order);
});

describe("a selection", () => {
  it("is one by a click, more by Ctrl, a stretch by Shift", () => {
    selection.pick("b");
    expect(picked()).toEqual(["b"]);
    selection.pick("d", { isToggle: true });
    expect(picked()).toEqual(["b", "d"]);
    selection.pick("d", { isToggle: true });
    expect(picked()).toEqual(["b"]);
    selection.pick("b");
    selection.pick("d", { isStretch: true });
    expect(picked()).toEqual(["b", "c", "d"]);
    selection.pick("a", { isStretch: true });
    expect(picked()).toEqual(["a", "b"]);
  });

  it("adds a stretch to what is selected with Ctrl and Shift", () => {
    selection.pick("a");
    selection.pick("d", { isToggle: true });
    selection.pick("e", { isToggle: true, isStretch: true });
    expect(picked()).toEqual(["a", "d", "e"]);
  });

  it("moves by arrows and stops at the ends", () => {
    expect(selection.step(1)).toBe("a");
    expect(selection.step(-1)).toBe("a");
    selection.step(3);
    expect(picked()).toEqual(["d"]);
    selection.step(9, { isStretch: true });
    expect(picked()).toEqual(["d", "e"]);
    selection.step(-1, { isToggle: true });
    expect([picked(), selection.cursor]).toEqual([["d", "e"], "d"]);
  });

  it("begins at the end it comes from", () => {
    expect(selection.step(-1)).toBe("e");
    selection.reset();
    expect(selection.step(9)).toBe("a");
  });

  it("has nowhere to go in an empty list", () => {
    order = [];
    expect(selection.step(1)).toBeUndefined();
    selection.all();
    expect(picked()).toEqual([]);
  });

  it("forgets what is gone and follows what is renamed", () => {
    selection.all();
    order = ["a", "c", "x"];
    selection.prune();
    expect(picked()).toEqual(["a", "c"]);
    selection.rename("a", "x");
    expect(picked()).toEqual(["c", "x"]);
  });

  it("finds by what is typed, the next one for the same letter again", () => {
    order = ["Apple", "apricot", "banana"];
    expect(selection.find("a")).toBe("apricot");
    selection.pick("apricot");
    expect(selection.find("a")).toBe("Apple");
    expect(selection.find("ap")).toBe("apricot");
    expect(selection.find("z")).toBeUndefined();
  });
});
