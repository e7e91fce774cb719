// Small pictures in the grid, and Photos: what they cost, and what one can do with them.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { shotsOver, writePhotos } from "./camera.ts";
import { PHONE_DEVICE, Walk, WIDE } from "./harness.ts";
import { readPageMib } from "./memory.ts";
import { SlowLine, tell } from "./slowLine.ts";

const walk = new Walk();

/** 150 photos of a little over 200 MB. */
const COUNT = 150;
const BYTES_EACH = 1_450_000;
/** What it may cost to see all of them (bytes). */
const SEEN_BYTES_MAX = 2_500_000;
/** What the page may hold in memory after all was seen (MiB). */
const MEMORY_MIB_MAX = 150;
/** No task of the page's may take longer (ms of the processor). */
const TASK_MS_MAX = 50;
/**
 * A whole screen of photos is there within a second at 10 Mbit/s (ms). What decides it is counted: bytes and ways of the
 * line, and the processor's time, one after the other. By the clock a busy machine gets slack; the best of some tries counts.
 */
const FIRST_MS_MAX = 1000;
const FIRST_CLOCK_MS_MAX = 4000;
const FIRST_TRIES = 6;
/** Folders are looked through behind everything else that the machine does (ms). */
const LOOKED_THROUGH_MS = 60_000;
const MONTHS = ["2026-08", "2026-07", "2026-05", "2025-12", "2024-06"];
/** Those, twelve in each month, and a Live Photo. */
const TOTAL = COUNT + MONTHS.length * 12 + 1;

beforeAll(async () => {
  const page = await walk.open();
  await page.goto("about:blank");
  const heavy = Array.from({ length: COUNT }, (_, at) => ({
    path: `Heavy/IMG_${4000 + at}.JPG`,
    taken: `2023-03-${String(1 + (at % 28)).padStart(2, "0")}T12:00:00`,
  }));
  await writePhotos(page, walk.larder.root, heavy, BYTES_EACH);
  await writePhotos(page, walk.larder.root, shotsOver(MONTHS, 12, (at) => ["Trip", "Home/Garden"][at % 2] ?? ""));
  await writePhotos(page, walk.larder.root, [{ path: "Live/IMG_9000.JPG", taken: "2024-01-05T10:00:00" }]);
  await writeFile(join(walk.larder.root, "Live/IMG_9000.MOV"), "");
  await walk.context.close();
}, 300_000);

/** Counts what comes over the line, by what is asked for. */
async function traffic() {
  const session = await walk.context.newCDPSession(walk.page);
  await session.send("Network.enable");
  const asked = new Map<string, string>();
  const seen = { bytes: 0, originals: 0, thumbs: new Map<string, number>() };
  session.on("Network.requestWillBeSent", ({ requestId, request }) => asked.set(requestId, request.url));
  session.on("Network.requestWillBeSent", ({ request }) => {
    if (request.url.includes("/api/download")) seen.originals += 1;
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const url = asked.get(requestId) ?? "";
    // What the browser has already costs nothing.
    if (url.includes("/api/thumb") && encodedDataLength > 0) seen.thumbs.set(url, (seen.thumbs.get(url) ?? 0) + 1);
    if (/\/api\/(thumb|download|finder|photos)/.test(url)) seen.bytes += encodedDataLength;
  });
  return { session, seen };
}

/** Whatever is kept by the browser came over the line once. */
function expectNothingTwice({ thumbs }: { thumbs: ReadonlyMap<string, number> }) {
  expect([...thumbs].filter(([, times]) => times > 1), "asked for again").toEqual([]);
}

/** Whether every picture in sight is there. */
function allSeen(cell: string) {
  return walk.page.waitForFunction((selector) => {
    const height = window.innerHeight;
    const inSight = [...document.querySelectorAll(selector)].filter((one) => {
      const box = one.getBoundingClientRect();
      return box.bottom > 80 && box.top < height;
    });
    return inSight.length > 0 && inSight.every((one) => one.querySelector("img")?.complete === true);
  }, cell);
}

/**
 * The page holds little: its heap and the pictures that are in it, each as the browser unpacks it, and what its process
 * has for itself.
 */
