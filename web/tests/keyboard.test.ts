// A whole visit without a pointer: nothing here clicks or taps.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Walk } from "./harness.ts";
import { ADMIN } from "./larder.ts";

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);

it("the keyboard alone signs in, browses, renames, moves, deletes, undoes, looks and signs out", async () => {
  mkdirSync(inRoot("desk/drawer"), { recursive: true });
  writeFileSync(inRoot("desk/letter.txt"), "dear all");
  writeFileSync(inRoot("desk/old.txt"), "old");
  const page = await walk.open();
  const { keyboard } = page;
  await page.goto(walk.larder.url);
  await page.waitForURL("**/auth*");
  // The first field has the focus already.
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("autocomplete"))).toBe("username");
  await keyboard.type(ADMIN.name);
  await walk.tabTo("Password");
  await keyboard.type(ADMIN.password);
  await keyboard.press("Enter");
  await walk.entry("desk").waitFor();

  // Browse.
  await keyboard.type("desk");
  await keyboard.press("Enter");
  await walk.entry("letter.txt").waitFor();
  await expect.poll(() => page.title()).toContain("desk");

  // Rename: the stem is selected, so that typing leaves the ending.
  await keyboard.type("old");
  await expect.poll(() => walk.selected()).toEqual(["old.txt"]);
  await keyboard.press("F2");
  await page.getByRole("textbox", { name: "Name" }).waitFor();
  await keyboard.type("older");
  await keyboard.press("Enter");
  await walk.entry("older.txt").waitFor();
  await expect.poll(() => existsSync(inRoot("desk/older.txt"))).toBe(true);

  // Move by cutting and pasting, then by asking where.
  await expect.poll(() => walk.selected()).toEqual(["older.txt"]);
  await keyboard.press("Control+x");
  await keyboard.type("drawer");
  await keyboard.press("Enter");
  await page.getByText("This folder is empty").waitFor();
  await keyboard.press("Control+v");
  await walk.entry("older.txt").waitFor();
  expect(readFileSync(inRoot("desk/drawer/older.txt"), "utf8")).toBe("old");
  await keyboard.press("Backspace");
  await walk.entry("letter.txt").waitFor();
  await keyboard.type("letter");
  await keyboard.press("Shift+F10");
  await page.getByRole("menu").waitFor();
  await walk.tabTo(/^Move to/, "ArrowDown");
  await keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Move to" }).waitFor();
  await walk.tabTo("Folders in desk");
  await keyboard.press("Enter");
  await page.getByRole("radio", { name: "drawer" }).waitFor();
  await keyboard.press("Tab");
  await keyboard.press("ArrowDown");
  await expect.poll(() => page.getByRole("radio", { name: "drawer" }).isChecked()).toBe(true);
  await walk.tabTo("Move here");
  await keyboard.press("Enter");
  await expect.poll(() => existsSync(inRoot("desk/drawer/letter.txt"))).toBe(true);
  await page.getByText("“letter.txt” is now in “drawer”.").waitFor();

  // Delete, and think better of it. Only the drawer holds both: the folder left may still be on show.
  await keyboard.type("drawer");
  await keyboard.press("Enter");
  await walk.entry("older.txt").waitFor();
  await walk.entry("letter.txt").waitFor();
  await keyboard.type("letter");
  await keyboard.press("Delete");
  await page.getByRole("dialog", { name: "Delete “letter.txt”?" }).waitFor();
  // Enter does what the key said.
  await keyboard.press("Enter");
  await page.getByText("“letter.txt” was deleted.").waitFor();
  expect(existsSync(inRoot("desk/drawer/letter.txt"))).toBe(false);
  // Messages of what was done before may offer the same.
  const isOurs = () => page.evaluate(() => document.activeElement?.closest("li")?.textContent.includes("was deleted"));
  do await walk.tabTo("Undo");
  while (!(await isOurs()));
  await keyboard.press("Enter");
  await expect.poll(() => existsSync(inRoot("desk/drawer/letter.txt"))).toBe(true);
  await walk.entry("letter.txt").waitFor();
  expect(readFileSync(inRoot("desk/drawer/letter.txt"), "utf8")).toBe("dear all");

  // Look at it, and go back.
  // The focus, whose button is gone, is where it can go on.
  await keyboard.type("letter");
  await keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Edit letter.txt" }).waitFor();
  // Whoever uses keys sees where they are.
  expect(await page.getByRole("button", { name: "Back to the folder" }).evaluate((one) => one.matches(":focus-visible"))).toBe(true);
  await keyboard.press("Escape");
  await page.getByRole("textbox", { name: "Edit letter.txt" }).waitFor({ state: "detached" });
  await expect.poll(() => walk.selected()).toEqual(["letter.txt"]);

  // Out.
  await walk.tabTo(/Profile$/, "Shift+Tab");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Profile" }).waitFor();
  await walk.tabTo("Sign out");
  await keyboard.press("Enter");
  await page.waitForURL("**/auth");
});
