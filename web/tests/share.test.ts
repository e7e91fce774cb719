// Sharing as a family does it: pictures chosen, a link made, a guest who looks and brings some, and the end of it.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { DESK, PHONE_DEVICE, Walk } from "./harness.ts";
import { READER } from "./larder.ts";
import { photo } from "./photo.ts";

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
/** A phone of today. */
const PHONE = { ...PHONE_DEVICE, viewport: { width: 390, height: 844 } };
const SHOTS = ["IMG_0001.jpg", "IMG_0002.jpg", "IMG_0003.jpg"];
/** What a guest brings. */
const MINE = ["From me.jpg", "And me.jpg"];

let pictures: Buffer[] = [];
let guests: BrowserContext | undefined;

beforeAll(async () => {
  const page = await walk.open();
  await page.goto("about:blank");
  pictures = [];
  for (let at = 0; at < 5; at += 1) pictures.push(await photo(page, 640, 480, at * 60));
});

afterEach(async () => {
  await guests?.close();
  guests = undefined;
  // Each test begins with nothing shared, whatever became of the one before.
  const links = (await walk.api("/api/link/get_all").catch(() => [])) as { id: number }[];
  for (const { id } of links) await walk.api("/api/link/delete", { id });
});

/** A folder with three pictures and one that is nobody's business. */
function trip(name: string) {
  mkdirSync(inRoot(name), { recursive: true });
  for (const [at, shot] of [...SHOTS, "private.jpg"].entries()) writeFileSync(inRoot(name, shot), pictures[at] ?? "");
}

/** Another browser, of somebody who has nothing but an address. */
async function guestAt(address: string, locale: string, device: object): Promise<Page> {
  guests = await walk.browser.newContext({ locale, ...device });
  const page = await guests.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => walk.complaints.push(`guest: ${error}`));
  await page.goto(address);
  return page;
}

/** Pictures of a guest, as a file chooser hands them over. */
const brought = (...names: string[]) =>
  names.map((name) => ({ name, mimeType: "image/jpeg", buffer: pictures[3 + MINE.indexOf(name)] ?? Buffer.alloc(0) }));

const address = () => walk.page.getByRole("dialog").locator("code").innerText();

/** All that the sheet shows is there: the code is a picture that could be drawn. */
async function expectHandover(words: string): Promise<string> {
  const dialog = walk.page.getByRole("dialog");
  await dialog.locator("figure img").waitFor();
  await expect
    .poll(() => dialog.locator("figure img").evaluate((one) => (one as HTMLImageElement).naturalWidth))
    .toBeGreaterThan(20);
  const link = await address();
  expect(link).toMatch(new RegExp(`^${walk.larder.url}/s/[\\w-]{22}$`));
  await expect.poll(() => dialog.locator("blockquote").innerText()).toBe(`${words} ${link}`);
  return link;
}

const EN = {
  locale: "en-GB", share: "Share", copies: "A copy of 3 items goes into a new folder, /Shared/", look: "Look and bring", make: "Make the link",
  pictures: "Here are our pictures. Add yours, too:", done: "Done", shared: "Shared", brought: "2 files brought", end: "End", endNow: "End the link",
  none: "Nothing is shared", gone: "This link leads nowhere", more: "Actions for", thanks: "Thank you", activity: "Who looked, what was brought",
  did: (whom: string) => ["A guest brought “And me.jpg”", `A guest looked at “${whom}”`],
  only: "Look", whom: /^For whom/, all: "All that is shared", add: "Add yours", name: "What shall we call you?", choose: "Choose photos",
  picture: "Picture", count: "pictures",
};
const DE: typeof EN = {
  locale: "de-DE", share: "Teilen", copies: "Eine Kopie von 3 Elementen kommt in einen neuen Ordner, /Geteilt/", look: "Ansehen und bringen",
  make: "Link anlegen", pictures: "Hier sind unsere Bilder. Leg deine gern dazu:", done: "Fertig", shared: "Geteilt", brought: "2 Dateien gebracht",
  end: "Beenden", endNow: "Link beenden", none: "Nichts ist geteilt", gone: "Dieser Link führt nirgendwohin", more: "Aktionen für", thanks: "Danke",
  activity: "Wer schaute, was gebracht wurde",
  did: (whom: string) => ["Ein Gast hat „And me.jpg“ gebracht", `Ein Gast hat „${whom}“ angesehen`],
  only: "Ansehen", whom: /^Für wen/, all: "Alles, was geteilt ist", add: "Eigene Bilder dazulegen", name: "Wie dürfen wir dich nennen?", choose: "Fotos auswählen",
  picture: "Bild", count: "Bilder",
};