async function expectSmallPage(pictures: string) {
  const drawn = await walk.page.locator(pictures).evaluateAll((all) =>
    all.reduce((sum, one) => sum + (one as HTMLImageElement).naturalWidth * (one as HTMLImageElement).naturalHeight * 4, 0),
  );
  const session = await walk.context.newCDPSession(walk.page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  const [mib, own] = [(drawn + usedSize) / 2 ** 20, await readPageMib(walk)];
  console.info(`after all was seen: ${mib.toFixed(1)} MiB of heap and pictures, ${own.toFixed(0)} MiB in its process`);
  expect(mib).toBeLessThan(MEMORY_MIB_MAX);
  expect(own).toBeLessThan(MEMORY_MIB_MAX);
}

/** Opens an address with nothing kept, over a slow line, until every picture in sight is there. */
async function expectFirstScreen(at: string, cell: string, inSightMin: number) {
  const page = await walk.enter("/?view=trash", undefined, { viewport: WIDE });
  const slow = await SlowLine.before(walk);
  let [work, clock] = [Infinity, Infinity];
  for (let attempt = 0; attempt < FIRST_TRIES && (work > FIRST_MS_MAX || clock > FIRST_MS_MAX); attempt += 1) {
    const cost = await slow.open(at, () => allSeen(cell));
    expect(await page.locator(cell).count()).toBeGreaterThanOrEqual(inSightMin);
    // Nothing that was measured is nothing.
    for (const one of [cost.bytes, cost.lineMs, cost.pageMs]) expect(one).toBeGreaterThan(0);
    [work, clock] = [Math.min(work, cost.workMs), Math.min(clock, cost.clockMs)];
    tell(`first screen of ${at}`, cost);
  }
  await slow.leave();
  expect(work).toBeLessThan(FIRST_MS_MAX);
  expect(clock).toBeLessThan(FIRST_CLOCK_MS_MAX);
}

/** Scrolls through all of a pane, seeing every picture on the way. */
async function scrollThrough(pane: string, cell: string) {
  for (let isMore = true; isMore; ) {
    await allSeen(cell);
    isMore = await walk.page.locator(pane).evaluate((one) => {
      const before = one.scrollTop;
      one.scrollTop += one.clientHeight * 0.9;
      return one.scrollTop > before;
    });
    await walk.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  }
}

describe("a folder of heavy photos", () => {
  it("is a grid by itself, costs little to see whole, and nothing the second time", async () => {
    const page = await walk.enter("/", undefined, { viewport: WIDE });
    await page.locator("[data-at]").first().waitFor();
    const { session, seen } = await traffic();
    await page.goto(`${walk.larder.url}/?path=Heavy`);
    await scrollThrough(".pane", ".tile");
    expect(seen.originals).toBe(0);
    // They are counted when the browser tells of them, a moment after they are drawn.
    await expect.poll(() => seen.thumbs.size, { timeout: 10_000 }).toBeGreaterThanOrEqual(COUNT);
    expect(seen.bytes).toBeLessThan(SEEN_BYTES_MAX);
    await expectSmallPage(".tile img");

    console.info(`all of ${COUNT}: ${seen.bytes} bytes in ${seen.thumbs.size} pictures`);
    await page.reload();
    await scrollThrough(".pane", ".tile");
    expectNothingTwice(seen);
    await session.detach();
  });

  it("is scrolled through without a halt", async () => {
    const page = await walk.enter("/?path=Heavy", undefined, { viewport: WIDE });
    let busiest = Infinity;
    // What the browser does once (compiling, collecting) is not the page's.
    for (let attempt = 0; attempt < 2 && busiest >= TASK_MS_MAX; attempt += 1) {
      await allSeen(".tile");
      await page.locator(".pane").evaluate((pane) => (pane.scrollTop = 0));
      busiest = await walk.busiestTask(() => scrollThrough(".pane", ".tile"));
      console.info(`${COUNT} photos, scrolled through: busiest task ${busiest.toFixed(0)} ms`);
    }
    expect(busiest).toBeLessThan(TASK_MS_MAX);
  });

  it("fills its first screen by little", async () => {
    await expectFirstScreen("/?path=Heavy", ".tile", 20);
  });

  it("is asked for once, and so is each of its pictures", async () => {
    const page = await walk.enter("/?view=trash", undefined, { viewport: WIDE });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url().replace(walk.larder.url, "")));
    await page.goto(`${walk.larder.url}/?path=Trip`);
    await allSeen(".tile");
    const lists = () => asked.filter((one) => one.startsWith("/api/finder"));
    // Once more when larder begins to tell of changes: some may have come before.
    await expect.poll(() => lists().length).toBe(2);
    expect(asked.indexOf(lists()[1] ?? "", asked.indexOf(lists()[0] ?? "") + 1)).toBeGreaterThan(asked.indexOf("/api/events"));
    const thumbs = asked.filter((one) => one.startsWith("/api/thumb"));
    expect(thumbs.length).toBeGreaterThan(0);
    expect(new Set(thumbs).size).toBe(thumbs.length);
    // From here on it is told of changes, and asks once for each folder.
    asked.length = 0;
    await page.getByRole("link", { name: "Files", exact: true }).first().click();
    await walk.entry("Live").dblclick();
    await walk.entry("IMG_9000.JPG").waitFor();
    expect(lists()).toEqual(["/api/finder?path=&details=1", "/api/finder?path=Live&details=1"]);
  });

  it("shows on its folder what is in it, and on a folder of albums one of each", async () => {
    const page = await walk.enter("/", undefined, { viewport: WIDE });
    await page.getByRole("button", { name: "Show as a grid" }).click();
    await walk.entry("Heavy").locator("img").nth(3).waitFor();
    await walk.entry("Home").locator("img").first().waitFor();
    await walk.expectAccessible("a grid with covers");
    await page.getByRole("button", { name: "Show as a list" }).click();
  });
});

