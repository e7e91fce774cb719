// What must outlive a crash of the server and the end of a session: the place, what is selected, and
// a queue of uploads in the middle of its work.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Walk } from "./harness.ts";

/** Bytes a second the browser sends while a test looks on, so that a queue is met half done. */
const SLOW_BYTES_PER_S = 400_000;
const FILE_BYTES = 120_000;

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);

/** Files whose contents differ, so that a mix-up shows. */
const files = Array.from({ length: 9 }, (_, number) => ({
  name: `film ${number}.bin`,
  mimeType: "application/octet-stream",
  buffer: Buffer.alloc(FILE_BYTES, 65 + number),
}));

async function sendAt(bytesPerS: number) {
  const network = await walk.context.newCDPSession(walk.page);
  const limits = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerS };
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", limits);
  return async () => {
    await network.send("Network.emulateNetworkConditions", { ...limits, uploadThroughput: -1 });
    await network.detach();
  };
}

/** Opens a folder of 60 entries with two selected far down, and starts nine slow uploads there. */
async function begin(folder: string) {
  mkdirSync(inRoot(folder));
  for (let number = 0; number < 60; number += 1) writeFileSync(inRoot(folder, `entry ${number}`), "");
  const page = await walk.open();
  await walk.signIn(undefined, `/?path=${folder}`);
  await walk.entry("entry 0").click();
  await page.keyboard.type("entry 40");
  await page.keyboard.press("Shift+ArrowDown");
  expect(await walk.selected()).toEqual(["entry 40", "entry 41"]);
  const release = await sendAt(SLOW_BYTES_PER_S);
  await page.setInputFiles("input[data-pick=files]", files);
  await page.getByText(/^[1-4] of 9 done$/).waitFor();
  return { page, release };
}

async function expectAllThere(folder: string) {
  await walk.page.getByText("9 of 9 done").waitFor();
  for (const { name, buffer } of files) {
    expect(readFileSync(inRoot(folder, name)).equals(buffer), name).toBe(true);
  }
  expect(await walk.page.getByRole("dialog").count()).toBe(0);
  expect(new URL(walk.page.url()).search).toBe(`?path=${folder}`);
  expect(await walk.selected()).toEqual(["entry 40", "entry 41"]);
}

describe("a queue of uploads", () => {
  it("outlives a crash of the server, with the place and what is selected", async () => {
    const { page, release } = await begin("crashed");
    const place = await page.locator(".pane").evaluate((pane) => pane.scrollTop);
    expect(place).toBeGreaterThan(0);
    await walk.larder.crash();
    await page.getByText("larder cannot be reached. This page keeps trying.").waitFor();
    await page.getByText("Waiting for larder").first().waitFor();
    await walk.expectAccessible("uploads while the server is away");
    await release();
    // What was there stays in sight meanwhile.
    expect(await walk.selected()).toEqual(["entry 40", "entry 41"]);
    await walk.larder.startAgain();
    await page.getByText("larder cannot be reached. This page keeps trying.").waitFor({ state: "detached" });
    await expectAllThere("crashed");
    expect(await page.locator(".pane").evaluate((pane) => pane.scrollTop)).toBe(place);
    // And the page hears again of what others do.
    await page.keyboard.press("Home");
    writeFileSync(inRoot("crashed", "a new one"), "");
    await walk.entry("a new one").waitFor();
  });

  it("goes on after the password, when the session ends in the middle", async () => {
    const { page, release } = await begin("ended");
    // Signed out everywhere, from another device.
    await walk.api("/api/user/logout", { everywhere: true });
    await page.getByRole("dialog", { name: "Your session is over" }).waitFor();
    await release();
    await walk.signInAgain();
    await expectAllThere("ended");
  });

  it("knows its own file again, when only the answer was lost", async () => {
    mkdirSync(inRoot("lost"));
    const page = await walk.enter("/?path=lost");
    await page.getByText("This folder is empty").waitFor();
    let isLost = false;
    await page.route("**/api/uploads", async (route) => {
      if (isLost) return route.continue();
      isLost = true;
      writeFileSync(inRoot("lost", "once.txt"), "once");
      await route.abort("connectionreset");
    });
    const file = { name: "once.txt", mimeType: "text/plain", buffer: Buffer.from("once") };
    await page.setInputFiles("input[data-pick=files]", [file]);
    await page.getByText("1 of 1 done").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(existsSync(inRoot("lost", "once (1).txt"))).toBe(false);
  });
});

describe("a part of the pages that was never wanted before", () => {
  const away = () => walk.page.getByRole("heading", { name: "larder cannot be reached" });
  /** Set on a page, it is gone after a reload. */
  const mark = () => walk.page.evaluate(() => Object.assign(globalThis, { isMarked: true }));
  const isMarked = () => walk.page.evaluate(() => "isMarked" in globalThis);
  /** Who is signed in is known, and the page looks after its connection. */
  const isReady = async () => {
    await walk.entry("note.txt").waitFor();
    await view("Dashboard").waitFor();
  };
  const view = (name: string) =>
    walk.page.getByRole("navigation", { name: "Views" }).getByRole("link", { name });

  beforeAll(() => writeFileSync(inRoot("note.txt"), "a note"));

  it("comes by itself once the server is back: a view, with its looks", async () => {
    const page = await walk.enter();
    await isReady();
    await mark();
    await walk.larder.crash();
    await view("Dashboard").click();
    await away().waitFor();
    await page.getByRole("heading", { name: "Dashboard", level: 1 }).waitFor();
    await walk.expectAccessible("a view while the server is away");
    await walk.larder.startAgain();
    await page.getByRole("heading", { name: "Processor" }).waitFor({ timeout: 40_000 });
    expect(await away().count()).toBe(0);
    expect(await page.getByText("larder could not do this").count()).toBe(0);
    const bare = () => [...document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")].filter((one) => !one.sheet).length;
    expect(await page.evaluate(bare)).toBe(0);
    expect(await isMarked(), "without a reload").toBe(true);
  });

  it("comes by itself once the server is back: the preview", async () => {
    const page = await walk.enter();
    await isReady();
    await walk.larder.crash();
    await walk.entry("note.txt").dblclick();
    await page.getByText("larder cannot be reached. This page keeps trying.").waitFor();
    await walk.larder.startAgain();
    await page.getByRole("dialog", { name: "note.txt" }).waitFor({ timeout: 40_000 });
  });

  it("is had by a reload when larder was updated under the page, and not for ever", async () => {
    const page = await walk.enter();
    await isReady();
    // Until the page is asked for anew; the part is asked for twice, ahead of its use and for it.
    let isOld = true;
    page.on("request", (request) => {
      if (request.isNavigationRequest()) isOld = false;
    });
    await mark();
    await page.route(/\/assets\/Trash-[^/]+\.js$/, (route) =>
      isOld ? route.fulfill({ status: 404, json: { error: "Not found" } }) : route.continue(),
    );
    await view("Trash").click();
    // While it reloads there is no page to ask.
    await expect.poll(() => isMarked().catch(() => true), { timeout: 20_000 }).toBe(false);
    await page.getByText("The trash is empty").waitFor();
    await page.route(/\/assets\/Logs-[^/]+\.js$/, (route) => route.fulfill({ status: 404, json: { error: "Not found" } }));
    await mark();
    await view("Log").click();
    await page.getByText("larder could not do this. Its log says why.").waitFor();
    expect(await isMarked()).toBe(true);
  });
});