/** The view on show is clean for axe, fits, and a finger hits all of it. */
async function expectSound(where: string): Promise<void> {
  await walk.expectAccessible(where);
  await walk.expectNoSidewaysScroll(where);
  await walk.expectTargets(where);
}

/** What belongs to a guest is done on the guest's page. */
async function asGuest(guest: Page, action: () => Promise<void>): Promise<void> {
  const own = walk.page;
  walk.page = guest;
  try {
    await action();
  } finally {
    walk.page = own;
  }
}

/** Whether copies are what was chosen, and that is still where it was. */
function expectCopies(folder: string, copies: string): void {
  expect(readdirSync(copies).sort()).toEqual(SHOTS);
  for (const name of SHOTS) expect(readFileSync(join(copies, name)).equals(readFileSync(inRoot(folder, name)))).toBe(true);
}

const focused = () => walk.page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent?.trim() ?? "");

describe.each([
  { device: "a desk", options: { viewport: DESK }, isTouch: false, words: EN },
  { device: "a desk", options: { viewport: DESK }, isTouch: false, words: DE },
  { device: "a phone", options: PHONE, isTouch: true, words: EN },
  { device: "a phone", options: PHONE, isTouch: true, words: DE },
])("on $device in $words.locale", ({ device, options, isTouch, words }) => {
  it("three pictures are shared, two are added by a guest, and the link is ended", async () => {
    const whom = `Grandma with ${device}`;
    const folder = `Trip to ${whom}, ${words.locale}`;
    trip(folder);
    const page = await walk.enter(`/?path=${encodeURIComponent(folder)}`, undefined, { locale: words.locale, ...options });
    await walk.entry(SHOTS[0] ?? "").waitFor();
    if (isTouch) {
      await walk.pressLong(SHOTS[0] ?? "");
      await page.keyboard.press("Escape");
      for (const name of SHOTS.slice(1)) await walk.entry(name).tap();
    } else {
      // The first press selects, wherever the tile would open with a second.
      for (const name of SHOTS) await walk.entry(name).click({ modifiers: ["Control"] });
    }
    await expect.poll(() => walk.selected()).toEqual(SHOTS);
    await page.getByRole("toolbar").getByRole("button", { name: words.share, exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").first().fill(whom);
    await dialog.getByText(words.copies + whom).waitFor();
    await dialog.getByRole("radio", { name: words.look }).check();
    await expectSound(`the sheet on ${device}`);
    await dialog.getByRole("button", { name: words.make }).click();
    const link = await expectHandover(words.pictures);
    await expectSound(`the address on ${device}`);
    await dialog.getByRole("button", { name: words.done }).click();
    await dialog.waitFor({ state: "detached" });

    // What was chosen is where it was, and copied to where the sheet said.
    const copies = inRoot(words.shared, whom);
    expectCopies(folder, copies);
    await page.goto(`${walk.larder.url}/?path=${encodeURIComponent(words.shared)}`);
    await walk.entry(whom).getByText(words.shared, { exact: true }).waitFor({ state: "attached" });

    const guest = await guestAt(link, words.locale, options);
    await expect.poll(() => guest.locator(".wall img").count()).toBe(3);
    expect(await guest.content()).not.toContain("private");
    await asGuest(guest, async () => {
      await expectSound(`the guest's album on ${device}`);
      const choosing = guest.waitForEvent("filechooser");
      await guest.getByRole("button", { name: words.add }).click();
      await guest.getByText(words.choose).click();
      await (await choosing).setFiles(brought(...MINE));
      await guest.getByText(words.thanks).first().waitFor();
      await guest.getByRole("heading", { name: `5 ${words.count}` }).waitFor();
      await expectSound(`the thank-you on ${device}`);
    });

    // The view of all links tells, while it is open, and leads to them.
    await page.goto(`${walk.larder.url}/?view=shared`);
    const row = page.getByRole("listitem").filter({ hasText: whom });
    await row.getByRole("link", { name: words.brought }).waitFor();
    await expectSound(`the view of links on ${device}`);
    await row.getByRole("button", { name: `${words.more} ${whom}` }).click();
    await page.getByRole("menuitem", { name: words.activity }).click();
    for (const deed of words.did(whom)) await page.getByRole("dialog").getByText(deed).first().waitFor();
    await walk.expectAccessible(`what guests did on ${device}`);
    await walk.expectNoSidewaysScroll(`what guests did on ${device}`);
    await page.keyboard.press("Escape");
    await row.getByRole("link", { name: words.brought }).click();
    for (const name of MINE) await walk.entry(name).waitFor();
    expect(readFileSync(join(copies, "From me.jpg")).equals(pictures[3] ?? Buffer.alloc(0))).toBe(true);

    await page.goBack();
    await row.getByRole("button", { name: `${words.more} ${whom}` }).click();
    await page.getByRole("menuitem", { name: words.end, exact: true }).click();
    await walk.expectAccessible(`the end of a link on ${device}`);
    await page.getByRole("dialog").getByRole("button", { name: words.endNow }).click();
    await page.getByRole("heading", { name: words.none }).waitFor();
    await walk.expectAccessible(`no links on ${device}`);
    await guest.reload();
    await guest.getByRole("heading", { name: words.gone }).waitFor();
    // What was brought is not the link's.
    expect(existsSync(join(copies, "From me.jpg"))).toBe(true);
  });

  it("so they are by the keyboard alone, on both sides", async () => {
    const whom = `Uncle with ${device}`;
    const folder = `Keys of ${whom}, ${words.locale}`;
    trip(folder);
    const page = await walk.enter(`/?path=${encodeURIComponent(folder)}`, undefined, { locale: words.locale, ...options });
    const { keyboard } = page;
    const dialog = page.getByRole("dialog");
    await walk.entry(SHOTS[0] ?? "").waitFor();
    await keyboard.type("IMG_0001");
    await expect.poll(() => walk.selected()).toEqual(SHOTS.slice(0, 1));
    for (let step = 1; step < SHOTS.length; step += 1) await keyboard.press("Shift+ArrowRight");
    await expect.poll(() => walk.selected()).toEqual(SHOTS);
    await keyboard.press("Shift+F10");
    await page.getByRole("menu").waitFor();
    await walk.tabTo(words.share, "ArrowDown");
    await keyboard.press("Enter");
    await walk.tabTo(words.whom);
    await keyboard.type(whom);
    await dialog.getByText(words.copies + whom).waitFor();
    await walk.tabTo(words.only);
    await walk.tabTo(words.look, "ArrowDown");
    expect(await dialog.getByRole("radio", { name: words.look }).isChecked()).toBe(true);
    await keyboard.press("Enter");
    const link = await expectHandover(words.pictures);
    await walk.tabTo(words.all);
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: whom }).waitFor();
    const copies = inRoot(words.shared, whom);
    expectCopies(folder, copies);

    const guest = await guestAt(link, words.locale, options);
    await expect.poll(() => guest.locator(".wall img").count()).toBe(3);
    await asGuest(guest, () => bringByKeys(guest, words));

    // While the view is open it tells what came, and leads there.
    const row = page.getByRole("listitem").filter({ hasText: whom });
    await row.getByRole("link", { name: words.brought }).waitFor();
    await walk.tabTo(words.brought);
    await keyboard.press("Enter");
    for (const name of MINE) await walk.entry(name).waitFor();
    for (const [at, name] of MINE.entries()) expect(readFileSync(join(copies, name)).equals(pictures[3 + at] ?? Buffer.alloc(0))).toBe(true);
    // The browser's own key for it is not the page's.
    await page.goBack();

    await row.waitFor();
    await walk.tabTo(`${words.more} ${whom}`);
    await keyboard.press("Enter");
    await walk.tabTo(words.activity, "ArrowDown");
    await keyboard.press("Enter");
    for (const deed of words.did(whom)) await dialog.getByText(deed).first().waitFor();
    await keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    // The focus is back at what led there, and so it is when the end is thought better of.
    await expect.poll(focused).toBe(`${words.more} ${whom}`);
    for (const isMeant of [false, true]) {
      await keyboard.press("Enter");
      await walk.tabTo(words.end, "ArrowDown");
      await keyboard.press("Enter");
      await dialog.waitFor();
      if (isMeant) await walk.tabTo(words.endNow);
      await keyboard.press(isMeant ? "Enter" : "Escape");
      await dialog.waitFor({ state: "detached" });
      if (!isMeant) await expect.poll(focused).toBe(`${words.more} ${whom}`);
    }
    await page.getByRole("heading", { name: words.none }).waitFor();
    await guest.reload();
    await guest.getByRole("heading", { name: words.gone }).waitFor();
  });
});

