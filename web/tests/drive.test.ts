// The share as a drive: what a device's file manager is told, a key made for it, and whether both are good.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Locator } from "playwright-core";
import { request } from "playwright-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { askDav } from "./dav.ts";
import { PHONE_DEVICE, Walk, WIDE } from "./harness.ts";
import { ADMIN, READER } from "./larder.ts";

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const PHONE = { ...PHONE_DEVICE, viewport: { width: 390, height: 844 } };
const FOLDER = "Our films";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

/** What vouches for larder, as a device gets it. */
let authority: Buffer;

beforeAll(async () => {
  mkdirSync(inRoot(FOLDER), { recursive: true });
  writeFileSync(inRoot(FOLDER, "beach.mp4"), "a film");
  writeFileSync(inRoot("diary.txt"), "mine");
  const device = await request.newContext();
  authority = await (await device.get(`${walk.larder.url}/ca.crt`)).body();
  await device.dispose();
});

const EN = {
  locale: "en-GB", dots: "View", connect: "Connect as a drive", named: `Connect “${FOLDER}” as a drive`, device: "Which device?", windows: "Windows",
  command: "Command line", write: "look and change", year: "1 year", alone: "It opens this folder only", make: "Make a key", done: "Done", label: "Drive on Windows",
  once: "never shown again", plain: "Without encryption", trusts: "only where it trusts this larder", code: "The key as a QR code", how: "How that is done.",
};
const DE: typeof EN = {
  locale: "de-DE", dots: "Ansicht", connect: "Als Laufwerk verbinden", named: `„${FOLDER}“ als Laufwerk verbinden`, device: "Welches Gerät?", windows: "Windows",
  command: "Befehlszeile", write: "ansehen und ändern", year: "1 Jahr", alone: "Er öffnet nur diesen Ordner", make: "Schlüssel anlegen", done: "Fertig", label: "Laufwerk auf Windows",
  once: "nie wieder gezeigt", plain: "Ohne Verschlüsselung", trusts: "nur, wo es diesem larder vertraut", code: "Der Schlüssel als QR-Code", how: "So geht das.",
};

interface Told {
  label: string;
  hint: string;
  path: string;
  write: boolean;
  doors: string[];
  expires: string | null;
}

const keys = async () => (await walk.api("/api/key/get_all")) as (Told & { id: number })[];
/** The lines to be copied that are on show. */
const codes = (place: Locator) => place.locator("code:visible").allInnerTexts();
const port = () => new URL(walk.larder.url).port;

/** What is open, in both themes: clean for axe, whole, and on a phone a finger hits all of it. */
async function look(where: string) {
  for (const colorScheme of ["light", "dark"] as const) {
    await walk.page.emulateMedia({ colorScheme });
    await walk.page.locator(`html[data-theme=${colorScheme}]`).waitFor();
    await walk.expectAccessible(`${where}, ${colorScheme}`);
  }
  await walk.expectNoSidewaysScroll(where);
  if ((walk.page.viewportSize()?.width ?? 0) === PHONE.viewport.width) await walk.expectTargets(where);
}

/** The sheet as somebody gets it from their profile. */
async function fromProfile(options: BrowserContextOptions = {}, who = ADMIN) {
  const page = await walk.enter("/?view=profile", who, options);
  await page.getByRole("button", { name: "Connect as a drive" }).click();
  return page.getByRole("dialog", { name: "Connect as a drive" });
}

afterEach(async () => {
  // What each test made and changed goes, whatever became of it.
  await walk.enter("/?view=profile");
  for (const { id } of await keys()) await walk.api("/api/key/delete", { id });
  await walk.api("/api/update_settings", { dav: true, dav_require_tls: false });
});

