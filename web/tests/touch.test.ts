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
    const image = (name: string) => page.getByRole("img", { name: `: ${name}` });
    await image("b.svg").waitFor();
    const scale = (name = "a.svg") => image(name).evaluate((one) => new DOMMatrix(getComputedStyle(one).transform).a);
    const swipe = (from: number, to: number) =>
      walk.touch([{ x: from, y: 380 }], [{ x: (from + to) / 2, y: 382 }], [{ x: to, y: 384 }]);
    await swipe(300, 80);
    await image("c.svg").waitFor();
    // A tap after a swipe is a tap: the browser has no fling of its own to end by it.
    for (const name of ["b.svg", "c.svg", "b.svg", "c.svg"]) {
      await (name === "b.svg" ? swipe(60, 290) : swipe(300, 80));
      await image(name).waitFor();
      for (const wanted of [2.5, 1]) {
        for (let taps = 0; taps < 2; taps += 1) await page.touchscreen.tap(180, 380);
        await expect.poll(() => scale(name)).toBe(wanted);
      }
    }
    await swipe(60, 290);
    await image("b.svg").waitFor();
    await swipe(60, 290);
    await image("a.svg").waitFor();
    // Up, and a little to the side, is no swipe; nor is there anything before the first.
    await walk.touch([{ x: 180, y: 500 }], [{ x: 190, y: 420 }], [{ x: 200, y: 300 }]);
    await walk.touch([{ x: 180, y: 380 }], [{ x: 150, y: 380 }]);
    await swipe(60, 290);
    expect(new URL(page.url()).searchParams.get("file")).toBe("a.svg");

    const spread = (from: number, to: number) => {
      const at = (apart: number) => [{ x: 180 - apart, y: 380 }, { x: 180 + apart, y: 380 }];
      return walk.touch(at(from), at((from + to) / 2), at(to));
    };
    await spread(30, 90);
    await expect.poll(() => scale()).toBeCloseTo(3, 1);
    // The page itself stays as it is.
    expect(await page.evaluate(() => visualViewport?.scale)).toBe(1);
    // Zoomed in, a finger moves the picture and does not leave it.
    const left = () => image("a.svg").evaluate((one) => new DOMMatrix(getComputedStyle(one).transform).e);
    const before = await left();
    await swipe(250, 130);
    await expect.poll(left).toBeLessThan(before - 50);
    expect(new URL(page.url()).searchParams.get("file")).toBe("a.svg");
    await spread(120, 20);
    await expect.poll(() => scale()).toBe(1);
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
      await walk.pressLong("a");
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
      // Nothing stays grey where a finger was.
      const grounds = await page.locator("[data-at]").evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
      expect(new Set(grounds)).toEqual(new Set(["rgba(0, 0, 0, 0)"]));
    }
  });

  it("open with every tap, whatever was looked at or chosen before", async () => {
    fill("tapped", ["a.svg", "b.svg", "c.svg"]);
    const page = await walk.enter("/?path=tapped", undefined, PHONE_DEVICE);
    const look = async (name: string) => {
      await walk.entry(name).tap();
      const image = page.getByRole("img", { name: `: ${name}` });
      await image.waitFor();
      // The bars stay where the keys are.
      await page.keyboard.press("Tab");
      await page.getByRole("button", { name: "Back to the folder" }).tap();
      await image.waitFor({ state: "detached" });
      // A finger waits until the picture is back in its tile.
      await expect.poll(() => page.evaluate(() => document.documentElement.matches(":active-view-transition"))).toBe(false);
      expect(await walk.selected(), name).toEqual([]);
    };
    const offer = async (name: string) => {
      await page.getByRole("button", { name: `Actions for ${name}` }).tap();
      await page.getByRole("menu").waitFor();
    };
    await look("a.svg");
    await look("b.svg");
    // The dots are for one entry, and select nothing beyond that.
    await offer("a.svg");
    await page.keyboard.press("Escape");
    await look("b.svg");
    await offer("b.svg");
    await page.getByRole("menuitem", { name: "Copy", exact: true }).tap();
    await look("a.svg");
    await offer("c.svg");
    await page.getByRole("menuitem", { name: "Rename" }).tap();
    await page.getByRole("textbox", { name: "Name" }).fill("d.svg");
    await page.keyboard.press("Enter");
    await walk.entry("d.svg").waitFor();
    await look("a.svg");
    // So does a choice from the menu of a long press; a tap beside that menu only closes it.
    await walk.pressLong("a.svg");
    await walk.entry("d.svg").tap({ position: { x: 30, y: 30 } });
    await page.getByRole("menu").waitFor({ state: "detached" });
    expect(await walk.selected()).toEqual(["a.svg"]);
    await walk.pressLong("a.svg");
    await page.getByRole("menuitem", { name: "Copy", exact: true }).tap();
    await look("d.svg");

    // In the grid, too, on the sign in the middle of a tile as well as in its corners.
    mkdirSync(join(walk.larder.root, "tapped/inner"));
    await page.getByRole("button", { name: "Show as a grid" }).tap();
    for (const position of [undefined, { x: 20, y: 20 }]) {
      await walk.entry("inner").tap(position ? { position } : {});
      await page.getByText("This folder is empty").waitFor();
      await page.goBack();
      await look("a.svg");
    }
    // Once something is selected, taps select, and a selected one shows it.
    await walk.pressLong("a.svg");
    await page.keyboard.press("Escape");
    await walk.entry("inner").tap();
    await expect.poll(() => walk.selected()).toEqual(["inner", "a.svg"]);
    await walk.entry("a.svg").tap({ position: { x: 20, y: 20 } });
    await expect.poll(() => walk.selected()).toEqual(["inner"]);
  });
});