/** A guest's side without a pointer: brings two pictures, finds them in the album, looks at one and comes back. */
async function bringByKeys(guest: Page, words: typeof EN): Promise<void> {
  const { keyboard } = guest;
  await walk.tabTo(words.add);
  await keyboard.press("Enter");
  // The focus is where one goes on from: at the title of what opened. The name, the pictures and the files follow.
  await expect.poll(() => guest.evaluate(() => document.activeElement?.tagName)).toBe("H2");
  expect(await focused()).toBe(words.add);
  await walk.tabTo(words.name);
  for (const [at, key] of ["Enter", "Space"].entries()) {
    const step = at === 0 ? "Tab" : "Shift+Tab";
    // Before the keys that lead there: the browser has to know by then that somebody answers for its chooser.
    const choosing = guest.waitForEvent("filechooser");
    await walk.tabTo(words.choose, step);
    await keyboard.press(key);
    await (await choosing).setFiles(brought(MINE[at] ?? ""));
    await guest.getByRole("heading", { name: `${4 + at} ${words.count}` }).waitFor();
    await guest.getByText(words.thanks).first().waitFor();
    // Nothing that came took the focus away.
    expect(await guest.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("file");
    await keyboard.press("Tab");
  }
  await walk.expectAccessible("the guest's page after bringing");
  // On to the album, whose pictures take one Tab together; back from the viewer to the one that was looked at.
  await walk.tabTo(new RegExp(`^${words.picture} `));
  await keyboard.press("End");
  const last = await focused();
  await keyboard.press("Enter");
  await guest.getByRole("dialog").getByText("5", { exact: false }).first().waitFor();
  for (let step = 0; step < 12; step += 1) {
    await keyboard.press("Tab");
    expect(await guest.evaluate(() => document.activeElement?.closest("[role=dialog]") !== null)).toBe(true);
  }
  await walk.expectAccessible("the guest's viewer");
  await keyboard.press("Escape");
  await guest.getByRole("dialog").waitFor({ state: "detached" });
  expect(await focused()).toBe(last);
}

it("the keyboard alone copies the message, and changes the link", async () => {
  trip("Keys");
  const page = await walk.enter("/?path=Keys", undefined, { permissions: ["clipboard-read", "clipboard-write"] });
  const { keyboard } = page;
  await walk.entry(SHOTS[0] ?? "").waitFor();
  await keyboard.type("IMG_0001");
  await expect.poll(() => walk.selected()).toEqual(SHOTS.slice(0, 1));
  await keyboard.press("Shift+ArrowRight");
  await keyboard.press("Shift+F10");
  await page.getByRole("menu").waitFor();
  await walk.tabTo("Share", "ArrowDown");
  await keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Share 2 items" }).waitFor();
  await walk.tabTo(/^For whom/);
  await keyboard.type("Uncle");
  await keyboard.press("Enter");
  const link = await expectHandover("Here are our pictures:");
  await walk.tabTo("Copy message");
  await keyboard.press("Enter");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(`Here are our pictures: ${link}`);
  await walk.tabTo("All that is shared");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Uncle" }).waitFor();

  // Change: a password, and a limit from among what is folded away.
  await walk.tabTo("Actions for Uncle");
  await keyboard.press("Enter");
  await walk.tabTo("Change", "ArrowDown");
  await keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Change the link “Uncle”" }).waitFor();
  await walk.tabTo("Password (optional)");
  await keyboard.type("abc");
  await keyboard.press("Enter");
  await page.getByText("At least 4 letters.").waitFor();
  await keyboard.type("d");
  await walk.tabTo("More");
  await keyboard.press("Enter");
  await walk.tabTo("Downloads in all");
  await keyboard.type("9");
  await keyboard.press("Enter");
  await page.getByText("The link is changed.").waitFor();
  const row = page.getByRole("listitem").filter({ hasText: "Uncle" });
  await row.getByText("With a password").waitFor({ state: "attached" });
  expect(await walk.api("/api/link/get_all")).toMatchObject([{ label: "Uncle", has_password: true, downloads_max: 9, write: false }]);
  const guest = await guestAt(link, "en-GB", {});
  await guest.getByRole("heading", { name: "This is protected" }).waitFor();
});

describe("one thing", () => {
  it("is shared from the viewer and from its folder, and renewed", async () => {
    trip("One");
    writeFileSync(inRoot("One/letter.txt"), "dear all");
    const page = await walk.enter("/?path=One&file=letter.txt");
    await page.getByRole("button", { name: "Share", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Share “letter.txt”" });
    // A file takes nothing in.
    expect(await dialog.getByText("Guests may").count()).toBe(0);
    await dialog.getByRole("button", { name: "Make the link" }).click();
    const link = await expectHandover("Here is “letter.txt” for you:");
    const guest = await guestAt(link, "en-GB", {});
    await guest.getByText("letter.txt").first().waitFor();
    await page.getByRole("link", { name: "All that is shared" }).click();

    // Another address ends the one before.
    await page.getByRole("button", { name: "Actions for letter.txt" }).click();
    await page.getByRole("menuitem", { name: "New address" }).click();
    await page.getByRole("button", { name: "Make a new address" }).click();
    const renewed = await expectHandover("Here is “letter.txt” for you:");
    expect(renewed).not.toBe(link);
    await guest.reload();
    await guest.getByRole("heading", { name: "This link leads nowhere" }).waitFor();
    await page.getByRole("button", { name: "Done" }).click();

    // The folder on show, from its own menu: guests who only bring see nothing, and their files stay apart.
    await page.goto(`${walk.larder.url}/?path=One`);
    await page.getByRole("button", { name: "View", exact: true }).click();
    await page.getByRole("menuitem", { name: "Share this folder" }).click();
    const sheet = page.getByRole("dialog", { name: "Share “One”" });
    await sheet.getByRole("radio", { name: "Bring" }).check();
    await sheet.getByText("More").click();
    expect(await sheet.getByRole("checkbox").isChecked()).toBe(true);
    await sheet.getByRole("button", { name: "Make the link" }).click();
    await expectHandover("You can put your files for “One” here:");
    expect(await walk.api("/api/link/get_all")).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ path: "One", read: false, write: true, guest_folders: true })]),
    );
    await page.getByRole("button", { name: "Done" }).click();

    // The sign stays on what is shared, whatever it is called.
    await page.goto(walk.larder.url);
    await walk.entry("One").getByText("Shared", { exact: true }).waitFor({ state: "attached" });
    await walk.pick("One", "Rename");
    await page.getByRole("textbox", { name: "Name" }).fill("Two");
    await page.keyboard.press("Enter");
    await walk.entry("Two").getByText("Shared", { exact: true }).waitFor({ state: "attached" });
  });

  it("is offered as far as one may, and the whole folder instead of copies", async () => {
    trip("Both");
    const page = await walk.enter("/?path=Both", READER);
    await walk.entry(SHOTS[0] ?? "").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Share", exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+a");
    await page.getByText("4 selected").waitFor();
    // Copies would need a place to write.
    expect(await page.getByRole("toolbar").getByRole("button", { name: "Share", exact: true }).count()).toBe(0);

    const own = await walk.enter("/?path=Both");
    await walk.entry(SHOTS[0] ?? "").waitFor();
    await own.keyboard.press("Control+a");
    await own.getByRole("toolbar").getByRole("button", { name: "Share", exact: true }).click();
    await own.getByRole("radio", { name: "The whole folder" }).check();
    await own.getByText("The link leads to the folder “Both” itself").waitFor();
    await own.getByRole("button", { name: "Make the link" }).click();
    await expectHandover("Here are our pictures:");
    expect(existsSync(inRoot("Shared/Both"))).toBe(false);
  });
});

