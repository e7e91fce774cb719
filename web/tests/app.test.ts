// Larder on a home screen: the worker that stands between the pages and larder, and what other apps share.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request as ask } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PHONE_DEVICE, Walk } from "./harness.ts";
import * as onHomeScreen from "./homeScreen.ts";
import { READER } from "./larder.ts";

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
/** These alone have a worker: it would stand before what other tests look at. */
const WITH_WORKER = { serviceWorkers: "allow" as const };

const underWorker = () => onHomeScreen.underWorker(walk.page);
const share = (files: onHomeScreen.SharedFile[], words?: Record<string, string>) => onHomeScreen.share(walk.page, files, words);

function without(fields: IncomingHttpHeaders, ...names: string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** Larder at another port, which becomes another version of itself: its first page and its worker change. */
async function serveUpdated() {
  let old: string | undefined;
  let isSilent = false;
  const change = (path: string | undefined, text: string) => {
    if (old === undefined) return text;
    if (path === "/") return text.replace("<title>", '<meta name="version" content="next"><title>');
    return path === "/web/worker.js" ? text.replace(old, "next") : text;
  };
  const server = createServer((request, response) => {
    if (isSilent) return;
    // As it is, and anew each time: what is changed here has another length and another tag.
    const headers = without(request.headers, "host", "accept-encoding", "if-none-match");
    const asked = ask(walk.larder.url + (request.url ?? ""), { method: request.method, headers }, (answer) => {
      const fields = without(answer.headers, "content-length", "etag");
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => response.writeHead(answer.statusCode ?? 502, fields).end(change(request.url, Buffer.concat(parts).toString("latin1")), "latin1"));
    });
    asked.on("error", () => response.destroy());
    request.pipe(asked);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/`, update: (version: string) => (old = version), beSilent: () => (isSilent = true), stop };
}

const sheet = () => onHomeScreen.shareSheet(walk.page);
/** How many things wait in the browser. */
const waitingCount = () =>
  walk.page.evaluate(async () => ((await caches.has("larder-received")) ? (await (await caches.open("larder-received")).keys()).length : 0));

describe("the worker", () => {
  it("keeps the pages' own parts and nothing of larder's, and goes where larder is away", async () => {
    mkdirSync(inRoot("Letters"), { recursive: true });
    const page = await walk.enter("/", undefined, WITH_WORKER);
    await walk.entry("Letters").waitFor();
    await underWorker();
    await walk.entry("Letters").waitFor();
    // A part that comes later, a file, and what a guest would ask.
    await page.goto(`${walk.larder.url}/?view=profile`);
    await page.getByRole("heading", { name: "Profile" }).waitFor();
    await page.evaluate(async () => {
      await Promise.all(["/api/is_up", "/s/nobody", "/web/worker.js", "/web/assets/nothing.js", "/auth"].map((one) => window.fetch(one)));
    });
    const kept = async () => {
      const all = await page.evaluate(async () => {
        const names = (await caches.keys()).filter((name) => name.startsWith("larder-pages-"));
        const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
        return { names, paths: keys.flat().map((one) => new URL(one.url).pathname) };
      });
      expect(all.names).toHaveLength(1);
      return all.paths;
    };
    await expect.poll(kept).toContainEqual(expect.stringMatching(/^\/web\/assets\/Profile-/));
    const paths = await kept();
    expect(paths).toContain("/");
    expect(paths.filter((path) => path !== "/" && !/^\/web\/assets\/[\w.-]+\.(js|css|svg|png)$/.test(path))).toEqual([]);
    expect(paths).not.toContain("/web/assets/nothing.js");

    await walk.larder.crash();
    await page.goto(`${walk.larder.url}/`);
    await page.getByText("larder cannot be reached").first().waitFor();
    await walk.larder.startAgain();
    await walk.entry("Letters").waitFor();
  });

  it("never shows an old page once larder was updated", async () => {
    const token = await (await walk.enter()).evaluate(() => localStorage.getItem("larder.token") ?? "");
    const updating = await serveUpdated();
    const context = await walk.browser.newContext(WITH_WORKER);
    try {
      await context.addInitScript((token) => localStorage.setItem("larder.token", token), token);
      const page = await context.newPage();
      await page.goto(updating.url);
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.reload();
      const inCaches = () => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith("larder-pages-")));
      await expect.poll(inCaches).toHaveLength(1);
      const [old = ""] = await inCaches();
      const isNew = async () => (await page.locator("meta[name=version]").count()) === 1;
      expect(await isNew()).toBe(false);

      updating.update(old.slice("larder-pages-".length));
      await page.reload();
      expect(await isNew()).toBe(true);
      // The new worker takes over by itself, and what the old one kept goes.
      await expect.poll(inCaches, { timeout: 20_000 }).not.toContain(old);
      await page.reload();
      expect(await isNew()).toBe(true);
      await expect.poll(inCaches).toEqual(["larder-pages-next"]);

      // Nothing answers, not even with a no: the kept page comes all the same.
      updating.beSilent();
      await page.reload();
      expect(await isNew()).toBe(true);
    } finally {
      await context.close();
      await updating.stop();
    }
  });

  it("has the browser take larder for an app", async () => {
    const page = await walk.enter("/", undefined, WITH_WORKER);
    const devtools = await walk.context.newCDPSession(page);
    const { errors, url } = await devtools.send("Page.getAppManifest");
    expect(url).toBe(`${walk.larder.url}/web/manifest.webmanifest`);
    expect(errors).toEqual([]);
    const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
    // Contexts of tests are private windows, which install nothing.
    expect(installabilityErrors.map((one) => one.errorId).filter((one) => one !== "in-incognito")).toEqual([]);
    await devtools.detach();
  });
});

describe("what other apps share", () => {
  it("waits for a folder, over a reload, and goes there", async () => {
    mkdirSync(inRoot("Holiday"), { recursive: true });
    const page = await walk.enter("/", undefined, { ...PHONE_DEVICE, ...WITH_WORKER });
    await underWorker();
    const modified = Date.UTC(2024, 4, 6, 7, 8, 9);
    await share([
      { name: "one.txt", content: "first", modified },
      { name: "zwei ü.txt", content: "second" },
    ], { text: "look at these" });
    await sheet().getByText("one.txt").waitFor();
    await walk.expectAccessible("the sheet for what was shared");
    await walk.expectNoSidewaysScroll("the sheet for what was shared");
    expect(await waitingCount()).toBe(3);

    await page.reload();
    await sheet().getByText("zwei ü.txt").waitFor();
    // By the keyboard, too, it is nothing lost.
    await page.keyboard.press("Escape");
    await sheet().waitFor({ state: "detached" });
    await page.reload();
    await sheet().getByRole("radio", { name: "Holiday" }).check();
    await sheet().getByRole("button", { name: "Put it here" }).click();
    await page.getByRole("heading", { name: "Holiday" }).waitFor();
    await walk.entry("zwei ü.txt").waitFor();
    await walk.entry("one.txt").waitFor();
    expect(readFileSync(inRoot("Holiday", "one.txt"), "utf8")).toBe("first");
    await expect.poll(waitingCount).toBe(0);
    // The words that came along were not wanted.
    expect(await walk.names()).toEqual(["one.txt", "zwei ü.txt"]);
  });

  it("goes on by itself when the page is opened anew in the middle", async () => {
    mkdirSync(inRoot("Middle"), { recursive: true });
    const page = await walk.enter("/", undefined, WITH_WORKER);
    await underWorker();
    await share([{ name: "long.txt", content: "x".repeat(100_000) }]);
    await sheet().getByRole("radio", { name: "Middle" }).check();
    // Larder ends in that moment: nothing arrives before the page is opened again.
    await walk.larder.crash();
    await sheet().getByRole("button", { name: "Put it here" }).click();
    await sheet().waitFor({ state: "detached" });
    await expect.poll(waitingCount).toBe(2);
    page.on("dialog", (dialog) => void dialog.accept());
    await walk.larder.startAgain();
    await page.goto(`${walk.larder.url}/?path=Middle`);
    await walk.entry("long.txt").waitFor();
    expect(readFileSync(inRoot("Middle", "long.txt"), "utf8")).toHaveLength(100_000);
    await expect.poll(waitingCount).toBe(0);
  });

  it("is a file of its own where it is words, and nothing at all where it is discarded", async () => {
    const page = await walk.enter("/", undefined, WITH_WORKER);
    await underWorker();
    await share([], { title: "../A recipe: soup", text: "boil it https://example.org/soup", url: "https://example.org/soup" });
    await sheet().getByText("../A recipe: soup").waitFor();
    await sheet().getByRole("button", { name: "Discard" }).click();
    await expect.poll(waitingCount).toBe(0);

    await share([], { title: "../A recipe: soup", text: "boil it https://example.org/soup", url: "https://example.org/soup" });
    await sheet().getByRole("radio", { name: "Files", exact: true }).check();
    await sheet().getByRole("button", { name: "Put it here" }).click();
    const name = "A recipe soup.txt";
    await walk.entry(name).waitFor();
    expect(readFileSync(inRoot(name), "utf8")).toBe("../A recipe: soup\n\nboil it https://example.org/soup\n");
    await expect.poll(waitingCount).toBe(0);

    // Nothing was shared after all; and too much at once is said to be.
    await share([]);
    await walk.entry(name).waitFor();
    expect(await sheet().count()).toBe(0);
    await share(Array.from({ length: 501 }, (_, at) => ({ name: `${at}.txt`, content: "" })));
    await page.getByText("too much for this browser").waitFor();
    expect(await waitingCount()).toBe(0);
  });

  it("is not seen by the next person once one signs out", async () => {
    const page = await walk.open(WITH_WORKER);
    await walk.signIn();
    await underWorker();
    await share([{ name: "private.txt", content: "mine" }]);
    await sheet().getByRole("button", { name: "Later" }).click();
    expect(await waitingCount()).toBe(1);
    await page.goto(`${walk.larder.url}/?view=profile`);
    await sheet().getByRole("button", { name: "Later" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL("**/auth");
    expect(await waitingCount()).toBe(0);
    expect(existsSync(inRoot("private.txt"))).toBe(false);
  });

  it("is not seen by whoever else signs in where a session was over", async () => {
    const page = await walk.open(WITH_WORKER);
    await walk.signIn();
    await underWorker();
    await share([{ name: "private.txt", content: "mine" }]);
    await sheet().getByRole("button", { name: "Later" }).click();
    await page.evaluate(() => localStorage.removeItem("larder.token"));
    await walk.signIn(READER);
    await expect.poll(waitingCount).toBe(0);
    expect(await sheet().count()).toBe(0);
  });
});
