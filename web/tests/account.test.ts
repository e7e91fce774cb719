// One's own account: where one is signed in, and for how long; keys for apps; the second factor.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PHONE_DEVICE, Walk } from "./harness.ts";
import { ADMIN, READER } from "./larder.ts";
import { codeOf } from "./secondCode.ts";

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const HOUR_MS = 60 * 60 * 1000;
const AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

const list = (name: string) => walk.page.getByRole("group", { name, exact: true });
const signedIn = () => list("Where you are signed in").getByRole("listitem");

describe("where one is signed in", () => {
  it("is told with device and time, stays as one said, and ends at once", async () => {
    // On a phone one stays signed in unless one says otherwise.
    const phone = await walk.open({ ...PHONE_DEVICE, userAgent: AGENT });
    await phone.goto(`${walk.larder.url}/`);
    expect(await phone.getByLabel("Stay signed in on this device").isChecked()).toBe(true);
    await walk.signIn(READER);
    const { context } = walk;
    walk.context = await walk.browser.newContext({ locale: "en-GB" });
    const page = await walk.newPage();
    await page.goto(`${walk.larder.url}/?view=profile`);
    const stay = page.getByLabel("Stay signed in on this device");
    expect(await stay.isChecked()).toBe(false);
    await stay.check();
    await page.getByLabel("User name").fill(READER.name);
    await page.getByLabel("Password", { exact: true }).fill(READER.password);
    await walk.submitSignIn();
    await page.getByRole("heading", { name: "Profile" }).waitFor();
    const here = signedIn().filter({ hasText: "this device" });
    await here.waitFor();
    expect(await here.innerText()).toContain("stays signed in");
    expect(await here.getByRole("button").count()).toBe(0);
    expect(await signedIn().count()).toBe(2);
    const other = signedIn().filter({ hasText: "Safari on iPhone" });
    expect(await other.innerText()).toContain("127.0.0.1");
    await walk.expectAccessible("the list of sessions");

    await other.getByRole("button", { name: "End: Safari on iPhone" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Safari on iPhone is signed out.").waitFor();
    await expect.poll(() => signedIn().count()).toBe(1);
    // The phone hears of it with its next question.
    await phone.goto(`${walk.larder.url}/?view=profile`);
    await phone.waitForURL("**/auth?*");
    await context.close();
  });

  it("goes on with a new token each hour, in all tabs, and after a night without one", async () => {
    const page = await walk.open();
    await walk.signIn(READER);
    const token = () => page.evaluate(() => localStorage.getItem("larder.token"));
    const first = await token();
    await page.evaluate((ago) => localStorage.setItem("larder.tokenGot", String(Date.now() - ago)), 2 * HOUR_MS);
    const renewed = page.waitForResponse((one) => one.url().endsWith("/api/user/renew"));
    await page.reload();
    expect((await renewed).status()).toBe(200);
    await expect.poll(token).not.toBe(first);
    const second = await token();
    await page.reload();
    await page.getByRole("heading", { name: "Files" }).waitFor();
    // An hour has not passed.
    expect(await token()).toBe(second);

    // A token that has expired: nobody is asked for anything.
    let isExpired = true;
    await page.route("**/api/user/get_self", async (route) => {
      if (!isExpired) return route.fallback();
      isExpired = false;
      await route.fulfill({ status: 401, json: { error: "Token expired", code: "token_expired" } });
    });
    await page.reload();
    await page.getByRole("heading", { name: "Files" }).waitFor();
    await expect.poll(token).not.toBe(second);
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(isExpired).toBe(false);
  });
});

describe("keys for apps", () => {
  it("are made for a folder and a purpose, shown once, work, and end", async () => {
    mkdirSync(inRoot("Films"), { recursive: true });
    mkdirSync(inRoot("Letters"), { recursive: true });
    const page = await walk.open(PHONE_DEVICE);
    await walk.signIn(ADMIN, "/?view=profile");
    await page.getByRole("button", { name: "Add a key" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a key" });
    // What is missing is said where it is.
    await dialog.getByRole("button", { name: "Make the key" }).click();
    expect(await dialog.getByLabel("What is it for?").getAttribute("aria-invalid")).toBe("true");
    await dialog.getByLabel("What is it for?").fill("The TV");
    await dialog.getByRole("radio", { name: "Films" }).check();
    await dialog.getByLabel("FTP").uncheck();
    await walk.expectAccessible("making a key");
    await walk.expectNoSidewaysScroll("making a key");
    await dialog.getByRole("button", { name: "Make the key" }).click();
    const made = page.getByRole("dialog", { name: "The key “The TV”" });
    const key = (await made.locator("code").filter({ hasText: /^lk_/ }).innerText()).trim();
    const code = made.getByRole("img", { name: "The key as a QR code" });
    expect(await code.evaluate((one: HTMLImageElement) => one.decode().then(() => one.naturalWidth > 0))).toBe(true);
    expect(await made.locator("code").allInnerTexts()).toEqual([ADMIN.name, key, walk.larder.url, `${walk.larder.url}/dav/`]);
    // This key is not for FTP.
    expect(await made.getByText("FTP").count()).toBe(0);
    await walk.expectAccessible("a key that was made");
    await walk.expectNoSidewaysScroll("a key that was made");
    await made.getByRole("button", { name: "Done" }).click();

    const ask = (path: string) =>
      page.evaluate(async ([path, key]) => (await window.fetch(path, { headers: { "X-API-KEY": key } })).status, [path, key] as const);
    expect(await ask("/api/finder?path=Films")).toBe(200);
    expect(await ask("/api/finder?path=Letters")).toBe(403);
    const line = list("Keys for apps and devices").getByRole("listitem").filter({ hasText: "The TV" });
    expect(await line.innerText()).toContain("Films: may look, by programs (API)");
    expect(await page.content()).not.toContain(key);
    await walk.expectAccessible("the list of keys");
    await walk.expectNoSidewaysScroll("the list of keys");

    await line.getByRole("button", { name: "End: The TV" }).click();
    await page.getByRole("dialog", { name: "End the key “The TV”?" }).getByRole("button", { name: "End" }).click();
    await page.getByText("The key “The TV” has ended.").waitFor();
    await line.waitFor({ state: "detached" });
    expect(await ask("/api/finder?path=Films")).toBe(401);
  });
});

describe("a key for FTP", () => {
  it("comes with the address where it is good, once FTP is on", async () => {
    const page = await walk.enter("/?view=profile", ADMIN, { locale: "de-DE" });
    const make = async (label: string) => {
      await page.getByRole("button", { name: "Schlüssel hinzufügen" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Wofür ist er?").fill(label);
      await dialog.getByRole("button", { name: "Schlüssel anlegen" }).click();
      return page.getByRole("dialog", { name: label });
    };
    const early = await make("Kamera");
    await early.getByText("FTP ist auf diesem larder ausgeschaltet.").waitFor();
    await walk.expectAccessible("a key for FTP while it is off");
    await early.getByRole("button", { name: "Fertig" }).click();
    await walk.api("/api/ftp/start", {});
    const made = await make("Scanner");
    await made.locator("code").filter({ hasText: /^ftp:\/\/127\.0\.0\.1:\d+\/$/ }).waitFor();
    expect(await made.getByText("ausgeschaltet").count()).toBe(0);
    await walk.expectAccessible("a key for FTP");
    await walk.expectNoSidewaysScroll("a key for FTP");
  });
});

describe("the second factor", () => {
  it("is set up with an app, asked for at the door, let in by a recovery code, and turned off", async () => {
    const page = await walk.open(PHONE_DEVICE);
    await walk.signIn(READER, "/?view=profile");
    await page.getByRole("button", { name: "Turn on" }).click();
    const setUp = page.getByRole("dialog", { name: "Turn on the second factor" });
    await setUp.getByLabel("Current password").fill("not this one");
    const next = setUp.getByRole("button", { name: "Next" });
    await next.click();
    await setUp.getByText("not right").waitFor();
    await setUp.getByLabel("Current password").fill(READER.password);
    // Who guessed wrong has to wait a moment.
    const secretLine = setUp.locator("code");
    await expect.poll(async () => {
      if ((await secretLine.count()) === 0 && (await next.count()) > 0 && (await next.isEnabled())) await next.click();
      return secretLine.count();
    }, { timeout: 20_000, interval: 1200 }).toBe(1);
    const secret = (await secretLine.innerText()).trim();
    await setUp.getByRole("img", { name: "The secret as a QR code" }).waitFor();
    await walk.expectAccessible("the secret");
    await walk.expectNoSidewaysScroll("the secret");
    await setUp.getByLabel("Code from the app").fill("000000");
    await page.keyboard.press("Enter");
    await setUp.getByText("This code is not right").waitFor();
    await setUp.getByLabel("Code from the app").fill(codeOf(secret));
    await page.keyboard.press("Enter");
    const kept = page.getByRole("dialog", { name: "Keep your recovery codes" });
    await kept.waitFor();
    const recovery = await kept.getByRole("listitem").allInnerTexts();
    expect(new Set(recovery).size).toBe(10);
    await walk.expectAccessible("the recovery codes");
    await walk.expectNoSidewaysScroll("the recovery codes");
    // Escape does not take them away.
    await page.keyboard.press("Escape");
    expect(await kept.isVisible()).toBe(true);
    const download = page.waitForEvent("download");
    await kept.getByRole("button", { name: "Save as a file" }).click();
    expect(readFileSync((await (await download).path()) ?? "", "utf8")).toContain(recovery.join("\n"));
    await kept.getByRole("button", { name: "I have kept them" }).click();
    await page.getByRole("button", { name: "Turn off" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Turn off" }).waitFor();

    // The password is changed by the one before alone: the page is open already.
    await page.getByLabel("Current password").fill(READER.password);
    await page.getByLabel("New password", { exact: true }).fill(READER.password);
    await page.getByLabel("New password again").fill(READER.password);
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("The password is changed.").waitFor();

    // At the door: the password is right, and a code is asked for.
    await walk.open();
    const door = walk.page;
    await door.goto(`${walk.larder.url}/?view=profile`);
    await door.getByLabel("User name").fill(READER.name);
    await door.getByLabel("Password", { exact: true }).fill(READER.password);
    await walk.submitSignIn();
    const code = door.getByLabel("Code", { exact: true });
    await code.waitFor();
    expect(await code.evaluate((one) => one === document.activeElement)).toBe(true);
    await walk.expectAccessible("sign-in with a code");
    // Nobody else is asked for it.
    await door.getByLabel("User name").fill("somebody else");
    await code.waitFor({ state: "detached" });
    await door.getByLabel("User name").fill(READER.name);
    await code.waitFor();
    await code.fill("123456");
    await walk.submitSignIn();
    await door.getByText("This code is not right").waitFor();
    await code.fill(recovery[0] ?? "");
    await walk.submitSignIn();
    await door.getByRole("button", { name: "Turn off" }).click();
    const off = door.getByRole("dialog", { name: "Turn the second factor off?" });
    await off.getByLabel("Current password").fill(READER.password);
    await off.getByLabel("Code", { exact: true }).fill(recovery[1] ?? "");
    const stop = off.getByRole("button", { name: "Turn off" });
    await expect.poll(async () => {
      if ((await stop.count()) > 0 && (await stop.isEnabled())) await stop.click();
      return door.getByText("The second factor is off.").count();
    }, { timeout: 20_000, interval: 1200 }).toBeGreaterThan(0);
    await door.getByRole("button", { name: "Turn on" }).waitFor();
  });
});

describe("trusting this larder", () => {
  it("is led to from the profile, with the fingerprint for whoever may know", async () => {
    const page = await walk.open();
    await walk.signIn(READER, "/?view=profile");
    const how = page.getByRole("link", { name: "How it is done on your device" });
    await how.waitFor();
    const fingerprint = (await page.locator("code").filter({ hasText: /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/i }).innerText()).trim();
    await walk.expectAccessible("the profile");
    await how.click();
    await page.waitForURL("**/ca");
    await page.getByText(fingerprint).first().waitFor();
  });
});
