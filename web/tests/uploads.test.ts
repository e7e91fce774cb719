// Uploads that go on: after breaks of the server and of the line, after a reload, another day; what is there
// already; pasted pictures; the button under the thumb.
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DESK, Walk } from "./harness.ts";

/** The phone that the folder is brought from. */
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const FOLDER_FILES = 500;
const FILE_BYTES = 20_000;
const FILM_BYTES = 24 * 1024 * 1024;
/** When the files were changed: years ago, to the second. */
const CHANGED = new Date("2021-05-06T07:08:09Z");

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
let outside: string;

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), "larder-e2e-uploads-"));
});
afterAll(() => rm(outside, { recursive: true, force: true }));

/** Writes a file of this device. */
function write(name: string, content: Buffer | string): string {
  const path = join(outside, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, CHANGED, CHANGED);
  return path;
}

/** Has the line take so many bytes a second; returns the ways to free it, and to cut it and mend it. */
async function sendAt(bytesPerS: number) {
  const network = await walk.context.newCDPSession(walk.page);
  const limits = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerS };
  const set = (change: Partial<typeof limits>) => network.send("Network.emulateNetworkConditions", { ...limits, ...change });
  await network.send("Network.enable");
  await set({});
  const free = async () => {
    await set({ uploadThroughput: -1 });
    await network.detach();
  };
  return { free, cut: () => set({ offline: true }), mend: () => set({}) };
}

