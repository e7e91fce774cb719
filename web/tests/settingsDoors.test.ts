// The settings of how larder is found and opened as a drive: changed on the page, saved, in force; and what is refused.
import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { PHONE_DEVICE, Walk, WIDE } from "./harness.ts";

const walk = new Walk();

type Settings = Record<string, unknown> & { in_force?: Record<string, unknown> };

const settings = async () => (await walk.api("/api/get_settings")) as Settings;
const field = (name: string) => walk.page.getByLabel(name, { exact: true });
/** A setting's switch: its name stands beside it. */
const toggle = (key: string) => walk.page.locator(".setting").filter({ has: walk.page.getByText(key, { exact: true }) }).getByRole("switch");

async function save(words: typeof EN): Promise<void> {
  const button = walk.page.getByRole("button", { name: words.save, exact: true });
  const answer = walk.page.waitForResponse((one) => one.url().endsWith("/api/update_settings"));
  await button.click();
  expect((await answer).status()).toBe(200);
  await walk.page.getByText(words.none, { exact: true }).waitFor();
}

/** The status of an answer of WebDAV over plain HTTP, to nobody in particular. */
function dav(method: string, fields: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(`${walk.larder.url}/dav/`, { method, headers: fields, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking.on("error", reject);
    asking.end();
  });
}

const EN = {
  locale: "en-GB", save: "Save", discard: "Discard", none: "Everything is saved.", discoveryName: "Name in the home network", serverName: "Name in lists",
  litter: "What Macs leave in every folder", isLabel: /^Letters, digits and hyphens/, isName: /^1 to 63 bytes/, isLitter: /^One of these words, please: refuse, keep/,
};
const DE: typeof EN = {
  locale: "de-DE", save: "Speichern", discard: "Verwerfen", none: "Alles ist gespeichert.", discoveryName: "Name im Heimnetz", serverName: "Name in Listen",
  litter: "Was Macs in jedem Ordner hinterlassen", isLabel: /^Buchstaben ohne Umlaute/, isName: /^1 bis 63 Bytes/, isLitter: /^Bitte eines dieser Wörter: refuse, keep/,
};

let before: Settings = {};

afterEach(async () => {
  await walk.enter("/?view=profile");
  await walk.api("/api/update_settings", before);
});

