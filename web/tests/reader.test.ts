// What somebody sees who may only read: by role, and by the rules of paths.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PHONE_DEVICE, Walk } from "./harness.ts";

const GUEST = { name: "only-reads", password: "only reads, never writes" };
const MIXED = { name: "writes-here", password: "writes in one folder" };
const LOOKING = ["/api/finder", "/api/download", "/api/get_file", "/api/events"];
const VISITOR = { name: "looks-around", password: "looks around, changes nothing" };

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);

async function addPerson(who: typeof GUEST, role: string, paths: string[], writes: string[]) {
  await walk.enter();
  const roles = (await walk.api("/api/role/get")) as Record<string, string[]>;
  for (const endpoint of Object.keys(roles)) {
    if (LOOKING.includes(endpoint) && !roles[endpoint]?.includes("looker")) roles[endpoint]?.push("looker");
  }
  await walk.api("/api/role/edit", roles);
  const lists = { paths: JSON.stringify(paths), paths_write: JSON.stringify(writes) };
  const made = (await walk.api("/api/user/create", { username: who.name, name: who.name, password: who.password, role, ...lists })) as { API_KEY?: string };
  expect(made.API_KEY).toBeTruthy();
}

describe("a reader", () => {
  it("has an interface for reading", async () => {
    mkdirSync(inRoot("library/shelf"), { recursive: true });
    writeFileSync(inRoot("library/book.txt"), "once upon a time");
    await addPerson(GUEST, "looker", [""], [""]);
    const page = await walk.enter("/?path=library", GUEST);
    await walk.entry("book.txt").waitFor();
    // The role has no trash, no owner's views, nothing that changes files.
    const views = page.getByRole("navigation", { name: "Views" }).getByRole("link");
    expect(await views.allInnerTexts()).toHaveLength(4);
    for (const name of ["Upload", "New", "Delete", "Rename"]) {
      expect(await page.getByRole("button", { name, exact: true }).count(), name).toBe(0);
    }
    await walk.expectAccessible("a reader's folder");
    await walk.entry("book.txt").click({ button: "right" });
    const offered = (await page.getByRole("menuitem").allInnerTexts()).join(" ");
    expect(offered).toMatch(/Open[^]*Download[^]*Details/);
    expect(offered).not.toMatch(/Rename|Copy(?! the address)|Cut|Move|Delete|Paste/);
    await page.keyboard.press("Escape");
    await walk.entry("book.txt").click();
    for (const key of ["F2", "Delete", "Control+x", "Control+c", "Control+v"]) await page.keyboard.press(key);
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(await page.getByRole("textbox", { name: "Name" }).count()).toBe(0);
    await walk.entry("book.txt").locator("[data-title]").dragTo(walk.entry("shelf"));
    expect(existsSync(inRoot("library/book.txt"))).toBe(true);

    // A text is shown, not offered for editing.
    await walk.entry("book.txt").dblclick();
    await page.getByText("once upon a time").first().waitFor();
    expect(await page.getByRole("textbox", { name: "Edit book.txt" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: /Save|Edit/ }).count()).toBe(0);
    await walk.expectAccessible("a text to read");
    await page.keyboard.press("Escape");

    // A view one may not see says so instead of breaking.
    for (const view of ["people", "trash", "terminal"]) {
      await page.goto(`${walk.larder.url}/?view=${view}`);
      await page.getByText("You may not see this").first().waitFor();
      await walk.expectAccessible(`${view}, refused`);
    }
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Files" }).click();
    await walk.entry("library").waitFor();
  });

  it("is offered no copying without a place to copy to, whatever the role", async () => {
    mkdirSync(inRoot("shelves/a folder with a name of its own"), { recursive: true });
    writeFileSync(inRoot("shelves/a folder with a name of its own/book.txt"), "once");
    await addPerson(VISITOR, "admin", [""], []);
    const page = await walk.enter("/?path=shelves/a folder with a name of its own", VISITOR, PHONE_DEVICE);
    await walk.entry("book.txt").waitFor();
    // The way to the folder has the room that the words would take.
    const badge = page.getByTitle("Read-only");
    expect((await badge.boundingBox())?.width).toBeLessThan(40);
    expect(await badge.innerText()).toBe("Read-only");
    await walk.expectNoSidewaysScroll("a folder to read");
    await page.getByRole("button", { name: "Actions for book.txt" }).tap();
    const offered = (await page.getByRole("menuitem").allInnerTexts()).join(" ");
    expect(offered).toMatch(/Open[^]*Download[^]*Details/);
    expect(offered).not.toMatch(/Rename|Copy(?! the address)|Cut|Move|Delete|Paste/);
  });

  it("sees by a lock what a path keeps shut, and may change the rest", async () => {
    for (const folder of ["house/mine", "house/theirs"]) {
      mkdirSync(inRoot(folder), { recursive: true });
      writeFileSync(inRoot(folder, "note.txt"), folder);
    }
    mkdirSync(inRoot("secret"));
    await addPerson(MIXED, "admin", ["house"], ["house/mine"]);
    const page = await walk.enter("/", MIXED);
    // Who has one folder lands in it.
    await walk.entry("mine").waitFor();
    expect(await walk.names()).toEqual(["mine", "theirs"]);
    await page.goto(`${walk.larder.url}/?path=secret`);
    await page.getByText("You may not see this folder").waitFor();

    await page.goto(`${walk.larder.url}/?path=house/theirs`);
    await walk.entry("note.txt").waitFor();
    await page.getByText("Read-only").first().waitFor();
    expect(await page.getByRole("button", { name: "Upload" }).count()).toBe(0);
    await walk.pick("note.txt", "Details");
    await page.getByText("View only", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await walk.entry("note.txt").dblclick();
    await page.getByText("house/theirs").first().waitFor();
    expect(await page.getByRole("textbox", { name: "Edit note.txt" }).count()).toBe(0);

    await page.goto(`${walk.larder.url}/?path=house/mine`);
    await walk.entry("note.txt").waitFor();
    expect(await page.getByText("Read-only").count()).toBe(0);
    await page.getByRole("button", { name: "Upload" }).first().waitFor();
    await walk.entry("note.txt").dblclick();
    await page.getByRole("textbox", { name: "Edit note.txt" }).waitFor();
  });
});
