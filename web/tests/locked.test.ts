// What somebody has open in a program is locked: every way in which the pages change something says so and whose it is,
// nothing is lost by it, and it goes once that is over.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lock, unlock } from "./dav.ts";
import { PHONE_DEVICE, Walk, WIDE } from "./harness.ts";

const walk = new Walk();
const BEN = { name: "ben", password: "ben's own password" };
/** What people call him: it is told as it is, whatever is in it. */
const NAMED = `Ben <b>"Example"</b>`;
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const FOLDER = "Office";

const EN = {
  locale: "en-GB", is: `${NAMED} has this open in another program`, rename: "Rename", name: "Name", del: "Delete", move: "Move to…", moveHere: "Move here",
  fresh: "New", newFolder: "New folder", save: "Save", unsaved: "Not saved yet", restore: "Restore", replace: "Replace", retry: "Try budget.txt again",
};
const DE: typeof EN = {
  locale: "de-DE", is: `${NAMED} hat das in einem anderen Programm geöffnet`, rename: "Umbenennen", name: "Name", del: "Löschen", move: "Verschieben nach …", moveHere: "Hierher verschieben",
  fresh: "Neu", newFolder: "Neuer Ordner", save: "Speichern", unsaved: "Noch nicht gespeichert", restore: "Wiederherstellen", replace: "Ersetzen", retry: "Noch einmal versuchen: budget.txt",
};

let token = "";
let locked = "";

/** Ben's program locks something, and all that is below it. */
async function lockIt(path: string): Promise<void> {
  locked = `${walk.larder.url}/dav/${path}`;
  token = await lock(locked, BEN);
}

async function unlockIt(): Promise<void> {
  if (token === "") return;
  const [held, at] = [token, locked];
  token = "";
  await unlock(at, BEN, held);
}

beforeEach(async () => {
  rmSync(inRoot(FOLDER), { recursive: true, force: true });
  mkdirSync(inRoot(FOLDER, "Old"), { recursive: true });
  mkdirSync(inRoot("Archive"), { recursive: true });
  writeFileSync(inRoot(FOLDER, "budget.txt"), "first");
  await walk.enter("/?view=profile");
  const people = (await walk.api("/api/user/get_all")) as { username: string }[];
  if (people.some((one) => one.username === BEN.name)) return;
  await walk.api("/api/user/create", { username: BEN.name, password: BEN.password, name: NAMED, role: "admin", paths: '[""]', paths_write: '[""]' });
});

afterEach(unlockIt);