const summary = () => walk.page.getByRole("region", { name: "Uploads" }).getByRole("status");
/** How many are done, by the head of the tray. */
async function doneCount(): Promise<number> {
  const words = await summary().innerText().catch(() => "");
  return Number(/^([\d,.]+) of/.exec(words)?.[1]?.replace(/\D/g, "") ?? 0);
}
const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("a folder from a phone", () => {
  it("ends whole though the server and the line break in the middle, with its dates", async () => {
    for (let number = 0; number < FOLDER_FILES; number += 1) {
      write(`Holiday/day ${number % 5}/photo ${number}.jpg`, randomBytes(FILE_BYTES));
    }
    mkdirSync(inRoot("phone"));
    const page = await walk.enter("/?path=phone", undefined, PHONE);
    await page.getByText("This folder is empty").waitFor();
    const line = await sendAt(2_000_000);
    await page.setInputFiles("input[data-pick=folder]", join(outside, "Holiday"));
    await expect.poll(doneCount, { timeout: 60_000 }).toBeGreaterThan(40);
    await walk.larder.crash();
    await page.getByText("larder cannot be reached. This page keeps trying.").waitFor();
    const atBreak = await doneCount();
    expect(atBreak).toBeLessThan(FOLDER_FILES);
    await walk.expectAccessible("a folder on its way while larder is away");
    await walk.expectNoSidewaysScroll("a folder on its way");
    await walk.larder.startAgain();
    await expect.poll(doneCount, { timeout: 60_000 }).toBeGreaterThan(Math.min(FOLDER_FILES - 100, atBreak + 60));
    await line.cut();
    await page.getByText("larder cannot be reached. This page keeps trying.").waitFor();
    await line.mend();
    await line.free();
    await page.getByText(`${FOLDER_FILES} of ${FOLDER_FILES} done`).first().waitFor({ timeout: 90_000 });
    const there = readdirSync(inRoot("phone"), { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    expect(there).toHaveLength(FOLDER_FILES);
    for (const { name, parentPath } of there) {
      const path = join(parentPath, name);
      const own = path.replace(inRoot("phone"), outside);
      expect(hash(readFileSync(path)), name).toBe(hash(readFileSync(own)));
      expect(Math.round(statSync(path).mtimeMs / 1000), name).toBe(CHANGED.getTime() / 1000);
    }
    expect(await page.getByRole("dialog").count()).toBe(0);
    // Nothing is left lying about of what broke off.
    expect(await walk.api("/api/uploads")).toEqual([]);
  }, 240_000);

  it("brought again is there already, and is one line that unfolds", async () => {
    const page = await walk.enter("/?path=phone", undefined, PHONE);
    await walk.entry("Holiday").waitFor();
    writeFileSync(inRoot("phone/Holiday/day 0/photo 5.jpg"), "something else");
    await rm(inRoot("phone/Holiday/day 1/photo 1.jpg"));
    await page.setInputFiles("input[data-pick=folder]", join(outside, "Holiday"));
    await page.getByRole("dialog", { name: "“photo 5.jpg” is already there" }).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Replace" }).click();
    await page.getByText(`${FOLDER_FILES} of ${FOLDER_FILES} done · 498 already there`).first().waitFor({ timeout: 60_000 });
    expect(readdirSync(inRoot("phone"), { recursive: true, withFileTypes: true }).filter((one) => one.isFile())).toHaveLength(FOLDER_FILES);
    await walk.tabTo("Show the files of Holiday");
    await page.keyboard.press("Enter");
    await page.getByText("Already there, skipped").first().waitFor();
    await walk.expectAccessible("an unfolded folder");
    await walk.expectNoSidewaysScroll("an unfolded folder");
    await walk.expectTargets("an unfolded folder");
  }, 180_000);
});

describe("a large file", () => {
  /** Leaves the page while a film is half sent. */
  async function leaveHalfSent(folder: string, film: string) {
    mkdirSync(inRoot(folder));
    const page = await walk.enter(`/?path=${folder}`);
    await page.getByText("This folder is empty").waitFor();
    await sendAt(6_000_000);
    await page.setInputFiles("input[data-pick=files]", film);
    await page.getByText(/^[5-9](\.\d)? MB of 25.2 MB$/).waitFor();
    // The browser asks whether the page may be left.
    page.on("dialog", (dialog) => void dialog.accept());
    await page.reload();
    return page;
  }

  it("goes on after a reload when it is chosen again", async () => {
    const film = write("film.mkv", randomBytes(FILM_BYTES));
    const page = await leaveHalfSent("films", film);
    await page.getByText(/^Waits at [\d.]+ MB of 25.2 MB: choose it again to go on$/).waitFor();
    await walk.expectAccessible("a file that waits to be chosen again");
    // Another file under its name is not sent.
    mkdirSync(join(outside, "other"));
    write("other/film.mkv", randomBytes(FILM_BYTES));
    utimesSync(join(outside, "other/film.mkv"), new Date(), new Date());
    const choose = async (path: string) => {
      const chooser = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Choose" }).click();
      await (await chooser).setFiles(path);
    };
    await choose(join(outside, "other/film.mkv"));
    await page.getByText("That is not the same as “film.mkv” was: nothing was sent.").waitFor();
    let sent = 0;
    page.on("request", (request) => {
      if (request.method() === "PATCH") sent += FILM_BYTES - Number(request.headers()["upload-offset"]);
    });
    await choose(film);
    await page.getByText("1 of 1 done").waitFor({ timeout: 60_000 });
    await page.getByText(/^Done, continued at [\d.]+ MB of 25.2 MB$/).waitFor();
    expect(sent).toBeLessThan(FILM_BYTES - 1_000_000);
    expect(hash(readFileSync(inRoot("films/film.mkv")))).toBe(hash(readFileSync(film)));
    expect(Math.round(statSync(inRoot("films/film.mkv")).mtimeMs / 1000)).toBe(CHANGED.getTime() / 1000);
    expect(await walk.api("/api/uploads")).toEqual([]);
  });

  it("can be given up instead", async () => {
    const film = write("unwanted.mkv", randomBytes(FILM_BYTES));
    const page = await leaveHalfSent("unwanted", film);
    await page.getByRole("button", { name: "Give up unwanted.mkv" }).click();
    await expect.poll(() => walk.api("/api/uploads")).toEqual([]);
    await page.getByText("Waits at").waitFor({ state: "detached" });
    expect(readdirSync(inRoot("unwanted"))).toEqual([]);
  });

  it("goes at larder when it is cancelled", async () => {
    mkdirSync(inRoot("cancelled"));
    const film = write("cancelled.mkv", randomBytes(FILM_BYTES));
    const page = await walk.enter("/?path=cancelled");
    await page.getByText("This folder is empty").waitFor();
    const { free } = await sendAt(6_000_000);
    await page.setInputFiles("input[data-pick=files]", film);
    await page.getByText(/^[2-9](\.\d)? MB of 25.2 MB$/).waitFor();
    expect(await walk.api("/api/uploads")).toHaveLength(1);
    await page.getByRole("button", { name: "Cancel cancelled.mkv" }).click();
    await free();
    await expect.poll(() => walk.api("/api/uploads")).toEqual([]);
  });

  it("is sent by one window alone", async () => {
    mkdirSync(inRoot("twice"));
    const film = write("twice.mkv", randomBytes(FILM_BYTES));
    const one = await walk.enter("/?path=twice");
    await one.getByText("This folder is empty").waitFor();
    const { free } = await sendAt(6_000_000);
    await one.setInputFiles("input[data-pick=files]", film);
    await one.getByText(/^[2-9](\.\d)? MB of 25.2 MB$/).waitFor();
    const two = await walk.newPage();
    await two.goto(`${walk.larder.url}/?path=twice`);
    await two.getByText("This folder is empty").waitFor();
    await two.setInputFiles("input[data-pick=files]", film);
    await two.getByText("On its way in another window").waitFor();
    await free();
    for (const page of [one, two]) await page.getByText("1 of 1 done").waitFor({ timeout: 60_000 });
    expect(readdirSync(inRoot("twice"))).toEqual(["twice.mkv"]);
    expect(hash(readFileSync(inRoot("twice/twice.mkv")))).toBe(hash(readFileSync(film)));
  });
});

/** A picture as the browser draws it. */
const draw = (colour: string) =>
  walk.page.evaluate(async (fill) => {
    const canvas = new OffscreenCanvas(320, 200);
    const pen = canvas.getContext("2d");
    if (!pen) throw new Error("nothing to draw with");
    pen.fillStyle = fill;
    pen.fillRect(0, 0, 320, 200);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer())];
  }, colour).then((bytes) => Buffer.from(bytes));

