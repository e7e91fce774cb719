// HTTPS as a family has it: a browser that was told once to trust larder's authority, and no switch that makes it less
// careful. The whole way there, from the closed lock to a file that another app shared.
import { mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CDPSession, type Page, request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Walk } from "./harness.ts";
import { share, shareSheet, underWorker } from "./homeScreen.ts";
import { startTrustingBrowser } from "./larder.ts";

/** What the page's script keeps of the locks that it got; see `watchLocks`. */
interface Watched {
  locks: WakeLockSentinel[];
}

const walk = new Walk();
const HOSTS = ["localhost", "127.0.0.1"];
const homes: string[] = [];
let port = "";
let authority: Uint8Array;

const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const addressAt = (host: string) => `https://${host}:${port}`;

beforeAll(async () => {
  ({ port } = new URL(walk.larder.url));
  // As a device gets it: over plain HTTP, before it trusts anything.
  const device = await request.newContext();
  authority = await (await device.get(`${walk.larder.url}/ca.crt`)).body();
  await device.dispose();
});

afterAll(async () => {
  await Promise.all(homes.map((home) => rm(home, { recursive: true, force: true })));
});

/** A page in a browser of its own that trusts larder's authority; whatever it asks has to be at this host. */
async function trustingPage(host: string): Promise<Page> {
  const home = await mkdtemp(join(tmpdir(), "larder-e2e-home-"));
  homes.push(home);
  walk.larder = { ...walk.larder, url: addressAt(host) };
  walk.context = await startTrustingBrowser(home, authority);
  return walk.newPage();
}

/** What the browser thinks of the page on show. */
async function securityOf(devtools: CDPSession) {
  const state = new Promise<string>((resolve) =>
    devtools.on("Security.visibleSecurityStateChanged", ({ visibleSecurityState }) => {
      if (visibleSecurityState.certificateSecurityState) resolve(JSON.stringify([visibleSecurityState.securityState, visibleSecurityState.securityStateIssueIds]));
    }),
  );
  await devtools.send("Security.enable");
  return JSON.parse(await state) as unknown;
}

/** Keeps an eye on the locks that the browser really gives. */
async function watchLocks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const locks: WakeLockSentinel[] = [];
    const take = navigator.wakeLock.request.bind(navigator.wakeLock);
    navigator.wakeLock.request = async (type) => {
      const lock = await take(type);
      locks.push(lock);
      return lock;
    };
    Object.assign(window, { locks });
  });
}

/** How many locks there were, and how many hold now. */
function locksOf(page: Page): Promise<{ taken: number; held: number }> {
  return page.evaluate(() => {
    const { locks } = window as unknown as Watched;
    return { taken: locks.length, held: locks.filter((one) => !one.released).length };
  });
}

describe("a browser that was told nothing", () => {
  it.each(HOSTS)("warns of %s", async (host) => {
    walk.larder = { ...walk.larder, url: addressAt(host) };
    const page = await walk.open();
    await expect(page.goto(addressAt(host))).rejects.toThrow("ERR_CERT_AUTHORITY_INVALID");
  });
});

describe("a browser that trusts larder's authority", () => {
  it.each(HOSTS)("has %s safe, as an app, and lets other apps share into it", async (host) => {
    const page = await trustingPage(host);
    await watchLocks(page);
    const devtools = await walk.context.newCDPSession(page);
    const answer = await page.goto(addressAt(host));
    expect((await answer?.securityDetails())?.issuer).toMatch(/^larder on /);
    await walk.signIn();
    expect(await securityOf(devtools)).toEqual(["secure", []]);
    expect(await page.evaluate(() => window.isSecureContext)).toBe(true);
    await underWorker(page);

    // The app: nothing stands against it, and it is there.
    const { errors, url } = await devtools.send("Page.getAppManifest");
    expect({ errors, url }).toEqual({ errors: [], url: `${addressAt(host)}/web/manifest.webmanifest` });
    expect((await devtools.send("Page.getInstallabilityErrors")).installabilityErrors).toEqual([]);
    const manifestId = `${addressAt(host)}/`;
    await expect(devtools.send("PWA.getOsAppState", { manifestId })).rejects.toThrow();
    await devtools.send("PWA.install", { manifestId });
    await devtools.send("PWA.getOsAppState", { manifestId });
    const opening = walk.context.waitForEvent("page");
    // A window of its own is what a person ticks.
    await devtools.send("PWA.changeAppUserSettings", { manifestId, displayMode: "standalone" });
    await devtools.send("PWA.launch", { manifestId });
    const app = await opening;
    await app.getByRole("heading", { name: "Files" }).waitFor();
    expect(await app.evaluate(() => window.matchMedia("(display-mode: standalone)").matches)).toBe(true);
    await app.close();

    // Another app shares.
    const folder = `From ${host}`;
    mkdirSync(inRoot(folder));
    await share(page, [{ name: "one.txt", content: "shared" }]);
    await shareSheet(page).getByRole("radio", { name: folder }).check();
    await shareSheet(page).getByRole("button", { name: "Put it here" }).click();
    await walk.entry("one.txt").waitFor();
    expect(readFileSync(inRoot(folder, "one.txt"), "utf8")).toBe("shared");

    // The screen stays on for as long as something is sent, and no longer.
    await expect.poll(() => locksOf(page)).toMatchObject({ held: 0 });
    const before = await locksOf(page);
    let send = () => {};
    const mayGo = new Promise<void>((resolve) => (send = resolve));
    await page.route("**/api/uploads", async (route) => {
      await mayGo;
      await route.continue();
    });
    await page.setInputFiles("input[data-pick=files]", [{ name: "two.txt", mimeType: "text/plain", buffer: Buffer.from("sent") }]);
    await expect.poll(() => locksOf(page)).toEqual({ taken: before.taken + 1, held: 1 });
    send();
    await walk.entry("two.txt").waitFor();
    await expect.poll(() => locksOf(page)).toEqual({ taken: before.taken + 1, held: 0 });
    expect(readFileSync(inRoot(folder, "two.txt"), "utf8")).toBe("sent");
  });
});