describe.each([
  { options: { viewport: WIDE }, words: EN },
  { options: { ...PHONE_DEVICE, viewport: { width: 390, height: 844 } }, words: DE },
])("in $words.locale", ({ options, words }) => {
  const enter = async (at = `/?path=${FOLDER}`) => {
    const page = await walk.enter(at, undefined, { locale: words.locale, ...options, hasTouch: false });
    return page;
  };
  /** The sentence is there, in a message that can be read. */
  const told = async () => {
    const message = walk.page.getByText(words.is).first();
    await message.waitFor();
    expect(await message.innerText()).toContain(NAMED);
  };
  const dismiss = async () => {
    for (const one of await walk.page.getByRole("button", { name: /^(Dismiss|Schließen)$/ }).all()) await one.click().catch(() => undefined);
  };

  it("a rename, a delete and a move leave it where it was, and say whose it is", async () => {
    const page = await enter();
    await walk.entry("budget.txt").waitFor();
    await lockIt(`${FOLDER}/budget.txt`);
    await walk.pick("budget.txt", words.rename);
    await page.getByRole("textbox", { name: words.name }).fill("plan.txt");
    await page.keyboard.press("Enter");
    await told();
    await walk.entry("budget.txt").waitFor();
    expect(await walk.names()).not.toContain("plan.txt");
    await walk.expectAccessible(`what is locked, in ${words.locale}`);
    await walk.expectNoSidewaysScroll(`what is locked, in ${words.locale}`);
    await dismiss();

    await walk.pick("budget.txt", words.del);
    await page.getByRole("dialog").getByRole("button", { name: words.del, exact: true }).click();
    await told();
    await walk.entry("budget.txt").waitFor();
    await dismiss();

    await walk.pick("budget.txt", words.move);
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio", { name: "Archive" }).check();
    await dialog.getByRole("button", { name: words.moveHere }).click();
    await told();
    // Nobody is asked whether to replace something.
    expect(await page.getByRole("dialog").count()).toBe(0);
    await walk.entry("budget.txt").waitFor();
    expect(readdirSync(inRoot(FOLDER)).sort()).toEqual(["Old", "budget.txt"]);
    expect(readFileSync(inRoot(FOLDER, "budget.txt"), "utf8")).toBe("first");

    // Closed there: it goes.
    await unlockIt();
    await walk.pick("budget.txt", words.rename);
    await page.getByRole("textbox", { name: words.name }).fill("plan.txt");
    await page.keyboard.press("Enter");
    await expect.poll(() => existsSync(inRoot(FOLDER, "plan.txt"))).toBe(true);
  });

  it("an upload that would replace it fails with a sentence, and goes when tried again", async () => {
    const page = await enter();
    await walk.entry("budget.txt").waitFor();
    await lockIt(`${FOLDER}/budget.txt`);
    await page.locator("input[type=file]").first().setInputFiles({ name: "budget.txt", mimeType: "text/plain", buffer: Buffer.from("second") });
    await page.getByRole("dialog").getByRole("button", { name: words.replace, exact: true }).click();
    await told();
    expect(readFileSync(inRoot(FOLDER, "budget.txt"), "utf8")).toBe("first");
    await walk.expectAccessible(`an upload of what is locked, in ${words.locale}`);
    await unlockIt();
    await page.getByRole("button", { name: words.retry }).click();
    await expect.poll(() => readFileSync(inRoot(FOLDER, "budget.txt"), "utf8")).toBe("second");
    // What was said of replacing it still holds.
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  it("what was typed stays when it cannot be saved, and is saved later", async () => {
    const page = await enter(`/?path=${FOLDER}&file=budget.txt`);
    const editor = page.locator(".cm-content");
    await editor.waitFor();
    await lockIt(`${FOLDER}/budget.txt`);
    await editor.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("my own words");
    await page.keyboard.press("Control+s");
    await told();
    expect(await editor.innerText()).toBe("my own words");
    await page.getByText(words.unsaved).waitFor();
    expect(readFileSync(inRoot(FOLDER, "budget.txt"), "utf8")).toBe("first");
    await walk.expectAccessible(`a text that is locked, in ${words.locale}`);
    await unlockIt();
    await page.getByRole("button", { name: words.save, exact: true }).click();
    await expect.poll(() => readFileSync(inRoot(FOLDER, "budget.txt"), "utf8")).toBe("my own words");
    await page.getByText(words.unsaved).waitFor({ state: "detached" });
  });

  it("nothing comes into a folder that is locked: made, moved, restored", async () => {
    const page = await enter();
    await walk.entry("budget.txt").waitFor();
    await walk.api("/api/delete_file", { path: `${FOLDER}/budget.txt` });
    await lockIt(FOLDER);
    await page.goto(`${walk.larder.url}/?view=trash`);
    const row = page.getByRole("listitem").or(page.getByRole("row")).filter({ hasText: "budget.txt" }).first();
    await row.getByRole("button", { name: words.restore }).click();
    await told();
    expect(existsSync(inRoot(FOLDER, "budget.txt"))).toBe(false);
    await dismiss();

    await page.goto(`${walk.larder.url}/?path=${FOLDER}`);
    await walk.entry("Old").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("main").getByRole("button", { name: new RegExp(`^(${words.fresh}|Add|Hinzufügen)$`) }).locator("visible=true").first().click();
    await page.getByRole("menuitem", { name: words.newFolder }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("Plans");
    await page.keyboard.press("Enter");
    // Said where it was asked, and the name stays to be tried again.
    await dialog.getByText(words.is).waitFor();
    expect(await dialog.getByRole("textbox").inputValue()).toBe("Plans");
    await walk.expectAccessible(`a folder that cannot be made, in ${words.locale}`);
    expect(existsSync(inRoot(FOLDER, "Plans"))).toBe(false);
    await unlockIt();
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => existsSync(inRoot(FOLDER, "Plans"))).toBe(true);
  });
});
