// Slow answers and busy machines: what comes late takes nothing out of somebody's hands.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page, Route } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Walk } from "./harness.ts";
import { photo } from "./photo.ts";

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const FOLDER = "Slow";
/** More than one sees at once. */
const FILES = 60;
/** Longer than any message stays by itself (ms). */
const LONG_MS = 30_000;

beforeAll(() => {
  mkdirSync(inRoot(FOLDER), { recursive: true });
  for (let at = 0; at < FILES; at += 1) writeFileSync(inRoot(FOLDER, `file ${at}.txt`), "some");
});

/** Keeps the answers at an address back; returns the way to let them go, and what counts those that wait. */
async function holdBack(page: Page, address: string | RegExp) {
  const held: Route[] = [];
  let isOpen = false;
  await page.route(address, async (route) => {
    if (isOpen) return route.fallback();
    held.push(route);
  });
  return {
    count: () => held.length,
    letGo: async () => {
      isOpen = true;
      await Promise.all(held.splice(0).map((route) => route.fallback()));
    },
  };
}

const isInMenu = () => walk.page.evaluate(() => document.activeElement?.closest("[role=menu]") !== null && document.activeElement !== document.body);

describe("a menu stays open", () => {
  it("that was opened before its folder was there, and gets what the folder brings", async () => {
    const page = await walk.enter();
    const finder = await holdBack(page, "**/api/finder?*");
    await page.goto(`${walk.larder.url}/?path=${FOLDER}`);
    await page.getByRole("button", { name: "View", exact: true }).click();
    const menu = page.getByRole("menu", { name: "View" });
    await menu.waitFor();
    expect(await menu.getByRole("menuitem", { name: "Share this folder" }).count()).toBe(0);
    await expect.poll(() => finder.count()).toBeGreaterThan(0);
    await finder.letGo();
    await walk.entry("file 1.txt").waitFor();
    await menu.getByRole("menuitem", { name: "Share this folder" }).waitFor();
    // The keyboard is where it was.
    expect(await isInMenu()).toBe(true);
    await menu.getByRole("menuitem", { name: "Share this folder" }).click();
    await page.getByRole("dialog", { name: `Share “${FOLDER}”` }).waitFor();
    await page.keyboard.press("Escape");
  });

  it("when what was scrolled before is told of after it opened, and closes when one scrolls on", async () => {
    const page = await walk.enter(`/?path=${FOLDER}`);
    await walk.entry("file 1.txt").waitFor();
    // As a wheel and a quick press do on a busy machine: the list has moved, and says so with the next frame.
    await page.evaluate(async () => {
      const frame = () => new Promise(requestAnimationFrame);
      const row = document.querySelectorAll("[data-at]")[8];
      let pane = row?.parentElement;
      while (pane && pane.scrollHeight - pane.clientHeight < 100) pane = pane.parentElement;
      if (!row || !pane) throw new Error("nothing scrolls");
      pane.scrollTop += 40;
      const { left, top } = row.getBoundingClientRect();
      const at = { bubbles: true, cancelable: true, clientX: left + 80, clientY: top + 10, button: 2 };
      row.dispatchEvent(new MouseEvent("contextmenu", at));
      for (let count = 0; count < 4; count += 1) await frame();
    });
    const menu = page.getByRole("menu");
    await menu.getByRole("menuitem", { name: "Rename" }).waitFor();
    // A window that says it has another size, and has not, moves nothing either.
    await page.evaluate(() => window.dispatchEvent(new Event("resize")));
    expect(await menu.count()).toBe(1);
    await page.mouse.move(700, 300);
    await page.mouse.wheel(0, 200);
    await menu.waitFor({ state: "detached" });
  });

  it("and is about what it was opened for, when a folder that was made comes late", async () => {
    const page = await walk.enter(`/?path=${FOLDER}`);
    await walk.entry("file 1.txt").waitFor();
    await page.getByRole("button", { name: "New", exact: true }).click();
    await page.getByRole("menuitem", { name: "New folder" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("a fresh one");
    const finder = await holdBack(page, "**/api/finder?*");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => finder.count()).toBeGreaterThan(0);
    await walk.entry("file 2.txt").click({ button: "right" });
    const menu = page.getByRole("menu");
    await menu.getByRole("menuitem", { name: "Delete" }).waitFor();
    await finder.letGo();
    await walk.entry("a fresh one").waitFor();
    expect(await isInMenu()).toBe(true);
    expect(await walk.selected()).toEqual(["file 2.txt"]);
    await menu.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByRole("dialog").getByText("file 2.txt").first().waitFor();
    await page.keyboard.press("Escape");
  });
});

describe("the way back is offered", () => {
  it("until what it takes back is on show, however late that is", async () => {
    const shots = await walk.open();
    await shots.goto("about:blank");
    mkdirSync(inRoot("Trip"), { recursive: true });
    for (const at of [1, 2, 3]) writeFileSync(inRoot("Trip", `IMG_${at}.jpg`), await photo(shots, 320, 240, at * 60));
    const page = await walk.enter("/?view=photos");
    await page.getByText("3 photos").waitFor();
    await page.clock.install();
    await page.reload();
    await page.getByText("3 photos").waitFor();
    await page.locator('a[title="Trip/IMG_2.jpg"]').click({ modifiers: ["Control"] });
    await page.getByText("1 selected").waitFor();
    await page.keyboard.press("Delete");
    const photos = await holdBack(page, /\/api\/photos(\?|$)/);
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Undo" }).waitFor();
    expect(existsSync(inRoot("Trip", "IMG_2.jpg"))).toBe(false);
    await page.clock.runFor(LONG_MS);
    await expect.poll(() => photos.count()).toBeGreaterThan(0);
    await page.clock.runFor(LONG_MS / 3);
    expect(await page.getByRole("button", { name: "Undo" }).count()).toBe(1);
    await photos.letGo();
    await page.getByText("2 photos").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => existsSync(inRoot("Trip", "IMG_2.jpg"))).toBe(true);
    await page.clock.runFor(2000);
    await page.getByText("3 photos").waitFor();
  });

  it("as long as a pointer or the keyboard is at it, and goes after that", async () => {
    const page = await walk.enter(`/?path=${FOLDER}`);
    await page.clock.install();
    await page.reload();
    const remove = async (name: string) => {
      await walk.entry(name).click();
      await page.keyboard.press("Delete");
      await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByText(`“${name}” was deleted.`).waitFor();
    };
    const undo = page.getByRole("button", { name: "Undo" });
    await remove("file 3.txt");
    await page.getByText("“file 3.txt” was deleted.").hover();
    await page.clock.runFor(LONG_MS);
    expect(await undo.count()).toBe(1);
    await page.mouse.move(5, 5);
    await page.clock.runFor(LONG_MS);
    expect(await undo.count()).toBe(0);
    await remove("file 4.txt");
    await undo.focus();
    await page.mouse.move(5, 5);
    await page.clock.runFor(LONG_MS);
    await page.keyboard.press("Enter");
    await expect.poll(() => existsSync(inRoot(FOLDER, "file 4.txt"))).toBe(true);
  });
});