const cells = () => walk.page.locator("[data-photo]");
const chosen = () => walk.page.locator("[data-photo][aria-selected=true]").count();

/** Waits until larder has looked through all folders. */
async function whole() {
  await walk.page.getByText(`${TOTAL} photos`).waitFor({ timeout: LOOKED_THROUGH_MS });
}

describe("Photos", () => {
  it("looks through the folders by itself and shows months across them", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await page.getByRole("heading", { name: "August 2026" }).waitFor({ timeout: LOOKED_THROUGH_MS });
    // On the very first opening, too, it says so once all is known.
    await whole();
    expect(await page.getByRole("link", { name: "Photos" }).getAttribute("aria-current")).toBe("page");
    await allSeen("[data-photo]");
    const titles = await page.locator("[data-photo] a").evaluateAll((all) => all.slice(0, 4).map((one) => one.getAttribute("title") ?? ""));
    expect(new Set(titles.map((title) => title.split("/")[0]))).toEqual(new Set(["Trip", "Home"]));
    await walk.expectAccessible("Photos");
    await walk.expectNoSidewaysScroll("Photos");
  });

  it("fills its first screen by little, is small, and asks for nothing that it has", async () => {
    await expectFirstScreen("/?view=photos", "[data-photo]", 20);
    const page = await walk.enter("/?view=trash", undefined, { viewport: WIDE });
    const { session, seen } = await traffic();
    await page.goto(`${walk.larder.url}/?view=photos`);
    await whole();
    await scrollThrough(".pane", "[data-photo]");
    await expect.poll(() => seen.thumbs.size, { timeout: 10_000 }).toBeGreaterThanOrEqual(COUNT);
    expect(seen.originals).toBe(0);
    expect(seen.bytes).toBeLessThan(SEEN_BYTES_MAX);
    await expectSmallPage("[data-photo] img");
    await page.reload();
    await whole();
    await scrollThrough(".pane", "[data-photo]");
    expectNothingTwice(seen);
    await session.detach();
  });

  it("is walked by keys", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await whole();
    await walk.tabTo("Photos");
    await page.locator("[role=grid]").focus();
    for (const key of ["Home", "ArrowRight", " "]) await page.keyboard.press(key);
    expect(await chosen()).toBeGreaterThan(0);
    await page.getByRole("toolbar", { name: "Selection" }).waitFor();
    // Across months, most of which were never looked at.
    await page.keyboard.press("Shift+End");
    await page.getByText(`${TOTAL - 1} selected`).waitFor();
    await page.keyboard.press("Escape");
    expect(await chosen()).toBe(0);
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.locator("[role=grid]:focus").waitFor();
  });

  it("is scrubbed through by its strip, which says the month", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await whole();
    const strip = page.getByRole("slider", { name: "Month" });
    await strip.focus();
    await page.keyboard.press("End");
    await page.getByRole("heading", { name: "March 2023" }).waitFor();
    expect(await strip.getAttribute("aria-valuetext")).toBe("March 2023");
    await page.keyboard.press("Home");
    await page.getByRole("heading", { name: "August 2026" }).waitFor();
    const box = await strip.boundingBox();
    if (!box) throw new Error("no strip");
    await page.mouse.move(box.x + box.width / 2, box.y + 4);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.75, { steps: 6 });
    await page.mouse.up();
    await page.getByRole("heading", { name: "March 2023" }).waitFor();
  });

  it("renames with F2, and takes the film of a Live Photo wherever its picture goes", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await whole();
    const strip = page.getByRole("slider", { name: "Month" });
    const inLive = async () => (await readdir(join(walk.larder.root, "Live"))).sort();
    const choose = async (name: string) => {
      await strip.focus();
      for (const key of ["End", "ArrowUp"]) await page.keyboard.press(key);
      await page.locator(`a[title="Live/${name}"]`).click({ modifiers: ["Control"] });
      await page.getByText("1 selected").waitFor();
    };
    await choose("IMG_9000.JPG");
    await page.keyboard.press("F2");
    const dialog = page.getByRole("dialog", { name: "Rename" });
    await walk.expectAccessible("another name for a photo");
    await dialog.getByLabel("Name").fill("beach.JPG");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(await inLive()).toEqual(["beach.JPG", "beach.MOV"]);
    await choose("beach.JPG");
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText(`${TOTAL - 1} photos`).waitFor();
    await expect.poll(inLive).toEqual([]);
    await page.getByRole("button", { name: "Undo" }).click();
    await whole();
    expect(await inLive()).toEqual(["beach.JPG", "beach.MOV"]);
  });

  it("selects across months by drawing", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await whole();
    const middle = async (index: number) => {
      const box = await page.locator(`[data-photo="${index}"]`).boundingBox();
      return [(box?.x ?? 0) + 60, (box?.y ?? 0) + 60] as const;
    };
    // From the last but one of a month of twelve to the second of the next.
    const [from, to] = [await middle(10), await middle(13)];
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(...to, { steps: 10 });
    await page.mouse.up();
    await page.getByText("4 selected").waitFor();
    const taken = await page.locator("[data-photo][aria-selected=true]").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label") ?? ""));
    expect(new Set(taken.map((label) => /August|July|Aug|Jul/.exec(label)?.[0])).size).toBe(2);
    await page.keyboard.press("Escape");
    expect(await chosen()).toBe(0);
  });

  it("tells the years beside the strip, clear of its handle", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await whole();
    await page.locator(".year").first().waitFor();
    const isClear = () => page.evaluate(() => {
      const handle = document.querySelector(".handle")?.getBoundingClientRect();
      if (!handle) return false;
      return [...document.querySelectorAll(".year")].every((year) => {
        const box = year.getBoundingClientRect();
        return box.bottom <= handle.top || box.top >= handle.bottom || getComputedStyle(year).opacity === "0";
      });
    });
    expect(await isClear()).toBe(true);
    for (const share of [0.05, 0.3, 0.6, 1]) {
      await page.locator(".pane").evaluate((pane, part) => (pane.scrollTop = part * (pane.scrollHeight - pane.clientHeight)), share);
      await expect.poll(isClear).toBe(true);
    }
  });

  it("selects by drawing over photos and by Shift, and deletes with a way back", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await whole();
    await allSeen("[data-photo]");
    const at = async (index: number) => {
      const box = await cells().and(page.locator(`[data-photo="${index}"]`)).boundingBox();
      return { x: (box?.x ?? 0) + 60, y: (box?.y ?? 0) + 60 };
    };
    const [from, to] = [await at(10), await at(13)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 8 });
    await page.mouse.up();
    expect(await chosen()).toBe(4);
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText(`${TOTAL - 4} photos`).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await whole();
    expect((await readdir(join(walk.larder.root, "Trip"))).length).toBe(30);
  });

  it("changes the size by Ctrl and wheel, and keeps it", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await whole();
    const width = async () => (await cells().first().boundingBox())?.width ?? 0;
    const before = await width();
    await page.mouse.move(700, 500);
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -120);
    await page.keyboard.up("Control");
    await expect.poll(width).toBeGreaterThan(before * 1.1);
    const larger = await width();
    await page.reload();
    await whole();
    expect(await width()).toBe(larger);
    await page.getByRole("button", { name: "Smaller pictures" }).click();
    await expect.poll(width).toBeLessThan(larger);
  });

  it("fits a phone: four in a row, selected by staying on one", async () => {
    const page = await walk.enter("/?view=photos", undefined, PHONE_DEVICE);
    await whole();
    const tops = await cells().evaluateAll((all) => all.slice(0, 5).map((one) => Math.round(one.getBoundingClientRect().top)));
    expect(new Set(tops.slice(0, 4)).size).toBe(1);
    expect(tops[4]).toBeGreaterThan(tops[0] ?? 0);
    const box = await cells().first().boundingBox();
    const finger = await walk.context.newCDPSession(page);
    const touchPoints = [{ x: (box?.x ?? 0) + 30, y: (box?.y ?? 0) + 40 }];
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
    await page.getByRole("toolbar", { name: "Selection" }).waitFor();
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    expect(await chosen()).toBe(1);
    await page.getByRole("button", { name: "Clear the selection" }).click();
    // Two fingers apart: three in a row.
    await walk.touch([{ x: 160, y: 300 }, { x: 200, y: 300 }], [{ x: 100, y: 300 }, { x: 260, y: 300 }]);
    await expect.poll(async () => Math.round((await cells().first().boundingBox())?.width ?? 0)).toBeGreaterThan((box?.width ?? 0) * 1.2);
    await walk.expectAccessible("Photos on a phone");
    await walk.expectNoSidewaysScroll("Photos on a phone");
  });

  it("takes the film of a Live Photo along when it is downloaded, copied and moved", async () => {
    const page = await walk.enter("/?view=photos", undefined, { viewport: WIDE });
    await whole();
    const inFolder = async (folder: string) => (await readdir(join(walk.larder.root, folder))).filter((name) => /^(beach|IMG_9000)\./.test(name)).sort();
    const pair = await inFolder("Live");
    expect(pair.length).toBe(2);
    const [picture] = pair;
    const strip = page.getByRole("slider", { name: "Month" });
    await strip.focus();
    for (const key of ["End", "ArrowUp"]) await page.keyboard.press(key);
    await page.locator(`a[title="Live/${picture}"]`).click({ modifiers: ["Control"] });
    const bar = page.getByRole("toolbar", { name: "Selection" });
    const coming = page.waitForEvent("download");
    await bar.getByRole("button", { name: "Download" }).click();
    const archive = await readFile(await (await coming).path());
    for (const name of pair) expect(archive.includes(name), name).toBe(true);
    const sendTo = async (folder: string, button: string) => {
      await page.getByRole("radio", { name: folder }).check();
      await page.getByRole("button", { name: button }).click();
      await expect.poll(() => inFolder(folder)).toEqual(pair);
    };
    await bar.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Copy to…" }).click();
    await sendTo("Trip", "Copy here");
    expect(await inFolder("Live")).toEqual(pair);
    await bar.getByRole("button", { name: "Move to…" }).click();
    await sendTo("Heavy", "Move here");
    await expect.poll(() => inFolder("Live")).toEqual([]);
  });
});
