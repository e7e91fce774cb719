// What holds on every page: small screens, the dark, another language, the keyboard, few bytes.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PHONE, Walk } from "./harness.ts";
import { ADMIN } from "./larder.ts";

/** Bytes of compressed scripts and styles that a first load may take. */
const FIRST_LOAD_BYTES_MAX = 150_000;
const VIEWS = ["", "trash", "dashboard", "people", "ftp", "logs", "settings", "terminal", "update", "cloud", "profile"];

const walk = new Walk();

describe("all pages", () => {
  it("fit a phone, with targets for fingers", async () => {
    const long = `${"a very long name ".repeat(12)}.txt`;
    mkdirSync(join(walk.larder.root, "small", "deeper"), { recursive: true });
    writeFileSync(join(walk.larder.root, "small", "deeper", long), "x");
    const phone = { viewport: PHONE, hasTouch: true, isMobile: true };
    const page = await walk.open(phone);
    await page.goto(`${walk.larder.url}/auth`);
    await page.getByLabel("User name").waitFor();
    await walk.expectNoSidewaysScroll("sign-in");
    await walk.enter("/?path=small/deeper", ADMIN, phone);
    await walk.entry(long).waitFor();
    await walk.expectNoSidewaysScroll("files");
    await walk.expectAccessible("files on a phone");
    await walk.expectTargets("files");

    // A long press selects and offers; from then on taps select.
    await walk.pressLong(long);
    await walk.expectTargets("the menu");
    await walk.page.keyboard.press("Escape");
    expect(await walk.selected()).toHaveLength(1);
    await walk.entry(long).tap();
    await expect.poll(() => walk.selected()).toEqual([]);
    await walk.entry(long).tap();
    await walk.page.getByRole("dialog").waitFor();
    await walk.expectNoSidewaysScroll("a file");
    await walk.expectTargets("a file");

    for (const view of VIEWS) {
      await walk.page.goto(`${walk.larder.url}/?view=${view}`);
      await walk.page.locator("h1").first().waitFor();
      await walk.page.waitForLoadState("networkidle").catch(() => undefined);
      await walk.expectNoSidewaysScroll(view);
      await walk.expectTargets(view);
    }
    await walk.page.getByRole("button", { name: "Open the menu" }).click();
    await walk.expectAccessible("the drawer");
    await walk.page.getByRole("dialog").getByRole("link", { name: "Settings" }).click();
    await walk.page.getByRole("heading", { name: "Settings" }).waitFor();
  });

  it("speak German, and are dark where that is wanted", async () => {
    const german = { locale: "de-DE", colorScheme: "dark" as const };
    const page = await walk.open(german);
    await page.goto(`${walk.larder.url}/auth`);
    await page.getByRole("heading", { name: "Anmelden" }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("de");
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    await walk.expectAccessible("sign-in in the dark");
    await walk.enter("/", ADMIN, german);
    await walk.entry("small").waitFor();
    for (const view of VIEWS) {
      await walk.page.goto(`${walk.larder.url}/?view=${view}`);
      await walk.page.locator("h1").first().waitFor();
      await walk.page.waitForLoadState("networkidle").catch(() => undefined);
      await walk.expectAccessible(`${view} in the dark`);
    }
    await walk.page.getByRole("radio", { name: "English" }).check();
    await walk.page.getByRole("radio", { name: "Light" }).check();
    await walk.page.reload();
    await walk.page.getByRole("heading", { name: "Profile" }).waitFor();
    expect(await walk.page.locator("html").getAttribute("data-theme")).toBe("light");
  });

  it("can be used by the keyboard alone", async () => {
    mkdirSync(join(walk.larder.root, "keys", "inner"), { recursive: true });
    writeFileSync(join(walk.larder.root, "keys", "a.txt"), "x");
    const page = await walk.enter("/?path=keys");
    await walk.entry("inner").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    expect(await walk.selected()).toEqual(["a.txt"]);
    await page.keyboard.press("Shift+F10");
    await page.getByRole("menu").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
    expect(await page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("grid");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.getByText("This folder is empty").waitFor();
    await page.keyboard.press("Backspace");
    await walk.entry("a.txt").waitFor();
    // The cursor stands on the folder one came out of.
    await page.keyboard.press(" ");
    expect(await walk.selected()).toEqual(["inner"]);
    const reached: string[] = [];
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(() => {
          const one = document.activeElement;
          return (one?.getAttribute("aria-label") ?? one?.textContent ?? "").trim();
        }),
      );
    }
    for (const name of ["Skip to content", "Files", "Filter", "Upload", "Show as a grid"]) {
      expect(reached).toContain(name);
    }
  });

  it("load little, and nothing from elsewhere", async () => {
    const page = await walk.enter();
    const cache = await walk.context.newCDPSession(page);
    await cache.send("Network.setCacheDisabled", { cacheDisabled: true });
    for (const path of ["/", "/auth", "/preview?path=small"]) {
      const foreign: string[] = [];
      page.on("request", (one) => {
        if (!one.url().startsWith(walk.larder.url)) foreign.push(one.url());
      });
      await page.goto(walk.larder.url + path, { waitUntil: "networkidle" });
      const bytes = await page.evaluate(() =>
        performance
          .getEntriesByType("resource")
          .filter((one) => /\.(js|css)$/.test(one.name))
          .reduce((sum, one) => sum + (one as PerformanceResourceTiming).encodedBodySize, 0),
      );
      console.info(`first load of ${path}: ${bytes} bytes of compressed scripts and styles`);
      expect(bytes).toBeGreaterThan(1000);
      expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
      expect(foreign).toEqual([]);
    }
  });
});
