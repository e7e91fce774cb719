// Names from strangers are text wherever they are shown.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { STRANGE_NAME, Walk } from "./harness.ts";

const NAMES = [STRANGE_NAME, `'".txt`, `${"ä".repeat(125)}.txt`, "שלום עולם.txt", "😀 👩‍👩‍👧 🎉.txt", "{name} {count}.txt"];

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);

/** Nothing has come out of a name: no picture, no script, no other title. */
async function expectText(where: string) {
  const { page } = walk;
  expect(await page.locator("img[src='x'], img[onerror]").count(), where).toBe(0);
  expect(await page.title(), where).not.toBe("run");
  await walk.expectNoSidewaysScroll(where);
}

describe("a strange name", () => {
  for (const name of NAMES) {
    it(`is text everywhere: ${name.slice(0, 24)}`, async () => {
      const folder = `in ${NAMES.indexOf(name)}`;
      mkdirSync(inRoot(folder, name), { recursive: true });
      const page = await walk.enter(`/?path=${encodeURIComponent(folder)}`);

      // The list, the breadcrumb, the title.
      await walk.entry(name).dblclick();
      await page.getByRole("heading", { name, exact: true, level: 1 }).waitFor();
      expect(await page.title()).toContain(name);
      await expectText("the breadcrumb");
      // The tray, and what the browser makes of it on its way.
      await page.getByText("This folder is empty").waitFor();
      const file = { name, mimeType: "text/plain", buffer: Buffer.from("strange content") };
      await page.setInputFiles("input[data-pick=files]", [file]);
      await page.getByText("1 of 1 done").waitFor();
      await page.locator("section").filter({ hasText: "Uploads" }).getByText(name, { exact: true }).waitFor();
      expect(readdirSync(inRoot(folder, name))).toEqual([name]);
      await expectText("the tray");
      // A collision: the very file would be skipped.
      await page.setInputFiles("input[data-pick=files]", [{ ...file, buffer: Buffer.from("something else") }]);
      await page.getByRole("dialog", { name: `“${name}” is already there` }).waitFor();
      await expectText("a collision");
      await page.getByRole("button", { name: "Skip" }).click();
      await page.getByRole("button", { name: "Clear", exact: true }).click();

      // The grid.
      await page.getByRole("button", { name: "Show as a grid" }).click();
      await page.locator(".tile").getByText(name, { exact: true }).waitFor();
      await expectText("the grid");
      await page.getByRole("button", { name: "Show as a list" }).click();

      // Renaming, details, the tree of folders.
      await walk.entry(name).click();
      await page.keyboard.press("F2");
      expect(await page.getByRole("textbox", { name: "Name" }).inputValue()).toBe(name);
      await page.keyboard.press("Escape");
      await walk.pick(name, "Details");
      await page.getByRole("dialog", { name, exact: true }).getByText(`/${folder}/${name}/${name}`, { exact: true }).waitFor();
      await expectText("details");
      await page.keyboard.press("Escape");
      await walk.pick(name, "Move to…");
      await page.getByRole("radio", { name, exact: true }).waitFor();
      await expectText("the tree");
      await page.keyboard.press("Escape");

      // The preview, over the folder and alone.
      await walk.entry(name).dblclick();
      await page.getByText("strange content").first().waitFor();
      expect(await page.title()).toContain(name);
      await expectText("the preview");
      await page.keyboard.press("Escape");
      await page.goto(`${walk.larder.url}/preview?path=${encodeURIComponent(`${folder}/${name}/${name}`)}`);
      await page.getByText("strange content").first().waitFor();
      expect(await page.title()).toContain(name);
      await expectText("the preview's page");
      await page.getByRole("link", { name: "Back to the folder" }).click();

      // A deletion, its message, the trash, the log.
      await walk.entry(name).click();
      await page.keyboard.press("Delete");
      await page.getByRole("dialog", { name: `Delete “${name}”?` }).waitFor();
      await expectText("a deletion");
      await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByText(`“${name}” was deleted.`, { exact: true }).waitFor();
      await expectText("the message");
      await page.goto(`${walk.larder.url}/?view=trash`);
      await page.locator("main li").getByText(name, { exact: true }).waitFor();
      await expectText("the trash");
      await page.goto(`${walk.larder.url}/?view=logs`);
      await page.locator("tbody tr").filter({ hasText: name }).first().waitFor();
      await expectText("the log");
      expect(existsSync(inRoot(folder, name))).toBe(true);
    });
  }
});

describe("a name that is no text on the drive", () => {
  it("is shown as one reads it, works by what it is told as, and is mended by a rename", async () => {
    const old = (name: string) => Buffer.concat([Buffer.from(`${inRoot("old")}/`), Buffer.from(name, "latin1")]);
    mkdirSync(inRoot("old"), { recursive: true });
    writeFileSync(old("\xe9t\xe9.txt"), "summer");
    mkdirSync(old("gr\xfcn"));
    writeFileSync(Buffer.concat([old("gr\xfcn"), Buffer.from("/inside.txt")]), "in");
    const page = await walk.enter("/?path=old");
    await walk.entry("été.txt").waitFor();
    // A sign says that something is special about it, and what it is called on the drive.
    await walk.entry("été.txt").getByText("%=%E9t%E9.txt").waitFor({ state: "attached" });
    await walk.expectAccessible("names of old");
    await walk.entry("grün").dblclick();
    await page.getByRole("heading", { name: "grün", level: 1 }).waitFor();
    await walk.entry("inside.txt").dblclick();
    await page.getByRole("dialog", { name: "inside.txt" }).getByText("in", { exact: true }).waitFor();
    await page.goBack();
    await page.goBack();
    await walk.entry("été.txt").dblclick();
    await page.getByRole("dialog", { name: "été.txt" }).getByText("summer").waitFor();
    await page.keyboard.press("Escape");
    await walk.entry("été.txt").click();
    await page.keyboard.press("Delete");
    await page.getByText("Delete “été.txt”?").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("“été.txt” was deleted.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await walk.entry("été.txt").waitFor();
    expect(existsSync(old("\xe9t\xe9.txt"))).toBe(true);
    // Leaving the field changes nothing; Enter mends it.
    await walk.entry("été.txt").click();
    await page.keyboard.press("F2");
    await page.getByRole("textbox", { name: "Name" }).waitFor();
    await page.keyboard.press("Escape");
    expect(existsSync(old("\xe9t\xe9.txt"))).toBe(true);
    await walk.entry("été.txt").click();
    await page.keyboard.press("F2");
    await page.getByRole("textbox", { name: "Name" }).press("Enter");
    await expect.poll(() => existsSync(inRoot("old", "été.txt"))).toBe(true);
    await expect.poll(() => existsSync(old("\xe9t\xe9.txt"))).toBe(false);
    expect(await walk.entry("été.txt").getByText("%=").count()).toBe(0);
  });
});