describe("what is pasted", () => {
  it("goes into the folder on show, a screenshot under a name of its own", async () => {
    mkdirSync(inRoot("pasted"));
    const page = await walk.enter("/?path=pasted");
    await page.getByText("This folder is empty").waitFor();
    const bytes = await draw("teal");
    await page.evaluate((content) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(content)], "image.png", { type: "image/png" }));
      data.items.add(new File(["a note"], "note.txt"));
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }, [...bytes]);
    await page.getByText("2 of 2 done").waitFor();
    const names = readdirSync(inRoot("pasted")).sort();
    expect(names).toEqual([expect.stringMatching(/^Picture \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/), "note.txt"]);
    expect(readFileSync(inRoot("pasted", names[0] ?? "")).equals(bytes)).toBe(true);
    await walk.entry("note.txt").waitFor();
  });
});

describe("a taken name", () => {
  it("is asked about with both pictures", async () => {
    mkdirSync(inRoot("pictures"));
    const page = await walk.enter("/?path=pictures");
    await page.getByText("This folder is empty").waitFor();
    writeFileSync(inRoot("pictures/sea.png"), await draw("navy"));
    await walk.entry("sea.png").waitFor();
    const buffer = Buffer.concat([await draw("orange"), Buffer.alloc(9)]);
    await page.setInputFiles("input[data-pick=files]", [{ name: "sea.png", mimeType: "image/png", buffer }]);
    const dialog = page.getByRole("dialog", { name: "“sea.png” is already there" });
    await dialog.waitFor();
    const isDrawn = () => dialog.locator("img").evaluateAll((all) => all.map((one) => (one as HTMLImageElement).naturalWidth > 0));
    await expect.poll(isDrawn, { timeout: 20_000 }).toEqual([true, true]);
    await walk.expectAccessible("a taken name with pictures");
    await page.setViewportSize(PHONE.viewport);
    await walk.expectNoSidewaysScroll("a taken name on a phone");
    await dialog.getByRole("button", { name: "Skip" }).click();
  });
});

describe("the button under the thumb", () => {
  it("has all that can be added, on a phone alone", async () => {
    mkdirSync(inRoot("thumb"));
    const page = await walk.enter("/?path=thumb", undefined, PHONE);
    const button = page.getByRole("button", { name: "Add", exact: true });
    await button.waitFor();
    await button.tap();
    const menu = page.getByRole("menu", { name: "Add" });
    expect((await menu.getByRole("menuitem").allInnerTexts()).slice(0, 5)).toEqual(["Upload", "Photo or film", "Camera", "Upload a folder", "New folder"]);
    await walk.expectAccessible("what can be added");
    await walk.expectTargets("what can be added");
    await page.keyboard.press("Escape");
    expect(await button.evaluate((one) => one === document.activeElement)).toBe(true);
    for (const [item, pick] of [["Upload", "files"], ["Photo or film", "photos"], ["Camera", "camera"]] as const) {
      await button.click();
      const chooser = page.waitForEvent("filechooser");
      await menu.getByRole("menuitem", { name: item, exact: true }).click();
      expect(await (await chooser).element().getAttribute("data-pick")).toBe(pick);
    }
    await page.setInputFiles("input[data-pick=camera]", [{ name: "image.jpg", mimeType: "image/jpeg", buffer: Buffer.from("a photo") }]);
    await page.getByText("1 of 1 done").waitFor();
    expect(readdirSync(inRoot("thumb"))).toEqual([expect.stringMatching(/^Photo \d{4}-.*\.jpg$/)]);
    await button.click();
    await menu.getByRole("menuitem", { name: "New folder" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("made");
    await page.keyboard.press("Enter");
    await walk.entry("made").waitFor();
    // It covers nothing that is selected, and a desk has its own buttons.
    await page.setViewportSize(DESK);
    await button.waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Upload" }).first().waitFor();
  });
});
