// The pages as a person meets them: the real larder, the real Chromium, one walk through each page.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ADMIN, type Larder, READER, startBrowser, startLarder } from "./larder.ts";

/** What axe must find nothing against: WCAG 2.2 AA and what it counts as good practice. */
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Bytes of compressed scripts and styles that a first load may take. */
const FIRST_LOAD_BYTES_MAX = 150_000;
const PHONE = { width: 360, height: 720 };
const STRANGE_NAME = `<img src=x onerror="document.title='run'">&amp; 'a' 100%#?.txt`;

let larder: Larder;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the browser complained about: script errors, and whatever the policy stopped. */
let complaints: string[] = [];

beforeAll(async () => {
  larder = await startLarder();
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await larder?.stop();
});

beforeEach(async () => {
  complaints = [];
  await openContext();
});

afterEach(async () => {
  await context.close();
  expect(complaints).toEqual([]);
});

async function openContext(options: Parameters<Browser["newContext"]>[0] = {}) {
  await context?.close();
  context = await browser.newContext({ locale: "en-GB", ...options });
  page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // An answer that refuses is part of some walks, and not the page's fault.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) complaints.push(message.text());
  });
}

/** Fills the sign-in form, and again whenever larder asks for patience. */
async function signIn(who = ADMIN, at = "/") {
  await page.goto(larder.url + at);
  await page.getByLabel("User name").fill(who.name);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  for (;;) {
    const answer = page.waitForResponse((one) => one.url().endsWith("/api/user/login"));
    await page.locator("button[type=submit]:enabled").click();
    // The button stays shut for as long as larder said.
    if ((await answer).status() !== 429) break;
  }
  await page.waitForURL((url) => url.pathname !== "/auth");
}

const row = (name: string) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });
const names = () => page.locator("tbody th :is(a, .plain)").allInnerTexts();

