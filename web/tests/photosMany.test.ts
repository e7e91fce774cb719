// Photos with 50 000 of them: the wall stays quick and small, however far one scrolls.
import { link } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { shotsOver, writePhotos } from "./camera.ts";
import { Walk, WIDE } from "./harness.ts";
import { readPageMib } from "./memory.ts";

const walk = new Walk();

/** Twelve years of months, and as many photos in each as make 50 000 in all. */
const MONTHS = Array.from({ length: 144 }, (_, at) => `${2025 - Math.floor(at / 12)}-${String(12 - (at % 12)).padStart(2, "0")}`);
const EACH = 350;
const TOTAL = MONTHS.length * EACH;
/** Folders are looked through behind everything else that the machine does (ms). */
const LOOKED_THROUGH_MS = 300_000;
/** No task of the page's may take longer (ms of the processor). */
const TASK_MS_MAX = 50;
/** Cells that may be drawn at once: those in sight and some rows around. */
const DRAWN_MAX = 200;
/** What the page may hold in memory (MiB). */
const MEMORY_MIB_MAX = 150;

beforeAll(async () => {
  const page = await walk.open();
  await page.goto("about:blank");
  // One file for each month, with as many names as it takes: a name is a photo.
  await writePhotos(page, walk.larder.root, shotsOver(MONTHS, 1, (at) => String(at)));
  await walk.context.close();
  for (let at = 0; at < MONTHS.length; at += 1) {
    const folder = join(walk.larder.root, String(at));
    await Promise.all(Array.from({ length: EACH - 1 }, (_, copy) => link(join(folder, `IMG_${1000 + at}.JPG`), join(folder, `COPY_${copy}.JPG`))));
  }
}, 300_000);

/** Scrolls so far in each frame until the end of the wall is in sight; the most cells that were drawn at once. */
function scrollThrough(page: Page, step: number): Promise<number> {
  return page.locator(".pane").evaluate(async (pane, by) => {
    let drawn = 0;
    pane.scrollTop = 0;
    for (let before = -1; pane.scrollTop > before; ) {
      before = pane.scrollTop;
      pane.scrollTop += by;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      drawn = Math.max(drawn, pane.querySelectorAll("[data-photo]").length);
    }
    return drawn;
  }, step);
}

/** The longest task while something is done twice: what the browser does once (compiling, collecting) is not the page's. */
async function expectQuick(what: string, action: () => Promise<void>) {
  const first = await walk.busiestTask(action);
  const busiest = first < TASK_MS_MAX ? first : await walk.busiestTask(action);
  console.info(`${TOTAL} photos, ${what}: busiest task ${busiest.toFixed(0)} ms`);
  expect(busiest, what).toBeLessThan(TASK_MS_MAX);
}

const strip = () => walk.page.getByRole("slider", { name: "Month" });

describe("fifty thousand photos", () => {
  it("are all there, a month at a time", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await page.getByText(`${TOTAL.toLocaleString("en")} photos`).waitFor({ timeout: LOOKED_THROUGH_MS });
    await page.getByRole("heading", { name: "December 2025" }).waitFor();
    expect(await strip().getAttribute("aria-valuemax")).toBe(String(MONTHS.length - 1));
    await strip().focus();
    await page.keyboard.press("End");
    await page.getByRole("heading", { name: "January 2014" }).waitFor();
    await page.locator(`[data-photo="${TOTAL - EACH}"] img`).waitFor();
    expect(await strip().getAttribute("aria-valuetext")).toBe("January 2014");
  });

  it("are scrolled through without a halt, and the page stays small", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await page.locator("[data-photo] img").first().waitFor();
    let drawn = 0;
    await expectQuick("all of them", async () => {
      drawn = await scrollThrough(page, 4000);
    });
    await page.locator(`[data-photo="${TOTAL - 1}"] img`).waitFor();
    await expectQuick("by the strip", async () => {
      const box = await strip().boundingBox();
      if (!box) throw new Error("no strip");
      await page.mouse.move(box.x + box.width / 2, box.y + box.height - 2);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2, box.y + 2, { steps: 60 });
      await page.mouse.up();
    });
    await page.getByRole("heading", { name: "December 2025" }).waitFor();
    expect(drawn).toBeGreaterThan(0);
    expect(drawn).toBeLessThan(DRAWN_MAX);
    const session = await walk.context.newCDPSession(page);
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    const own = await readPageMib(walk);
    console.info(`${TOTAL} photos: ${drawn} cells at most, ${(usedSize / 2 ** 20).toFixed(0)} MiB of heap, ${own.toFixed(0)} MiB`);
    expect(usedSize / 2 ** 20).toBeLessThan(MEMORY_MIB_MAX);
    expect(own).toBeLessThan(MEMORY_MIB_MAX);
    await session.detach();
  });

  it("say how far they are selected where that takes long, and are called off", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await page.locator("[data-photo] img").first().waitFor();
    const months = new Set<string>();
    let isHeld = true;
    const waiting: (() => void)[] = [];
    // A few months come, each after a while; then nothing more until it is let through.
    await page.route(/\/api\/photos\?.*month=/, async (route) => {
      months.add(new URL(route.request().url()).searchParams.get("month") ?? "");
      if (isHeld && months.size > 4) await new Promise<void>((resolve) => waiting.push(resolve));
      else await new Promise((resolve) => setTimeout(resolve, 120));
      await route.continue().catch(() => undefined);
    });
    await page.locator("[role=grid]").focus();
    await page.keyboard.press("Control+a");
    const bar = page.getByText(`of ${TOTAL.toLocaleString("en")}`);
    await bar.waitFor();
    await page.getByRole("progressbar", { name: "Selecting photos" }).waitFor();
    expect(await page.locator("[data-photo][aria-selected=true]").count()).toBe(0);
    await walk.expectAccessible("a long selection");
    // One can look at photos meanwhile.
    await page.locator(".pane").evaluate((pane) => (pane.scrollTop = 700));
    await page.locator("[data-photo]").first().waitFor();
    await page.getByRole("button", { name: "Stop selecting" }).click();
    await bar.waitFor({ state: "detached" });
    const asked = months.size;
    isHeld = false;
    for (const go of waiting) go();
    await page.locator("[role=grid]").focus();
    for (const key of ["ArrowRight", " "]) await page.keyboard.press(key);
    await page.getByText("1 selected").waitFor();
    // What was on its way comes; no other month is asked for.
    expect(months.size).toBeLessThanOrEqual(asked + 1);
    await page.unroute(/\/api\/photos\?.*month=/);
  });

  it("are all selected at once, and let go", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await page.locator("[data-photo] img").first().waitFor();
    await page.locator("[role=grid]").focus();
    await expectQuick("all selected", async () => {
      await page.keyboard.press("Control+a");
      await page.getByText(`${TOTAL.toLocaleString("en")} selected`).waitFor({ timeout: 60_000 });
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Escape");
      await page.getByRole("toolbar", { name: "Selection" }).waitFor({ state: "detached" });
    });
  });
});