describe.each([
  { device: "a desk", options: { viewport: WIDE }, words: EN },
  { device: "a phone", options: { ...PHONE_DEVICE, viewport: { width: 390, height: 844 } }, words: DE },
])("on $device in $words.locale", ({ device, options, words }) => {
  const enter = async () => {
    await walk.enter("/?view=settings", undefined, { locale: words.locale, ...options });
    await field(words.discoveryName).waitFor();
    const { discovery, discovery_name, server_name, dav, dav_require_tls, dav_litter } = await settings();
    before = { discovery, discovery_name, server_name, dav, dav_require_tls, dav_litter };
  };
  const look = async (where: string) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await walk.page.emulateMedia({ colorScheme });
      await walk.page.locator(`html[data-theme=${colorScheme}]`).waitFor();
      await walk.expectAccessible(`${where} on ${device}, ${colorScheme}`);
    }
    await walk.expectNoSidewaysScroll(`${where} on ${device}`);
  };

  it("how larder is found is changed, saved and in force", async () => {
    await enter();
    expect(before).toMatchObject({ discovery: true, discovery_name: "larder" });
    expect(await field(words.discoveryName).inputValue()).toBe("larder");
    expect(await field(words.serverName).inputValue()).toBe(before["server_name"]);
    expect(await toggle("discovery").getAttribute("aria-checked")).toBe("true");
    await toggle("discovery").click();
    await field(words.discoveryName).fill("Attic-2");
    await field(words.serverName).fill("Küche & Keller");
    await look("settings of how larder is found");
    await save(words);
    const now = await settings();
    // Names are compared without their case; nothing that was given at the start stands before these.
    expect(now).toMatchObject({ discovery: false, server_name: "Küche & Keller" });
    expect(String(now["discovery_name"]).toLowerCase()).toBe("attic-2");
    for (const key of ["discovery", "discovery_name", "server_name"]) expect(Object.keys(now.in_force ?? {})).not.toContain(key);
    await walk.page.reload();
    await field(words.discoveryName).waitFor();
    expect((await field(words.discoveryName).inputValue()).toLowerCase()).toBe("attic-2");
    expect(await field(words.serverName).inputValue()).toBe("Küche & Keller");
    expect(await toggle("discovery").getAttribute("aria-checked")).toBe("false");
    await toggle("discovery").click();
    await save(words);
    expect(await settings()).toMatchObject({ discovery: true });
  });

  it("a name that cannot be is told at its field, and nothing is saved", async () => {
    await enter();
    const at = (name: string) => field(name).evaluate((one) => ({
      isWrong: one.getAttribute("aria-invalid") === "true",
      words: (one.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").at(-1)?.trim() ?? "",
    }));
    for (const [name, serverName] of [["attic.local", ""], ["-attic", "x".repeat(64)], ["küche", "nas \u202egpj"]] as const) {
      await field(words.discoveryName).fill(name);
      await field(words.serverName).fill(serverName);
      await walk.page.getByRole("button", { name: words.save, exact: true }).click();
      await expect.poll(() => at(words.discoveryName)).toEqual({ isWrong: true, words: expect.stringMatching(words.isLabel) });
      expect(await at(words.serverName)).toEqual({ isWrong: true, words: expect.stringMatching(words.isName) });
      // The keyboard is at the first of them.
      await expect.poll(() => field(words.discoveryName).evaluate((one) => one === document.activeElement)).toBe(true);
    }
    await field(words.litter).fill("some");
    await walk.page.getByRole("button", { name: words.save, exact: true }).click();
    await expect.poll(() => at(words.litter)).toEqual({ isWrong: true, words: expect.stringMatching(words.isLitter) });
    await look("settings that are refused");
    expect(await settings()).toMatchObject(before);
    await walk.page.getByRole("button", { name: words.discard, exact: true }).click();
    expect(await field(words.discoveryName).inputValue()).toBe(before["discovery_name"]);
    expect(await at(words.discoveryName)).toMatchObject({ isWrong: false });
  });

  it("the server's own refusal is told at the field as well", async () => {
    await enter();
    const why = "must be one label of 1 to 63 letters, digits and hyphens, such as larder";
    await walk.page.route("**/api/update_settings", (route) =>
      route.fulfill({ status: 400, json: { error: `Invalid settings: discovery_name: ${why}`, code: "invalid_settings" } }), { times: 1 });
    await field(words.discoveryName).fill("cellar");
    await walk.page.getByRole("button", { name: words.save, exact: true }).click();
    await expect.poll(() => field(words.discoveryName).getAttribute("aria-invalid")).toBe("true");
    expect(await walk.page.getByRole("alert").filter({ hasText: words.isLabel }).count()).toBe(1);
    // It may be tried again as it is.
    await save(words);
    expect(await settings()).toMatchObject({ discovery_name: "cellar" });
  });

  it("the drive is switched off and on, and kept to HTTPS, at once", async () => {
    await enter();
    expect(await dav("OPTIONS")).toBe(200);
    expect(await dav("PROPFIND", { Depth: "0" })).toBe(401);
    await toggle("dav_require_tls").click();
    await field(words.litter).fill("keep");
    await save(words);
    expect(await settings()).toMatchObject({ dav: true, dav_require_tls: true, dav_litter: "keep" });
    expect(await dav("PROPFIND", { Depth: "0" })).toBe(403);
    await toggle("dav").click();
    await save(words);
    expect(await settings()).toMatchObject({ dav: false });
    expect(await dav("OPTIONS")).toBe(404);
    await walk.page.reload();
    await field(words.litter).waitFor();
    expect(await toggle("dav").getAttribute("aria-checked")).toBe("false");
    await toggle("dav").click();
    await toggle("dav_require_tls").click();
    await save(words);
    expect(await dav("PROPFIND", { Depth: "0" })).toBe(401);
  });
});

it("the keyboard alone changes and saves them", async () => {
  const page = await walk.enter("/?view=settings");
  await field(EN.discoveryName).waitFor();
  const { discovery, discovery_name, server_name } = await settings();
  before = { discovery, discovery_name, server_name };
  await walk.tabTo(EN.discoveryName);
  await page.keyboard.press("Control+a");
  await page.keyboard.type("pantry");
  await walk.tabTo(EN.serverName);
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Our pantry");
  await walk.tabTo("Save");
  await page.keyboard.press("Enter");
  await page.getByText("Saved.", { exact: true }).waitFor();
  expect(await settings()).toMatchObject({ discovery_name: "pantry", server_name: "Our pantry" });
});