async function pick(name: string, action: string) {
  await row(name).getByRole("button").click();
  await page.getByRole("menuitem", { name: action }).click();
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");

/** Has axe look at the page as it stands; animations are over first. */
async function expectAccessible(where: string) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)));
  // By evaluation, not as a script element: the policy would stop that.
  await page.evaluate(axeSource);
  const findings = await page.evaluate(async (tags) => {
    const axe = (globalThis as unknown as { axe: typeof import("axe-core") }).axe;
    const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`);
  }, AXE_TAGS);
  expect(findings, where).toEqual([]);
}

/** Whether everything fits: a page that scrolls sideways is broken on a phone. */
async function expectNoSidewaysScroll(where: string) {
  const [content, window] = await page.evaluate(() => {
    const root = document.documentElement;
    return [root.scrollWidth, root.clientWidth];
  });
  expect(content, where).toBeLessThanOrEqual(window ?? 0);
}

describe("signing in", () => {
  it("says beside the field what is wrong, counts down, and leads back", async () => {
    mkdirSync(join(larder.root, "way back"), { recursive: true });
    await page.goto(`${larder.url}/?path=way%20back`);
    await page.waitForURL("**/auth?next=*");
    await expectAccessible("sign-in");

    await page.getByRole("button", { name: "Sign in" }).click();
    const name = page.getByLabel("User name");
    expect(await name.getAttribute("aria-invalid")).toBe("true");
    expect(await page.getByText("Enter your user name.").isVisible()).toBe(true);
    expect(await page.getByText("Enter your password.").isVisible()).toBe(true);
    await expectAccessible("sign-in with errors");

    await name.fill(ADMIN.name);
    const password = page.getByLabel("Password", { exact: true });
    await password.fill("wrong");
    await page.getByRole("button", { name: "Show password" }).click();
    expect(await password.getAttribute("type")).toBe("text");
    // One of these is refused for its password and the next for its haste.
    const statuses: number[] = [];
    page.on("response", (one) => {
      if (one.url().endsWith("/api/user/login")) statuses.push(one.status());
    });
    for (const expected of [401, 429]) {
      while (!statuses.includes(expected)) {
        const answer = page.waitForResponse((one) => one.url().endsWith("/api/user/login"));
        await page.locator("button[type=submit]:enabled").click();
        await answer;
      }
      const words = expected === 401 ? "The user name or the password" : "Try again in";
      await page.getByText(words).first().waitFor();
    }
    await expectAccessible("sign-in that has to wait");

    await signIn(ADMIN, new URL(page.url()).pathname + new URL(page.url()).search);
    expect(new URL(page.url()).search).toBe("?path=way%20back");
    await page.getByRole("heading", { name: "way back" }).waitFor();
  });

  it("never leads to a stranger", async () => {
    await signIn(ADMIN, "/auth?next=//evil.example/");
    expect(page.url()).toBe(`${larder.url}/`);
  });

  it("is asked for again where a session ends, without losing the place", async () => {
    mkdirSync(join(larder.root, "kept place"), { recursive: true });
    await signIn();
    await page.evaluate(() => localStorage.setItem("larder.token", "not a token"));
    await page.goto(`${larder.url}/?path=kept%20place`);
    await page.getByText("Your session is over.").waitFor();
    await expectAccessible("sign-in after a session");
    await signIn(ADMIN, new URL(page.url()).pathname + new URL(page.url()).search);
    await page.getByRole("heading", { name: "kept place" }).waitFor();
  });

  it("ends when one signs out, in every tab", async () => {
    await signIn();
    await page.getByRole("button", { name: "New folder" }).waitFor();
    const other = await context.newPage();
    await other.goto(larder.url);
    await other.getByRole("button", { name: "New folder" }).waitFor();
    await page.getByRole("button", { name: "Account and settings" }).click();
    await expectAccessible("account");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/auth");
    await other.waitForURL("**/auth*");
    await page.goto(larder.url);
    await page.waitForURL("**/auth");
  });
});

describe("the file manager", () => {
  it("makes, uploads, renames, downloads and deletes", async () => {
    await signIn();
    await page.getByRole("button", { name: "New folder" }).click();
    await expectAccessible("new folder");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("Enter a name.").waitFor();
    await page.getByLabel("Name").fill("work");
    await page.getByLabel("Name").press("Enter");
    await row("work").waitFor();
    expect(existsSync(join(larder.root, "work"))).toBe(true);

    // The focus is on what was made.
    await page.locator("[data-name=work]:focus").press("Enter");
    await page.getByText("This folder is empty").waitFor();
    expect(new URL(page.url()).search).toBe("?path=work");
    expect(await page.title()).toContain("work");
    await expectAccessible("an empty folder");

    const files = [
      { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("first") },
      { name: "b.tar.gz", mimeType: "application/gzip", buffer: Buffer.alloc(300_000, 7) },
    ];
    await page.setInputFiles("input[type=file]", files);
    await page.getByText("2 of 2 done").waitFor();
    await row("b.tar.gz").waitFor();
    expect(readFileSync(join(larder.root, "work/a.txt"), "utf8")).toBe("first");
    expect(readFileSync(join(larder.root, "work/b.tar.gz")).length).toBe(300_000);
    await expectAccessible("files and the tray");

    // The same name again: asked once, kept beside the first.
    const again = { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("second") };
    await page.setInputFiles("input[type=file]", [again]);
    await page.getByRole("dialog").waitFor();
    await expectAccessible("a collision");
    await page.getByRole("button", { name: "Keep both" }).click();
    await page.getByText("3 of 3 done").waitFor();
    await page.getByText("3 items").waitFor();
    expect(readFileSync(join(larder.root, "work/a.txt"), "utf8")).toBe("first");
    await page.getByRole("button", { name: "Clear" }).click();

    // The menu as keys use it; then a rename with the stem selected.
    await row("b.tar.gz").getByRole("button").press("Enter");
    await expectAccessible("a menu");
    await page.keyboard.press("Escape");
    await pick("b.tar.gz", "Rename");
    const field = page.getByLabel("Name", { exact: true });
    await field.press("c");
    expect(await field.inputValue()).toBe("c.gz");
    await field.fill("a.txt");
    await field.press("Enter");
    await page.getByText("This name is taken.").waitFor();
    await expectAccessible("a rename refused");
    await field.fill("c.gz");
    await field.press("Enter");
    await row("c.gz").waitFor();
    expect(existsSync(join(larder.root, "work/b.tar.gz"))).toBe(false);

    const download = page.waitForEvent("download");
    await pick("a.txt", "Download");
    expect((await download).suggestedFilename()).toBe("a.txt");
    expect(await readFile(await (await download).path(), "utf8")).toBe("first");

    await pick("c.gz", "Delete");
    await page.getByText("Delete “c.gz”?").waitFor();
    await expectAccessible("a deletion");
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(existsSync(join(larder.root, "work/c.gz"))).toBe(true);
    await pick("c.gz", "Delete");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("“c.gz” was deleted.").waitFor();
    await row("c.gz").waitFor({ state: "detached" });
    await page.locator("h1:focus").waitFor();
    expect(existsSync(join(larder.root, "work/c.gz"))).toBe(false);
  });

  it("takes files and folders dropped on it", async () => {
    mkdirSync(join(larder.root, "dropped"));
    await signIn(ADMIN, "/?path=dropped");
    await page.getByText("This folder is empty").waitFor();
    const outside = await mkdtemp(join(tmpdir(), "larder-e2e-outside-"));
    mkdirSync(join(outside, "tree/branch"), { recursive: true });
    writeFileSync(join(outside, "tree/branch/leaf.txt"), "leaf");
    writeFileSync(join(outside, "single.txt"), "single");
    const data = {
      items: [],
      files: [join(outside, "tree"), join(outside, "single.txt")],
      dragOperationsMask: 1,
    };
    const mouse = await context.newCDPSession(page);
    const drag = (type: "dragEnter" | "dragOver" | "drop") =>
      mouse.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
    await drag("dragEnter");
    await page.getByText("Drop to upload to “dropped”").waitFor();
    await drag("dragOver");
    await drag("drop");
    await page.getByText("2 of 2 done").waitFor();
    await row("tree").waitFor();
    await row("single.txt").waitFor();
    await rm(outside, { recursive: true });
    const read = (path: string) => readFileSync(join(larder.root, "dropped", path), "utf8");
    expect([read("tree/branch/leaf.txt"), read("single.txt")]).toEqual(["leaf", "single"]);
    expect(await page.getByText("Drop to upload").count()).toBe(0);
  });

  it("has an address for each folder, with the way back and forward", async () => {
    mkdirSync(join(larder.root, "outer/in & out #1"), { recursive: true });
    await signIn();
    await page.getByRole("link", { name: "outer" }).click();
    await page.getByRole("link", { name: "in & out #1" }).click();
    const deep = page.getByRole("heading", { name: "in & out #1" });
    await deep.waitFor();
    await page.reload();
    await deep.waitFor();
    await page.goBack();
    await page.getByRole("link", { name: "in & out #1" }).waitFor();
    await page.goForward();
    await deep.waitFor();
    await page.getByRole("navigation", { name: "Folder" }).getByText("outer").click();
    await page.getByRole("heading", { name: "outer" }).waitFor();
    expect(new URL(page.url()).search).toBe("?path=outer");
  });

  it("sorts as asked, by name as people count", async () => {
    mkdirSync(join(larder.root, "sorted/z folder"), { recursive: true });
    for (const [name, size] of Object.entries({ "p10": 1, "p2": 3, "p1": 2 })) {
      writeFileSync(join(larder.root, "sorted", name), "x".repeat(size));
    }
    await signIn(ADMIN, "/?path=sorted");
    await row("p10").waitFor();
    expect(await names()).toEqual(["z folder", "p1", "p2", "p10"]);
    await page.getByRole("button", { name: "Size" }).click();
    expect(await names()).toEqual(["z folder", "p2", "p1", "p10"]);
    const head = page.getByRole("columnheader", { name: "Size" });
    expect(await head.getAttribute("aria-sort")).toBe("descending");
  });

  it("shows names as text, whatever is in them", async () => {
    mkdirSync(join(larder.root, "strange", STRANGE_NAME), { recursive: true });
    writeFileSync(join(larder.root, "strange", STRANGE_NAME, STRANGE_NAME), "strange content");
    await signIn(ADMIN, "/?path=strange");
    await page.getByRole("link", { name: STRANGE_NAME }).click();
    await page.getByRole("heading", { name: STRANGE_NAME }).waitFor();
    await page.locator("tbody").getByRole("link", { name: STRANGE_NAME }).click();
    await page.getByText("strange content").waitFor();
    expect(await page.title()).toContain(STRANGE_NAME);
    expect(await page.locator("main img").count()).toBe(0);
  });

  it("shows thousands of entries a part at a time", async () => {
    const folder = join(larder.root, "many");
    mkdirSync(folder);
    for (let number = 0; number < 1200; number += 1) writeFileSync(join(folder, `n${number}`), "");
    await signIn(ADMIN, "/?path=many");
    await page.getByText("1,200 items").waitFor();
    expect((await names()).length).toBeLessThan(1200);
    for (;;) {
      await page.keyboard.press("End");
      if (await row("n1199").isVisible()) break;
    }
    expect((await names()).length).toBe(1200);
  });

  it("says so where a folder is missing, forbidden or out of reach", async () => {
    await signIn(ADMIN, "/?path=nowhere");
    await page.getByText("This folder does not exist").waitFor();
    await expectAccessible("a missing folder");
    await page.getByRole("link", { name: "To all files" }).click();
    await page.getByRole("heading", { name: "Files", exact: true }).waitFor();

    const refuse = JSON.stringify({ error: "Unauthorized" });
    await page.route("**/api/finder*", (route) => route.fulfill({ status: 401, body: refuse }));
    await page.reload();
    await page.getByText("You may not see this folder").waitFor();
    await expectAccessible("a forbidden folder");
    await page.unroute("**/api/finder*");

    await page.route("**/api/finder*", (route) => route.abort());
    await page.reload();
    await page.getByText("larder cannot be reached").waitFor();
    await expectAccessible("out of reach");
    await page.unroute("**/api/finder*");
    // It comes back by itself.
    await row("outer").waitFor();
  });

  it("offers only what one may do", async () => {
    await signIn(READER);
    await page.getByText("Read-only").waitFor();
    expect(await page.getByRole("button", { name: "Upload" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "New folder" }).count()).toBe(0);
    await row("outer").getByRole("button").click();
    expect(await page.getByRole("menuitem").allInnerTexts()).toEqual(["Download"]);
    await expectAccessible("read-only");
    await page.keyboard.press("Escape");
    // And what the role has no endpoint for is not there at all.
    await page.route("**/api/role/self", (route) =>
      route.fulfill({ json: { "/api/finder": true } }),
    );
    await page.reload();
    await row("outer").waitFor();
    expect(await row("outer").getByRole("button").count()).toBe(0);
  });
});

describe("the preview", () => {
  it("shows each kind, and details where there is nothing to show", async () => {
    const folder = join(larder.root, "shown");
    mkdirSync(folder);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>';
    writeFileSync(join(folder, "a.svg"), svg);
    writeFileSync(join(folder, "a.wav"), silence());
    writeFileSync(join(folder, "a.pdf"), "%PDF-1.4\n%%EOF\n");
    writeFileSync(join(folder, "a.html"), "<script>document.title = 'run'</script>");
    writeFileSync(join(folder, "a.zip"), "PK");
    writeFileSync(join(folder, "broken.mp4"), "no film");
    writeFileSync(join(folder, "long.txt"), "x".repeat(1_000_001));
    await signIn(ADMIN, "/?path=shown");
    await page.getByRole("link", { name: "a.svg" }).click();
    await page.waitForURL("**/preview?path=shown/a.svg");
    const image = page.getByRole("img", { name: "a.svg" });
    await image.waitFor();
    expect(await image.evaluate((one: HTMLImageElement) => one.naturalWidth)).toBe(9);
    await expectAccessible("an image");

    const open = (name: string) => page.goto(`${larder.url}/preview?path=shown/${name}`);
    await open("a.wav");
    await page.locator("audio").waitFor();
    await page.waitForFunction(() => (document.querySelector("audio")?.duration ?? 0) > 0);
    await expectAccessible("sound");

    await open("a.html");
    await page.getByText("<script>document.title = 'run'</script>").waitFor();
    expect(await page.title()).toContain("a.html");
    await expectAccessible("text");

    await open("a.pdf");
    const canShow = await page.evaluate(() => navigator.pdfViewerEnabled);
    await page.locator(canShow ? "iframe" : "main h2").waitFor();

    await open("a.zip");
    await page.getByText("There is no preview for this file.").waitFor();
    await expectAccessible("no preview");
    await open("long.txt");
    await page.getByText("This text is too long").waitFor();
    await open("broken.mp4");
    await page.getByText("This file cannot be shown.").waitFor();
    await open("none.txt");
    await page.getByText("This file does not exist").waitFor();
    await page.getByRole("link", { name: "Back to the folder" }).click();
    await row("a.svg").waitFor();
  });
});

describe("all pages", () => {
  it("fit a phone, with targets for fingers", async () => {
    const long = `${"a very long name ".repeat(12)}.txt`;
    mkdirSync(join(larder.root, "small", "deeper"), { recursive: true });
    writeFileSync(join(larder.root, "small", "deeper", long), "x");
    await openContext({ viewport: PHONE, hasTouch: true });
    await page.goto(`${larder.url}/auth`);
    await page.getByLabel("User name").waitFor();
    await expectNoSidewaysScroll("sign-in");
    await signIn(ADMIN, "/?path=small/deeper");
    await row(long).waitFor();
    await expectNoSidewaysScroll("files");
    await expectAccessible("files on a phone");
    for (const button of await page.getByRole("button").all()) {
      const box = await button.boundingBox();
      expect(box?.height, await button.innerText()).toBeGreaterThanOrEqual(44);
    }
    await page.getByRole("link", { name: long }).tap();
    await page.locator("pre").waitFor();
    await expectNoSidewaysScroll("preview");
  });

  it("speak German, and are dark where that is wanted", async () => {
    await openContext({ locale: "de-DE", colorScheme: "dark" });
    await page.goto(`${larder.url}/auth`);
    await page.getByRole("heading", { name: "Anmelden" }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("de");
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    await expectAccessible("sign-in in the dark");
    await page.getByRole("radio", { name: "English" }).check();
    await page.getByRole("radio", { name: "Light" }).check();
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("light");
    await page.getByRole("radio", { name: "Dark" }).check();
    await signIn();
    await row("outer").waitFor();
    await expectAccessible("files in the dark");
  });

  it("can be used by the keyboard alone", async () => {
    await signIn(ADMIN, "/?path=outer");
    await row("in & out #1").waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    const reached = async (name: string) => {
      for (let step = 0; step < 20; step += 1) {
        await page.keyboard.press("Tab");
        const words = await page.evaluate(
          () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent,
        );
        if (words?.trim() === name) return;
      }
      throw new Error(`${name} is not reached by Tab`);
    };
    await reached("Actions for in & out #1");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // The focus is back where it was.
    const focused = page.getByRole("button", { name: "Actions for in & out #1" });
    expect(await focused.evaluate((one) => one === document.activeElement)).toBe(true);
  });

  it("load little, and nothing from elsewhere", async () => {
    await signIn();
    const cache = await context.newCDPSession(page);
    await cache.send("Network.setCacheDisabled", { cacheDisabled: true });
    for (const path of ["/", "/auth", "/preview?path=outer"]) {
      const foreign: string[] = [];
      page.on("request", (one) => {
        if (!one.url().startsWith(larder.url)) foreign.push(one.url());
      });
      await page.goto(larder.url + path, { waitUntil: "networkidle" });
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

/** A tenth of a second of silence as a WAV file: 8 kHz, 8 bit, mono. */
function silence(): Buffer {
  const samples = 800;
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples, 40);
  return Buffer.concat([head, Buffer.alloc(samples, 128)]);
}
