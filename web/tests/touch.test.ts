// Fingers on a screen 360 px wide.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PHONE_DEVICE, Walk } from "./harness.ts";

const walk = new Walk();
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><rect width="900" height="600"/></svg>';

function fill(folder: string, names: string[]) {
  const at = join(walk.larder.root, folder);
  mkdirSync(at, { recursive: true });
  for (const name of names) writeFileSync(join(at, name), SVG);
}

describe("fingers", () => {
  it("swipe from picture to picture, and spread to see more", async () => {
    fill("swiped", ["a.svg", "b.svg", "c.svg"]);
    const page = await walk.enter("/?path=swiped", undefined, PHONE_DEVICE);
    await walk.entry("b.svg").tap();
    const image = (name: string) => page.getByRole("img", { name, exact: true });
    await image("b.svg").waitFor();
    const swipe = (from: number, to: number) =>
      walk.touch([{ x: from, y: 380 }], [{ x: (from + to) / 2, y: 382 }], [{ x: to, y: 384 }]);
    await swipe(300, 80);
    await image("c.svg").waitFor();
    await swipe(60, 290);
    await image("b.svg").waitFor();
    await swipe(60, 290);
    await image("a.svg").waitFor();
    // Up and down, and a little to the side, is no swipe; nor is there anything before the first.
    await walk.touch([{ x: 180, y: 300 }], [{ x: 190, y: 420 }], [{ x: 200, y: 500 }]);
    await walk.touch([{ x: 180, y: 380 }], [{ x: 150, y: 380 }]);
    await swipe(60, 290);
    expect(new URL(page.url()).searchParams.get("file")).toBe("a.svg");

    const scale = () =>
      image("a.svg").evaluate((one) => new DOMMatrix(getComputedStyle(one).transform).a);
    const spread = (from: number, to: number) => {
      const at = (apart: number) => [{ x: 180 - apart, y: 380 }, { x: 180 + apart, y: 380 }];
      return walk.touch(at(from), at((from + to) / 2), at(to));
    };
    await spread(30, 90);
    await expect.poll(scale).toBeCloseTo(3, 1);
    // The page itself stays as it is.
    expect(await page.evaluate(() => visualViewport?.scale)).toBe(1);
    // Zoomed in, a finger moves the picture and does not leave it.
    const left = () => image("a.svg").evaluate((one) => new DOMMatrix(getComputedStyle(one).transform).e);
    const before = await left();
    await swipe(250, 130);
    await expect.poll(left).toBeLessThan(before - 50);
    expect(new URL(page.url()).searchParams.get("file")).toBe("a.svg");
    await spread(120, 20);
    await expect.poll(scale).toBe(1);
    await swipe(300, 80);
    await image("b.svg").waitFor();
    await walk.expectTargets("a picture");
    await walk.expectNoSidewaysScroll("a picture");
  });

  it("select by a long press, then by taps, and act on all of them", async () => {
    fill("pressed", ["a", "b", "c", "d"]);
    const page = await walk.enter("/?path=pressed", undefined, PHONE_DEVICE);
    for (const layout of ["list", "grid"]) {
      if (layout === "grid") await page.getByRole("button", { name: "Show as a grid" }).tap();
      const box = await walk.entry("a").boundingBox();
      const at = { x: (box?.x ?? 0) + 80, y: (box?.y ?? 0) + 30 };
      const finger = await walk.context.newCDPSession(page);
      await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
      await page.getByRole("menu").waitFor();
      await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
      await page.keyboard.press("Escape");
      expect(await walk.selected()).toEqual(["a"]);
      await walk.entry("b").tap();
      await walk.entry("c").tap();
      await walk.entry("b").tap();
      await expect.poll(() => walk.selected()).toEqual(["a", "c"]);
      await page.getByText("2 selected").waitFor();
      await walk.expectTargets(`a selection in the ${layout}`);
      await walk.expectNoSidewaysScroll(`a selection in the ${layout}`);
      await page.getByRole("button", { name: "Clear the selection" }).tap();
      await expect.poll(() => walk.selected()).toEqual([]);
    }
  });
});
