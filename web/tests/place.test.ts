// The place in a list: it is there again by Back, by Forward, after a reload, from another view and
// from a page of its own.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { PHONE_DEVICE, Walk } from "./harness.ts";

/** Where a wheel leaves the list (px): far from the cursor, and at no line's edge. */
const PLACE = 1234;

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);

beforeAll(() => {
  mkdirSync(inRoot("long/inner/deep"), { recursive: true });
  for (let number = 0; number < 200; number += 1) {
    const name = `file ${String(number).padStart(3, "0")}.txt`;
    writeFileSync(inRoot("long", name), "text");
    writeFileSync(inRoot("long/inner", name), "text");
  }
});

const scroll = (top: number) => walk.page.locator(".pane").evaluate((pane, to) => void (pane.scrollTop = to), top);
const place = () => walk.page.locator(".pane").evaluate((pane) => pane.scrollTop);
const expectPlace = (top = PLACE) => expect.poll(place).toBe(top);
const expectFolder = (name: string) => walk.page.getByRole("heading", { name, exact: true, level: 1 }).waitFor();

describe("the place in a folder", () => {
  it("is there again by Back and by Forward", async () => {
    const page = await walk.enter("/?path=long");
    await walk.entry("inner").dblclick();
    await expectFolder("inner");
    await walk.entry("deep").click();
    await scroll(PLACE);
    await page.goBack();
    await expectFolder("long");
    await walk.entry("inner").waitFor();
    await expectPlace(0);
    await page.goForward();
    await expectFolder("inner");
    await expectPlace();
    // The keyboard goes on at the cursor, which was never moved.
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => walk.selected()).toEqual(["file 000.txt"]);
  });

  it("is there again after a reload, and from a page of its own", async () => {
    const page = await walk.enter("/?path=long");
    await walk.entry("inner").waitFor();
    await scroll(PLACE);
    await page.reload();
    await expectFolder("long");
    await expectPlace();
    // What is drawn there is what belongs there.
    await page.locator("[data-at='30']").waitFor();
    await page.goto(`${walk.larder.url}/preview?path=long/file%20001.txt`);
    await page.getByRole("heading", { name: "file 001.txt", level: 1 }).waitFor();
    await page.goBack();
    await expectFolder("long");
    await expectPlace();
  });

  it("is there again from another view, by its link and by Back, with what is selected", async () => {
    const page = await walk.enter("/?path=long");
    await walk.entry("file 003.txt").click();
    await scroll(PLACE);
    await page.getByRole("link", { name: "Trash" }).click();
    await page.getByRole("heading", { name: "Trash", level: 1 }).waitFor();
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Files" }).click();
    await expectFolder("long");
    await expectPlace();
    await page.getByText("1 selected").waitFor();
    await scroll(PLACE + 500);
    await page.getByRole("link", { name: "Dashboard" }).click();
    await page.getByRole("heading", { name: "Dashboard", level: 1 }).waitFor();
    await page.goBack();
    await expectFolder("long");
    await expectPlace(PLACE + 500);
  });

  it("is there again on a phone, as a grid", async () => {
    const page = await walk.enter("/?path=long", undefined, PHONE_DEVICE);
    await page.getByRole("button", { name: "Show as a grid" }).tap();
    await walk.entry("inner").waitFor();
    await scroll(PLACE);
    await page.reload();
    await expectPlace();
    await page.goto(`${walk.larder.url}/?path=long/inner`);
    await expectFolder("inner");
    await expectPlace(0);
    await page.goBack();
    await expectPlace();
    await page.getByRole("button", { name: "Show as a list" }).tap();
  });
});

describe("the place in another view", () => {
  it("is there again by Back and after a reload", async () => {
    const page = await walk.enter("/?view=settings");
    const top = () => page.locator("#content").evaluate((main) => main.scrollTop);
    await page.getByLabel("Days in the trash").waitFor();
    await page.locator("#content").evaluate((main) => void (main.scrollTop = 700));
    await page.reload();
    await expect.poll(top).toBe(700);
    await page.getByRole("link", { name: "Log", exact: true }).click();
    await page.getByRole("heading", { name: "Log", level: 1 }).waitFor();
    expect(await top()).toBe(0);
    await page.goBack();
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
    await expect.poll(top).toBe(700);
  });
});