describe.each([
  { device: "a desk", options: { viewport: WIDE }, words: EN },
  { device: "a desk", options: { viewport: WIDE }, words: DE },
  { device: "a phone", options: PHONE, words: EN },
  { device: "a phone", options: PHONE, words: DE },
])("on $device in $words.locale", ({ device, options, words }) => {
  it("a folder is connected by an address and a key that are good, for it alone", async () => {
    const page = await walk.enter(`/?path=${encodeURIComponent(FOLDER)}`, ADMIN, { locale: words.locale, ...options });
    await walk.entry("beach.mp4").waitFor();
    await page.getByRole("button", { name: words.dots, exact: true }).click();
    await page.getByRole("menuitem", { name: words.connect }).click();
    const sheet = page.getByRole("dialog", { name: words.named });
    await sheet.getByRole("group", { name: words.device }).getByRole("radio", { name: words.windows }).check();
    await sheet.getByText(words.trusts).waitFor();
    expect(await sheet.getByRole("link", { name: words.how }).getAttribute("href")).toBe("/ca");
    const address = `https://127.0.0.1:${port()}/dav/Our%20films/`;
    expect(await codes(sheet)).toEqual([address, ADMIN.name]);
    expect(await sheet.getByRole("radio", { name: words.write }).isChecked()).toBe(true);
    expect(await sheet.getByRole("checkbox", { name: words.alone }).isChecked()).toBe(true);
    await look(`a drive on ${device}`);

    await sheet.getByRole("radio", { name: words.year }).check();
    await sheet.getByRole("button", { name: words.make }).click();
    await sheet.getByText(words.once).waitFor();
    const [, , key = ""] = await codes(sheet);
    expect(key).toMatch(/^lk_/);
    const code = sheet.getByRole("img", { name: words.code });
    expect(await code.evaluate((one: HTMLImageElement) => one.decode().then(() => one.naturalWidth > 0))).toBe(true);
    await look(`a drive with its key on ${device}`);
    const [told] = await keys();
    expect(told).toMatchObject({ label: words.label, path: FOLDER, write: true, doors: ["dav"] });
    expect(Date.parse(told?.expires ?? "")).toBeGreaterThan(Date.now() + 360 * 86_400_000);

    // What the sheet said is good, and opens nothing else.
    const drive = { name: ADMIN.name, password: key };
    const at = (path: string) => `https://127.0.0.1:${port()}/dav/${path}`;
    const listed = await askDav("PROPFIND", address, drive, { fields: { Depth: "1" }, authority });
    expect(listed.status).toBe(207);
    expect(listed.text).toContain("/dav/Our%20films/beach.mp4");
    const name = `from a drive on ${device}, ${words.locale}.txt`;
    expect((await askDav("PUT", address + encodeURIComponent(name), drive, { body: "brought", authority })).status).toBe(201);
    expect(existsSync(inRoot(FOLDER, name))).toBe(true);
    expect((await askDav("GET", at("diary.txt"), drive, { authority })).status).toBe(403);
    // Other devices are told the same with the same key; commands name it.
    await sheet.getByRole("radio", { name: words.command }).check();
    const command = (await codes(sheet)).find((line) => line.startsWith("rclone "));
    expect(command).toContain(`url=${address} vendor=other user=${ADMIN.name} pass=${key} --obscure`);
    await look(`a drive for commands on ${device}`);
    await sheet.getByText(words.plain, { exact: true }).click();
    expect(await codes(sheet)).toContain(`${walk.larder.url}/dav/Our%20films/`);
    await look(`a drive without encryption on ${device}`);
    await sheet.getByRole("button", { name: words.done }).click();
    await sheet.waitFor({ state: "detached" });
    expect(await page.content()).not.toContain(key);
  });
});

it("the keyboard alone gets there, makes the key and comes back", async () => {
  const page = await walk.enter("/?view=profile", ADMIN, { userAgent: MAC, permissions: ["clipboard-read", "clipboard-write"] });
  const { keyboard } = page;
  const list = page.getByRole("group", { name: "Keys for apps and devices", exact: true });
  await list.waitFor({ state: "attached" });
  await walk.tabTo("Connect as a drive");
  await keyboard.press("Enter");
  const sheet = page.getByRole("dialog", { name: "Connect as a drive" });
  await sheet.getByRole("radio", { name: "Mac" }).waitFor();
  // This device is the first, and chosen.
  await walk.tabTo("Mac");
  expect(await sheet.getByRole("radio").first().evaluate((one) => one === document.activeElement)).toBe(true);
  await keyboard.press("ArrowRight");
  expect(await sheet.getByRole("radio", { name: "Windows" }).isChecked()).toBe(true);
  await keyboard.press("ArrowRight");
  await sheet.getByText("Address for GNOME").waitFor();
  expect(await codes(sheet)).toEqual([`davs://127.0.0.1:${port()}/dav/`, `webdavs://127.0.0.1:${port()}/dav/`, ADMIN.name]);
  await walk.tabTo("Copy: Address for KDE (Dolphin)");
  await keyboard.press("Enter");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(`webdavs://127.0.0.1:${port()}/dav/`);
  await walk.tabTo("look and change");
  await keyboard.press("ArrowLeft");
  expect(await sheet.getByRole("radio", { name: "look", exact: true }).isChecked()).toBe(true);
  await walk.tabTo("Make a key");
  await keyboard.press("Enter");
  // The button is gone; the keyboard is at what took its place.
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Key, as the password");
  await walk.tabTo("Copy: Key, as the password");
  await keyboard.press("Enter");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/^lk_/);
  await keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Connect as a drive");
  // The profile's list has it, without being asked again.
  await list.getByRole("listitem").filter({ hasText: "Drive on Linux" }).getByText("Everything of mine: may look, by network drive (WebDAV)").waitFor();
});