it("many links are found by words, in an order, and everybody's by an admin", async () => {
  trip("Many");
  const page = await walk.enter("/?view=shared");
  for (const at of Array(12).keys()) await walk.api("/api/link/create", { path: "Many", label: `Person ${at + 1}`, expires: 40 - at });
  await page.reload();
  const titles = () => page.locator("main li h2").allInnerTexts();
  await page.getByRole("textbox", { name: "Search the links" }).fill("person 1");
  await page.getByRole("combobox", { name: "Order" }).selectOption({ label: "First to end first" });
  await expect.poll(titles).toEqual(["Person 12", "Person 11", "Person 10", "Person 1"]);
  await page.getByRole("combobox", { name: "Order" }).selectOption({ label: "By name" });
  await expect.poll(titles).toEqual(["Person 1", "Person 10", "Person 11", "Person 12"]);
  await page.getByRole("textbox", { name: "Search the links" }).fill("nobody");
  await page.getByText("No link matches.").waitFor();

  const other = await walk.enter("/?view=shared", READER);
  await other.getByRole("heading", { name: "Nothing is shared" }).waitFor();
  await other.getByRole("switch", { name: "Everybody’s links" }).click();
  const row = other.getByRole("listitem").filter({ hasText: "Person 12" });
  await row.getByText("by admin").waitFor();
  // Whoever made it hands it over, and nobody else.
  expect(await row.getByRole("button", { name: "Copy the address of “Person 12”" }).count()).toBe(0);
  await walk.expectAccessible("everybody's links");
});

