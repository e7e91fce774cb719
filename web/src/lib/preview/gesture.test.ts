import { describe, expect, it } from "vitest";
import { axisOf, fitted, follow, isClosing, isDouble, speedOf, turnOf } from "./gesture.ts";

describe("a finger on a picture", () => {
  it("has no direction until it has gone a little", () => {
    expect(axisOf(3, -4)).toBeUndefined();
    expect(axisOf(-9, 2)).toBe("x");
    expect(axisOf(2, 30)).toBe("y");
  });

  it("is followed, and against resistance where nothing is beyond", () => {
    expect(follow(-100, false, true)).toBe(-100);
    expect(follow(-100, true, false)).toBeCloseTo(-28);
    expect(follow(100, false, true)).toBeCloseTo(28);
  });

  it("turns the page by going far, or fast", () => {
    expect(turnOf(-130, 0, 390)).toBe(1);
    expect(turnOf(130, 0.1, 390)).toBe(-1);
    expect(turnOf(-60, -0.9, 390)).toBe(1);
    expect(turnOf(-60, -0.1, 390)).toBe(0);
    expect(turnOf(-12, -2, 390)).toBe(0);
    // Far, but on the way back.
    expect(turnOf(-200, 0.8, 390)).toBe(0);
    expect(turnOf(-20, 0.8, 390)).toBe(0);
  });

  it("closes by going down, never up", () => {
    expect(isClosing(150, 0)).toBe(true);
    expect(isClosing(60, 0.8)).toBe(true);
    expect(isClosing(60, 0)).toBe(false);
    expect(isClosing(-300, -2)).toBe(false);
    expect(isClosing(200, -1)).toBe(false);
  });

  it("taps twice only soon, and in the same place", () => {
    const first = { x: 10, y: 10, t: 1000 };
    expect(isDouble(first, { x: 20, y: 12, t: 1250 })).toBe(true);
    expect(isDouble(first, { x: 20, y: 12, t: 1400 })).toBe(false);
    expect(isDouble(first, { x: 90, y: 12, t: 1100 })).toBe(false);
    expect(isDouble(undefined, first)).toBe(false);
  });

  it("has the speed of its last moments, and none where it rested", () => {
    const marks = [{ x: 0, y: 0, t: 0 }, { x: 300, y: 0, t: 100 }, { x: 310, y: 5, t: 150 }, { x: 320, y: 10, t: 170 }];
    expect(speedOf(marks, 175).x).toBeCloseTo(20 / 70, 5);
    expect(speedOf(marks, 400)).toEqual({ x: 0, y: 0 });
    expect(speedOf([], 1)).toEqual({ x: 0, y: 0 });
    expect(speedOf([{ x: 1, y: 1, t: 1 }], 1)).toEqual({ x: 0, y: 0 });
  });
});

describe("a picture on the stage", () => {
  const stage = { width: 400, height: 800 };
  it("is whole, and fills one side", () => {
    expect(fitted({ width: 1280, height: 960 }, stage, false)).toEqual({ width: 400, height: 300 });
    expect(fitted({ width: 90, height: 60 }, stage, false).width).toBe(400);
  });
  it("is no larger than it is, where that is all there is of it", () => {
    expect(fitted({ width: 90, height: 60 }, stage, true)).toEqual({ width: 90, height: 60 });
    expect(fitted({ width: 0, height: 60 }, stage, true)).toEqual({ width: 0, height: 0 });
  });
});
