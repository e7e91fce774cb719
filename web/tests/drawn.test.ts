// Small pictures of what larder cannot read: drawn by the browser of somebody who may write there, shown to all.
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { film } from "./film.ts";
import { Walk, WIDE } from "./harness.ts";
import { canMakeMp4, mp4 } from "./mp4.ts";
import { READER } from "./larder.ts";
import { gif, plainJpeg, svg } from "./pictures.ts";

/** The longest task on the processor while pictures are drawn (ms); a busy machine is allowed for. */
const TASK_MS_MAX = 100;
/** What of a film of 30 MB may be fetched for one picture of it (bytes). */
const FILM_BYTES_MAX = 8_000_000;
const DRAWN = ["big.gif", "birthday.mp4", "drawing.svg", "holiday.webm", "ink.jpg", "long.jpg", "tree.gif"];
/** What no Chromium draws. */
const SIGNS = ["live.heic", "paper.pdf"];

const walk = new Walk();
const at = (name: string) => join(walk.larder.root, "Odd", name);
let elsewhere: Server;
let visits = 0;

beforeAll(async () => {
  elsewhere = createServer((_, answer) => {
    visits += 1;
    answer.end();
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  mkdirSync(join(walk.larder.root, "Odd"));
  writeFileSync(at("tree.gif"), gif(640, 320, [200, 30, 30], [30, 30, 200]));
  writeFileSync(at("big.gif"), gif(4000, 3000, [30, 200, 30], [30, 30, 200]));
  writeFileSync(at("drawing.svg"), svg(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`));
  writeFileSync(at("ink.jpg"), plainJpeg(600, 400, "cmyk"));
  writeFileSync(at("long.jpg"), plainJpeg(3200, 2000, "progressive"));
  for (const name of SIGNS) writeFileSync(at(name), "%PDF-1.4 and nothing that can be drawn");
  const page = await walk.open();
  // Encoders are for secure places alone.
  await page.goto(walk.larder.url);
  writeFileSync(at("holiday.webm"), await film(page, 60, 20_000, 25));
  if (await canMakeMp4(page)) writeFileSync(at("birthday.mp4"), await mp4(page, 60, 20_000));
  else DRAWN.splice(1, 1);
  await walk.context.close();
}, 60_000);

afterAll(() => void elsewhere.close());

/** What goes over the line for small pictures: what was brought, and what of each file was read. */
async function watch(page: Page) {
  const session = await walk.context.newCDPSession(page);
  await session.send("Network.enable");
  const names = new Map<string, string>();
  const seen = { brought: [] as string[], read: new Map<string, number>() };
  session.on("Network.requestWillBeSent", ({ requestId, request }) => {
    const url = new URL(request.url);
    const path = url.searchParams.get("file_path") ?? url.searchParams.get("path") ?? "";
    if (url.pathname === "/api/thumb" && request.method === "POST") seen.brought.push(path.replace("Odd/", ""));
    if (url.pathname === "/api/download") names.set(requestId, path.replace("Odd/", ""));
  });
  session.on("Network.dataReceived", ({ requestId, dataLength }) => {
    const name = names.get(requestId);
    if (name !== undefined) seen.read.set(name, (seen.read.get(name) ?? 0) + dataLength);
  });
  return seen;
}

const picture = (name: string) => walk.entry(name).locator("img");

/** The colours of a picture at its left and at its right, and its shape. */
function look(name: string) {
  return picture(name).evaluate((image: HTMLImageElement) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const pen = canvas.getContext("2d");
    pen?.drawImage(image, 0, 0);
    const colour = (part: number) => [...(pen?.getImageData(canvas.width * part, canvas.height * 0.8, 1, 1).data ?? [])].slice(0, 3);
    return { left: colour(0.1), right: colour(0.9), width: canvas.width, height: canvas.height };
  });
}

/** Whether a colour is about this one. */
function expectColour(is: number[], wanted: readonly number[], name: string, farMax = 24) {
  const far = wanted.map((part, at) => Math.abs(part - (is[at] ?? 999)));
  expect(Math.max(...far), `${name}: ${is} for ${wanted}`).toBeLessThan(farMax);
}

describe("what is brought and larder cannot read", () => {
  it("is drawn as it is brought, from the bytes at hand", async () => {
    mkdirSync(join(walk.larder.root, "Brought"));
    const page = await walk.enter("/?path=Brought", undefined, { viewport: WIDE });
    const seen = await watch(page);
    const files = ["tree.gif", "drawing.svg", "holiday.webm", "ink.jpg", "paper.pdf"].map(at);
    await page.setInputFiles("input[data-pick=files]", files);
    const brought = ["drawing.svg", "holiday.webm", "tree.gif"];
    const status = async (name: string) =>
      (await page.request.get(`${walk.larder.url}/api/thumb?path=Brought/${name}`)).status();
    for (const name of brought) await expect.poll(() => status(name), { timeout: 30_000 }).toBe(200);
    await page.goto(`${walk.larder.url}/?path=Brought`);
    await walk.entry("tree.gif").waitFor();
    if ((await page.locator(".tile").count()) === 0) await page.getByRole("button", { name: "Show as a grid" }).click();
    for (const name of brought) await picture(name).waitFor();
    // Of what larder makes nearly always it is known only when it is seen that it could not.
    await picture("ink.jpg").waitFor();
    expect(new Set(seen.brought)).toEqual(new Set([...brought, "ink.jpg"].map((name) => `Brought/${name}`)));
    for (const name of brought) expect(seen.read.has(`Brought/${name}`), name).toBe(false);
  });
});

describe("what larder cannot read", () => {
  it("has no picture for who may only read, who sends none", async () => {
    const page = await walk.enter("/", READER, { viewport: WIDE });
    const seen = await watch(page);
    await page.goto(`${walk.larder.url}/?path=Odd`);
    for (const name of [...DRAWN, ...SIGNS]) await walk.entry(name).locator("svg").first().waitFor();
    await page.waitForLoadState("networkidle");
    expect(seen.brought).toEqual([]);
    expect([...seen.read]).toEqual([]);
  });

  it("is drawn when somebody sees it who may write there, at little cost", async () => {
    const page = await walk.enter("/", undefined, { viewport: WIDE });
    const seen = await watch(page);
    const busiest = await walk.busiestTask(async () => {
      await page.goto(`${walk.larder.url}/?path=Odd`);
      for (const name of DRAWN) await picture(name).waitFor();
    });
    expect(busiest).toBeLessThan(TASK_MS_MAX);
    expect([...new Set(seen.brought)].toSorted()).toEqual(DRAWN);
    expect(seen.read.get("holiday.webm")).toBeLessThan(FILM_BYTES_MAX);
    for (const name of ["big.gif", "tree.gif", "drawing.svg", "ink.jpg", "long.jpg"]) {
      expect(seen.read.get(name), name).toBeLessThan(statSync(at(name)).size * 1.1);
    }
    // What this browser cannot show is not even fetched.
    for (const name of SIGNS) expect(seen.read.has(name), name).toBe(false);
    const read = `${seen.read.get("holiday.webm")} of ${statSync(at("holiday.webm")).size} bytes of a film`;
    console.info(`${read}, busiest task ${busiest.toFixed(0)} ms`);
  });

  it("is not fetched on when it was left, nor again when it could not be drawn", async () => {
    mkdirSync(join(walk.larder.root, "Torn"));
    writeFileSync(join(walk.larder.root, "Torn", "torn.gif"), "GIF89a and then nothing more");
    const page = await walk.enter("/", undefined, { viewport: WIDE });
    await walk.entry("Torn").waitFor();
    const seen = await watch(page);
    let goOn: (() => void) | undefined;
    await page.route(/\/api\/download/, async (route) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      await route.continue().catch(() => undefined);
    });
    const look = async () => {
      await walk.entry("Torn").dblclick();
      await page.getByRole("heading", { name: "Torn", level: 1 }).waitFor();
    };
    const leave = async () => {
      await page.goBack();
      await page.getByRole("heading", { name: "Files", level: 1 }).waitFor();
    };
    const isFetched = (event: "request" | "requestfailed" | "requestfinished") =>
      page.waitForEvent(event as "request", (request) => request.url().includes("/api/download"));
    const [begun, brokenOff] = [isFetched("request"), isFetched("requestfailed")];
    await look();
    await page.getByRole("button", { name: "Show as a grid" }).click();
    await begun;
    await leave();
    await brokenOff;
    goOn?.();
    await page.unroute(/\/api\/download/);
    // Seen again it is fetched again, and turns out to be no picture.
    const whole = isFetched("requestfinished");
    await look();
    await whole;
    await leave();
    let isAsked = false;
    page.on("request", (request) => (isAsked ||= request.url().includes("/api/download")));
    await look();
    await walk.entry("torn.gif").locator("svg").first().waitFor();
    await page.waitForLoadState("networkidle");
    expect(isAsked).toBe(false);
    expect(seen.brought).toEqual([]);
  });

  it("is shown to everybody then, as it is", async () => {
    const page = await walk.enter("/", READER, { viewport: WIDE });
    const seen = await watch(page);
    await page.goto(`${walk.larder.url}/?path=Odd`);
    for (const name of DRAWN) await picture(name).waitFor();
    const [tree, drawing, holiday] = [await look("tree.gif"), await look("drawing.svg"), await look("holiday.webm")];
    expectColour(tree.left, [200, 30, 30], "tree");
    expectColour(tree.right, [30, 30, 200], "tree");
    expect(tree.width / tree.height).toBeCloseTo(2, 1);
    // A drawing is as large as one likes; nothing in it ran, and nothing was fetched from elsewhere.
    expectColour(drawing.left, [0x33, 0x66, 0xcc], "drawing");
    expectColour(drawing.right, [0xcc, 0x33, 0x33], "drawing");
    expect(drawing.width).toBeGreaterThanOrEqual(160);
    expect(visits).toBe(0);
    expect(await page.title()).not.toBe("run");
    // The hundred and fiftieth of fifteen hundred pictures, each of another hue.
    const tenth = await page.evaluate(() => {
      const pen = document.createElement("canvas").getContext("2d");
      if (!pen) return [];
      pen.fillStyle = "hsl(180 70% 50%)";
      pen.fillRect(0, 0, 1, 1);
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    });
    expectColour(holiday.left, tenth, "holiday, whose encoder changes colours", 50);
    expect(seen.brought).toEqual([]);
    expect([...seen.read]).toEqual([]);
  });
});