describe("what is told", () => {
  it("begins with this device, and is so for a folder of a list as well", async () => {
    const page = await walk.enter("/", ADMIN, { ...PHONE, userAgent: IPHONE });
    await walk.entry(FOLDER).waitFor();
    await walk.pressLong(FOLDER);
    await page.keyboard.press("Escape");
    await page.getByRole("toolbar").getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Connect as a drive" }).click();
    const sheet = page.getByRole("dialog", { name: `Connect “${FOLDER}” as a drive` });
    expect(await sheet.getByRole("radio").first().evaluate((one) => one.parentElement?.textContent?.trim())).toBe("iPhone, iPad");
    await sheet.getByText("The Files app of Apple opens no WebDAV.").waitFor();
    await sheet.getByText("This address works on this computer only").waitFor();
    await look("a drive for an iPhone");
  });

  it("is not offered to write to whoever may not, and a file is no drive", async () => {
    const sheet = await fromProfile({}, READER);
    await sheet.getByRole("button", { name: "Make a key" }).waitFor();
    expect(await sheet.getByRole("radio", { name: "look and change" }).count()).toBe(0);
    await sheet.getByRole("button", { name: "Make a key" }).click();
    await sheet.getByText("never shown again").waitFor();
    const page = await walk.enter("/");
    await walk.entry("diary.txt").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Details" }).waitFor();
    expect(await page.getByRole("menuitem", { name: "Connect as a drive" }).count()).toBe(0);
  });

  it("says that a second factor leaves the key alone, and why there is none", async () => {
    await walk.open();
    await walk.signIn();
    const { page } = walk;
    await page.route("**/api/user/get_self", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), totp: true } });
    });
    await page.goto(`${walk.larder.url}/?view=profile`);
    await page.getByRole("button", { name: "Connect as a drive" }).click();
    const sheet = page.getByRole("dialog", { name: "Connect as a drive" });
    await sheet.getByText("Your own does not open the drive, since you have a second factor.").waitFor();
    await page.route("**/api/key/create", (route) => route.fulfill({ status: 409, json: { error: "Too many keys", code: "limit_reached" } }), { times: 1 });
    await sheet.getByRole("button", { name: "Make a key" }).click();
    await sheet.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await look("a key that was not made");
    await sheet.getByRole("button", { name: "Make a key" }).click();
    await sheet.getByText("never shown again").waitFor();
  });
});

describe("where there is no drive", () => {
  it("the owner's switch is told", async () => {
    await walk.enter();
    await walk.api("/api/update_settings", { dav: false });
    const sheet = await fromProfile();
    await sheet.getByText("You can switch it on in the settings.").waitFor();
    expect(await sheet.getByRole("radio").count()).toBe(0);
    await look("a drive that is switched off");
  });

  it("HTTPS is told where it is wanted: by its address where larder speaks it, else in words", async () => {
    await walk.enter();
    await walk.api("/api/update_settings", { dav_require_tls: true });
    const sheet = await fromProfile({ userAgent: MAC });
    await expect.poll(() => codes(sheet)).toEqual([`https://127.0.0.1:${port()}/dav/`, ADMIN.name]);
    expect(await sheet.getByText("Without encryption").count()).toBe(0);
    await walk.page.keyboard.press("Escape");
    await walk.page.route("**/ca", (route) => route.fulfill({ status: 404, json: { error: "Not found", code: "not_found" } }));
    await walk.page.getByRole("button", { name: "Connect as a drive" }).click();
    await sheet.getByText("This larder opens drives over HTTPS only").waitFor();
    // Where it is not wanted and not spoken, there is the one address there is.
    await walk.page.keyboard.press("Escape");
    await walk.api("/api/update_settings", { dav_require_tls: false });
    await walk.page.getByRole("button", { name: "Connect as a drive" }).click();
    await expect.poll(() => codes(sheet)).toEqual([`${walk.larder.url}/dav/`, ADMIN.name]);
    await sheet.getByRole("radio", { name: "Windows" }).check();
    await sheet.getByText("Open them by https:// for the right address.").waitFor();
  });

  it("a role that may not is told so, and its folders do not offer it", async () => {
    await walk.enter();
    const roles = (await walk.api("/api/role/get")) as Record<string, string[]>;
    const without = Object.fromEntries(Object.entries(roles).map(([path, names]) => [path, path === "/dav/" || path.startsWith("/api/role") ? names : [...names, "quiet"]]));
    await walk.api("/api/role/edit", without);
    await walk.api("/api/user/create", { username: "quinn", name: "Quinn", password: "quinn's own password", role: "quiet", paths: '[""]', paths_write: '[""]' });
    const sheet = await fromProfile({}, { name: "quinn", password: "quinn's own password" });
    await sheet.getByText("Your role does not let you use larder as a drive.").waitFor();
    await look("a drive that the role does not let one have");
    await walk.page.keyboard.press("Escape");
    await walk.page.goto(walk.larder.url);
    await walk.entry("diary.txt").waitFor();
    await walk.page.getByRole("button", { name: "View", exact: true }).click();
    await walk.page.getByRole("menuitem").or(walk.page.getByRole("menuitemradio")).first().waitFor();
    expect(await walk.page.getByRole("menuitem", { name: "Connect as a drive" }).count()).toBe(0);
  });
});