it("links to the whole share, ended one by one, and one that is gone", async () => {
  const page = await walk.enter("/?view=shared");
  const made = async (label: string) => ((await walk.api("/api/link/create", { path: "", label, read: true })) as { id: number }).id;
  await made("");
  const gone = await made("Gone");
  await made("Last");
  await page.reload();
  const more = (name: string) => page.getByRole("button", { name: `Actions for ${name}`, exact: true });
  // One that is not there any more leaves the list as soon as that is heard.
  await more("Gone").click();
  await page.getByRole("menuitem", { name: "Change" }).click();
  const dialog = page.getByRole("dialog");
  await walk.api("/api/link/delete", { id: gone });
  await dialog.getByRole("textbox").first().fill("Other");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").filter({ hasText: /./ }).first().waitFor();
  await more("Gone").waitFor({ state: "detached" });
  await dialog.getByRole("button", { name: "Cancel" }).click();

  // The share has a name where it has no label, and the focus goes to the next row.
  await more("Last").click();
  await page.getByRole("menuitem", { name: "End" }).click();
  await dialog.getByRole("button", { name: "End the link" }).click();
  await more("Last").waitFor({ state: "detached" });
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toMatch(/^Actions for /);
  await page.getByRole("button", { name: "Show the code of “Files”" }).click();
  await page.getByRole("dialog", { name: /Files/ }).waitFor();
  expect(await dialog.locator("blockquote").innerText()).toContain("Files");
});

it("a folder that is shared already says so", async () => {
  trip("Twice");
  const page = await walk.enter();
  await walk.api("/api/link/create", { path: "Twice", label: "", read: true });
  await page.reload();
  await walk.entry("Twice").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Share", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Shared once already.").waitFor();
  await walk.expectAccessible("a folder that is shared already");
  await dialog.getByRole("link", { name: "Show" }).click();
  await page.getByRole("heading", { name: "Shared", level: 1 }).waitFor();
  await dialog.waitFor({ state: "detached" });
});
