// The file manager: by mouse, by keyboard, by drag and drop.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { DESK, STRANGE_NAME, Walk, WIDE } from "./harness.ts";
import { READER } from "./larder.ts";

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const put = (path: string, content = path) => {
  mkdirSync(join(inRoot(path), ".."), { recursive: true });
  writeFileSync(inRoot(path), content);
};

/** What one frame may take while scrolling (ms). */
const FRAME_MS_MAX = 50;

/** What the thing says that has the focus. */
function focusedWords(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.textContent.trim());
}

/** Scrolls the entries from end to end, a screen or more a frame. */
async function scrollThrough(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const pane = document.querySelector(".pane") as HTMLElement;
    const steps = 150;
    for (let step = 0; step <= steps; step += 1) {
      pane.scrollTop = (pane.scrollHeight * step) / steps;
      await new Promise((go) => requestAnimationFrame(go));
    }
  });
}

describe("the file manager", () => {
  it("makes, uploads, asks once where a name is taken, renames, downloads and deletes", async () => {
    const page = await walk.enter();
    await page.getByRole("button", { name: "New", exact: true }).click();
    await walk.expectAccessible("the menu for new things");
    await page.getByRole("menuitem", { name: "New folder" }).click();
    await walk.expectAccessible("new folder");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("Enter a name.").waitFor();
    await page.getByLabel("Name").fill("work");
    await page.getByLabel("Name").press("Enter");
    await walk.entry("work").waitFor();
    expect(existsSync(inRoot("work"))).toBe(true);

    // The cursor is on what was made.
    await expect.poll(() => walk.selected()).toEqual(["work"]);
    await page.keyboard.press("Enter");
    await page.getByText("This folder is empty").waitFor();
    expect(new URL(page.url()).search).toBe("?path=work");
    expect(await page.title()).toContain("work");
    await walk.expectAccessible("an empty folder");

    const files = [
      { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("first") },
      { name: "b.tar.gz", mimeType: "application/gzip", buffer: Buffer.alloc(300_000, 7) },
    ];
    await page.setInputFiles("input[data-pick=files]", files);
    await page.getByText("2 of 2 done").waitFor();
    await walk.entry("b.tar.gz").waitFor();
    expect(readFileSync(inRoot("work/a.txt"), "utf8")).toBe("first");
    expect(statSync(inRoot("work/b.tar.gz")).size).toBe(300_000);
    await walk.expectAccessible("files and the tray");

    const again = { name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("second") };
    await page.setInputFiles("input[data-pick=files]", [again]);
    await page.getByRole("dialog").waitFor();
    await walk.expectAccessible("a collision");
    expect(await focusedWords(page)).toBe("Keep both");
    await page.getByRole("button", { name: "Keep both" }).click();
    await page.getByText("3 of 3 done").waitFor();
    await page.getByText("3 items").waitFor();
    expect(readFileSync(inRoot("work/a.txt"), "utf8")).toBe("first");
    await page.getByRole("button", { name: "Clear", exact: true }).click();

    // In place, the stem selected; what is taken is said there.
    await walk.entry("b.tar.gz").click();
    await page.keyboard.press("F2");
    const field = page.getByRole("textbox", { name: "Name" });
    await field.press("c");
    expect(await field.inputValue()).toBe("c.gz");
    await field.fill("a.txt");
    await field.press("Enter");
    await page.getByText("This name is taken.").waitFor();
    await walk.expectAccessible("a rename refused");
    await field.fill("c.gz");
    await field.press("Enter");
    await walk.entry("c.gz").waitFor();
    await expect.poll(() => existsSync(inRoot("work/c.gz"))).toBe(true);
    expect(existsSync(inRoot("work/b.tar.gz"))).toBe(false);

    const download = page.waitForEvent("download");
    await walk.pick("a.txt", "Download");
    expect((await download).suggestedFilename()).toBe("a.txt");
    expect(await readFile(await (await download).path(), "utf8")).toBe("first");
    await page.keyboard.press("Control+a");
    const zip = page.waitForEvent("download");
    await page.getByRole("toolbar").getByRole("button", { name: "Download" }).click();
    expect((await zip).suggestedFilename()).toMatch(/\.zip$/);

    await page.keyboard.press("Escape");
    await walk.entry("c.gz").click();
    await page.keyboard.press("Delete");
    await page.getByText("Delete “c.gz”?").waitFor();
    await walk.expectAccessible("a deletion");
    expect(await focusedWords(page)).toBe("Delete");
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(existsSync(inRoot("work/c.gz"))).toBe(true);
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("“c.gz” was deleted.").waitFor();
    await walk.entry("c.gz").waitFor({ state: "detached" });
    expect(existsSync(inRoot("work/c.gz"))).toBe(false);
  });

  it("selects as a desktop does", async () => {
    for (const name of ["a", "b", "c", "d", "e", "f"]) put(`select/${name}`);
    const page = await walk.enter("/?path=select");
    await walk.entry("a").click();
    await walk.entry("c").click({ modifiers: ["ControlOrMeta"] });
    expect(await walk.selected()).toEqual(["a", "c"]);
    await walk.entry("e").click({ modifiers: ["Shift"] });
    expect(await walk.selected()).toEqual(["c", "d", "e"]);
    await page.getByText("3 selected").waitFor();
    await walk.expectAccessible("a selection");
    await page.keyboard.press("Control+a");
    expect(await walk.selected()).toHaveLength(6);
    await page.keyboard.press("Escape");
    expect(await walk.selected()).toEqual([]);
    await page.keyboard.press("Home");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Shift+ArrowDown");
    expect(await walk.selected()).toEqual(["a", "b", "c"]);
    await page.keyboard.press("e");
    expect(await walk.selected()).toEqual(["e"]);
    await page.keyboard.press("Control+ArrowDown");
    await page.keyboard.press(" ");
    expect(await walk.selected()).toEqual(["e", "f"]);

    // A rubber band over the first three rows, begun right of their names.
    const [first, third] = [await walk.entry("a").boundingBox(), await walk.entry("c").boundingBox()];
    if (!first || !third) throw new Error("no rows");
    await page.mouse.move(first.x + 600, first.y + 10);
    await page.mouse.down();
    await page.mouse.move(first.x + 500, first.y + 30, { steps: 3 });
    await page.mouse.move(first.x + 400, third.y + 10, { steps: 5 });
    await page.mouse.up();
    expect(await walk.selected()).toEqual(["a", "b", "c"]);
    // One drawn from below, over the words there, marks none of them.
    const count = await page.getByText("6 items").boundingBox();
    if (!count) throw new Error("no count");
    await page.mouse.move(count.x + 20, count.y + 4);
    await page.mouse.down();
    await page.mouse.move(count.x + 400, count.y + 14, { steps: 3 });
    await page.mouse.move(count.x + 400, third.y + 10, { steps: 3 });
    await page.mouse.up();
    expect(await walk.selected()).toEqual(["c", "d", "e", "f"]);
    expect(await page.evaluate(() => String(getSelection()))).toBe("");
  });

  it("shows what can be done with a selection in place of the folder's own", async () => {
    const folder = "wide/a folder with a long name/and one more";
    put(`${folder}/a`);
    for (const viewport of [WIDE, DESK]) {
      const page = await walk.enter(`/?path=${folder}`, undefined, { viewport, locale: "de-DE" });
      await walk.entry("a").click();
      const bar = await page.getByRole("toolbar", { name: "Auswahl" }).boundingBox();
      const upload = await page.getByRole("button", { name: "Hochladen" }).boundingBox();
      if (!bar || !upload) throw new Error("no bars");
      // It lies wholly over the folder's own.
      expect(bar.x + bar.width).toBeGreaterThanOrEqual(upload.x + upload.width);
    }
  });

  it("opens by a double click wherever it is, and selects by the mark", async () => {
    put("opened/inner/deep");
    put("opened/text.txt");
    const page = await walk.enter("/?path=opened");
    const mark = (name: string) => walk.entry(name).locator("[data-mark]");
    const sign = () => walk.entry("inner").locator("svg").first();
    for (const layout of ["list", "grid"]) {
      if (layout === "grid") await page.getByRole("button", { name: "Show as a grid" }).click();
      await sign().dblclick();
      await walk.entry("deep").waitFor();
      await page.goBack();
      await walk.entry("text.txt").hover();
      await mark("text.txt").click();
      await walk.entry("inner").hover();
      await mark("inner").click();
      expect(await walk.selected(), layout).toEqual(["inner", "text.txt"]);
      await mark("text.txt").click();
      expect(await walk.selected(), layout).toEqual(["inner"]);
      await page.keyboard.press("Escape");
    }
    // A single click on the sign in the middle of a tile selects that one, as anywhere on it.
    await walk.entry("text.txt").click();
    expect(await walk.selected()).toEqual(["text.txt"]);
    await sign().click();
    expect(await walk.selected()).toEqual(["inner"]);
  });

  it("says where it stands why a name cannot be, at every edge of the window", async () => {
    for (let at = 0; at < 40; at += 1) put(`edges/${String(at).padStart(2, "0")}`);
    const page = await walk.enter("/?path=edges");
    await walk.entry("05").waitFor();
    for (const layout of ["list", "grid"]) {
      if (layout === "grid") await page.getByRole("button", { name: "Show as a grid" }).click();
      for (const name of ["00", "04", "39"]) {
        await page.keyboard.type(name);
        await page.keyboard.press("F2");
        const field = page.getByRole("textbox", { name: "Name" });
        await field.fill("a/b");
        await field.press("Enter");
        const reason = page.getByRole("alert").filter({ hasText: "/" });
        await reason.waitFor();
        // Every corner of it is in sight, and nothing lies over it.
        const isSeen = await reason.evaluate((one) => {
          const { left, right, top, bottom } = one.getBoundingClientRect();
          const corners = [left + 3, right - 3].flatMap((x) => [top + 3, bottom - 3].map((y) => document.elementFromPoint(x, y)));
          return corners.every((met) => met === one);
        });
        expect(isSeen, `${name} in the ${layout}`).toBe(true);
        await field.press("Escape");
        await field.waitFor({ state: "detached" });
        await page.keyboard.press("Escape");
      }
    }
  });

  it("finds, orders, shows hidden ones, and remembers how", async () => {
    mkdirSync(inRoot("sorted/z folder"), { recursive: true });
    for (const [name, size] of Object.entries({ p10: 1, p2: 3, p1: 2, ".hidden": 1 })) {
      writeFileSync(inRoot("sorted", name), "x".repeat(size));
    }
    const page = await walk.enter("/?path=sorted");
    await walk.entry("p10").waitFor();
    expect(await walk.names()).toEqual(["z folder", "p1", "p2", "p10"]);
    await page.getByRole("button", { name: "Size" }).click();
    expect(await walk.names()).toEqual(["z folder", "p2", "p1", "p10"]);
    const head = page.getByRole("columnheader", { name: "Size" });
    expect(await head.getAttribute("aria-sort")).toBe("descending");
    await page.reload();
    await walk.entry("p10").waitFor();
    expect(await walk.names()).toEqual(["z folder", "p2", "p1", "p10"]);
    await page.getByRole("button", { name: "Name" }).click();

    await page.keyboard.press("/");
    await page.keyboard.type("P1");
    await expect.poll(() => walk.names()).toEqual(["p1", "p10"]);
    await page.keyboard.type("zzz");
    await page.getByRole("heading", { name: "Nothing in this folder matches “P1zzz”" }).waitFor();
    await walk.expectAccessible("a filter that hides all");
    await page.locator(".notice").getByRole("button", { name: "Clear the filter" }).click();
    await expect.poll(() => walk.names()).toHaveLength(4);
    await page.keyboard.press("Control+a");
    await page.getByText("4 selected").waitFor();
    await page.keyboard.press("/");
    await page.getByText("4 selected").waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    // What is made under such a name does not vanish without a word.
    await page.getByRole("button", { name: "New", exact: true }).click();
    await page.getByRole("menuitem", { name: "New folder" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill(".made");
    await page.keyboard.press("Enter");
    await page.getByText("“.made” is there.").waitFor();
    expect(await walk.names()).not.toContain(".made");
    await page.getByRole("button", { name: "View" }).click();
    await page.getByRole("menuitemradio", { name: "Show hidden files" }).click();
    await expect.poll(() => walk.names()).toContain(".hidden");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await walk.expectAccessible("the keys");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Show as a grid" }).click();
    await page.locator(".tile").first().waitFor();
    await walk.expectAccessible("the grid");
  });

  it("moves and copies by keys, by drag, and by asking where", async (test) => {
    mkdirSync(inRoot("moving/target"), { recursive: true });
    for (const name of ["cut.txt", "copy.txt", "drag.txt", "ask.txt"]) put(`moving/${name}`);
    const page = await walk.enter("/?path=moving");
    test.skip(!(await walk.has("/api/move")), "this larder cannot move yet");
    await walk.entry("cut.txt").click();
    await page.keyboard.press("Control+x");
    await page.getByText("Cut. Paste it").waitFor();
    await walk.entry("target").dblclick();
    await page.getByText("This folder is empty").waitFor();
    await page.keyboard.press("Control+v");
    await walk.entry("cut.txt").waitFor();
    expect(existsSync(inRoot("moving/cut.txt"))).toBe(false);
    // And back again.
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => existsSync(inRoot("moving/cut.txt"))).toBe(true);

    await page.keyboard.press("Backspace");
    await walk.entry("copy.txt").click();
    await page.keyboard.press("Control+c");
    await page.keyboard.press("Control+v");
    // The list stands still before something on it is dragged.
    await page.getByText("6 items").waitFor();

    await walk.entry("drag.txt").locator("[data-title]").dragTo(walk.entry("target"));
    await walk.entry("drag.txt").waitFor({ state: "detached" });
    await expect.poll(() => existsSync(inRoot("moving/target/drag.txt"))).toBe(true);

    await walk.pick("ask.txt", "Move to…");
    await walk.expectAccessible("asking where to");
    await page.getByRole("button", { name: "Folders in moving" }).click();
    await page.getByRole("radio", { name: "target" }).check();
    await page.getByRole("button", { name: "Move here" }).click();
    await expect.poll(() => existsSync(inRoot("moving/target/ask.txt"))).toBe(true);
  });

  it("keeps the menu open while the way above makes room for what is selected", async () => {
    const deep = Array.from({ length: 4 }, (_, at) => `a folder with a rather long name ${at}`).join("/");
    put(`wide/${deep}/a.txt`);
    const page = await walk.enter(`/?path=wide/${deep}`, undefined, { viewport: WIDE });
    await walk.entry("a.txt").hover();
    await page.getByRole("button", { name: "Actions for a.txt" }).click();
    await page.getByText("1 selected").waitFor();
    const frames = () => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    for (let looks = 0; looks < 5; looks += 1) await frames();
    expect(await page.getByRole("menuitem", { name: "Delete" }).isVisible()).toBe(true);
  });

  it("deletes many, and brings all of them back", async () => {
    const names = Array.from({ length: 150 }, (_, number) => `picture ${number}.jpg`);
    for (const name of names) put(`lots/${name}`, name);
    put("lots/deep/er/file.txt");
    const page = await walk.enter("/?path=lots");
    const there = () => readdirSync(inRoot("lots")).length;
    const focus = () => page.evaluate(() => document.activeElement?.tagName);
    await walk.entry("deep").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.getByText("Delete 151 items?").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("151 items were deleted.").waitFor();
    expect(there()).toBe(0);
    // One message says it; there is no line for each.
    expect(await page.getByText("At work").count()).toBe(0);
    expect(await page.locator("[aria-live] .isError").count()).toBe(0);
    await expect.poll(focus).not.toBe("BODY");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("151 items were restored.").waitFor();
    expect(there()).toBe(151);
    expect(readFileSync(inRoot("lots/picture 149.jpg"), "utf8")).toBe("picture 149.jpg");
    expect(await focus()).not.toBe("BODY");
    // What cannot be deleted is there again, and the rest is deleted all the same.
    await page.route("**/api/delete", (route) =>
      route.request().postData()?.includes("picture 1.jpg")
        ? route.fulfill({ status: 403, json: { error: "Some sentence", code: "denied_by_drive" } })
        : route.continue(),
    );
    await walk.entry("picture 0.jpg").click();
    await walk.entry("picture 3.jpg").click({ modifiers: ["Shift"] });
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("3 items were deleted.").waitFor();
    await page.getByText("The drive’s own permissions do not allow this.").waitFor();
    await walk.entry("picture 1.jpg").waitFor();
    expect(there()).toBe(148);
    await page.unrouteAll();
    // Nor is anything lost from sight while the server is away.
    await walk.larder.crash();
    await walk.entry("picture 5.jpg").click();
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.locator("[aria-live] .isError").first().waitFor();
    await walk.entry("picture 5.jpg").waitFor();
    await walk.larder.startAgain();
    expect(existsSync(inRoot("lots/picture 5.jpg"))).toBe(true);
  });

  it("brings back what was deleted", async (test) => {
    put("undone/a.txt", "kept");
    put("undone/b.txt", "also");
    const page = await walk.enter("/?path=undone");
    test.skip(!(await walk.has("/api/trash")), "this larder has no trash yet");
    await walk.entry("a.txt").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.getByText("Delete 2 items?").waitFor();
    await page.getByText("2 files (").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("2 items were deleted.").waitFor();
    expect(existsSync(inRoot("undone/a.txt"))).toBe(false);
    await page.getByRole("button", { name: "Undo" }).click();
    await walk.entry("b.txt").waitFor();
    expect(readFileSync(inRoot("undone/a.txt"), "utf8")).toBe("kept");

    await walk.entry("a.txt").click();
    await page.keyboard.press("Delete");
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("“a.txt” was deleted.").waitFor();
    await page.getByRole("link", { name: "Trash" }).click();
    const line = page.getByRole("listitem").filter({ hasText: "a.txt" }).filter({ hasText: "/undone" });
    await line.first().waitFor();
    await walk.expectAccessible("the trash");
    await line.first().getByRole("button", { name: "Restore" }).click();
    await page.getByText("1 item was restored.").waitFor();
    expect(existsSync(inRoot("undone/a.txt"))).toBe(true);
    const empty = page.getByRole("button", { name: "Empty the trash" });
    if (await empty.count()) {
      await empty.click();
      await page.getByRole("button", { name: "Remove for good" }).click();
      await page.getByText("The trash is empty").waitFor();
      await walk.expectAccessible("an empty trash");
    }
  });

  it("takes files and folders dropped on it", async () => {
    mkdirSync(inRoot("dropped"));
    const page = await walk.enter("/?path=dropped");
    await page.getByText("This folder is empty").waitFor();
    const outside = await mkdtemp(join(tmpdir(), "larder-e2e-outside-"));
    mkdirSync(join(outside, "tree/branch"), { recursive: true });
    writeFileSync(join(outside, "tree/branch/leaf.txt"), "leaf");
    writeFileSync(join(outside, "single.txt"), "single");
    const data = {
      items: [],
      files: [join(outside, "tree"), join(outside, "single.txt")],
      dragOperationsMask: 1,
    };
    const mouse = await walk.context.newCDPSession(page);
    const drag = (type: "dragEnter" | "dragOver" | "drop") =>
      mouse.send("Input.dispatchDragEvent", { type, x: 600, y: 400, data });
    await drag("dragEnter");
    await page.getByText("Drop to upload to “dropped”").waitFor();
    await drag("dragOver");
    await drag("drop");
    await page.getByText("2 of 2 done").waitFor();
    await walk.entry("tree").waitFor();
    await walk.entry("single.txt").waitFor();
    await rm(outside, { recursive: true });
    const read = (path: string) => readFileSync(inRoot("dropped", path), "utf8");
    expect([read("tree/branch/leaf.txt"), read("single.txt")]).toEqual(["leaf", "single"]);
    expect(await page.getByText("Drop to upload").count()).toBe(0);
  });

  it("has an address for each folder, with the way back and forward", async () => {
    mkdirSync(inRoot("outer/in & out #1"), { recursive: true });
    const page = await walk.enter();
    await walk.entry("outer").dblclick();
    await walk.entry("in & out #1").dblclick();
    const deep = page.getByRole("heading", { name: "in & out #1" });
    await deep.waitFor();
    await page.reload();
    await deep.waitFor();
    await page.goBack();
    await walk.entry("in & out #1").waitFor();
    await page.goForward();
    await deep.waitFor();
    await page.getByRole("navigation", { name: "Folder" }).getByText("outer").click();
    await page.getByRole("heading", { name: "outer" }).waitFor();
    expect(new URL(page.url()).search).toBe("?path=outer");
  });

  it("shows names as text, whatever is in them", async () => {
    const names = [STRANGE_NAME, `'"`, "ä".repeat(127), "שלום עולם.txt", "😀 🎉.txt"];
    for (const name of names) put(join("strange", name), "strange content");
    const page = await walk.enter("/?path=strange");
    for (const name of names) await walk.entry(name).waitFor();
    await walk.expectNoSidewaysScroll("strange names");
    for (const name of names) {
      await walk.entry(name).click();
      await page.keyboard.press("Delete");
      await page.getByRole("dialog", { name }).waitFor();
      await page.keyboard.press("Escape");
    }
    await walk.entry(STRANGE_NAME).dblclick();
    await page.getByText("strange content").first().waitFor();
    expect(await page.title()).toContain(STRANGE_NAME);
    expect(await page.locator("main img, dialog img").count()).toBe(0);
  });

  it("scrolls through twenty thousand entries without a halt", async () => {
    mkdirSync(inRoot("many"));
    for (let number = 0; number < 20_000; number += 1) writeFileSync(inRoot("many", `n${number}`), "");
    const page = await walk.enter("/?path=many");
    await page.getByText("20,000 items").waitFor({ state: "attached", timeout: 60_000 });
    expect((await walk.names()).length).toBeLessThan(80);
    for (const layout of ["list", "grid"] as const) {
      if (layout === "grid") await page.getByRole("button", { name: /grid/i }).click();
      // The quicker of two: what the browser does once (compiling, collecting) is not the scroll's.
      const first = await walk.busiestTask(() => scrollThrough(page));
      const busiest = Math.min(first, await walk.busiestTask(() => scrollThrough(page)));
      const session = await walk.context.newCDPSession(page);
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      console.info(
        `20 000 entries, ${layout}: busiest task ${busiest.toFixed(0)} ms, ${(usedSize / 1e6).toFixed(0)} MB`,
      );
      expect(busiest).toBeLessThan(FRAME_MS_MAX);
      expect(usedSize).toBeLessThan(150_000_000);
      await walk.entry("n19999").waitFor();
    }
    await page.getByRole("button", { name: /list/i }).click();
    await page.keyboard.press("Home");
    await walk.entry("n0").waitFor();
    await page.keyboard.type("n1234");
    await expect.poll(() => walk.selected()).toEqual(["n1234"]);
  });

  it("says so where a folder is missing, forbidden or out of reach", async () => {
    const page = await walk.enter("/?path=nowhere");
    await page.getByText("This folder does not exist").waitFor();
    await walk.expectAccessible("a missing folder");
    await page.getByRole("link", { name: "To all files" }).click();
    await page.getByRole("heading", { name: "Files", exact: true }).waitFor();

    const refuse = JSON.stringify({ error: "Unauthorized" });
    await page.route("**/api/finder*", (route) => route.fulfill({ status: 401, body: refuse }));
    await page.reload();
    await page.getByText("You may not see this folder").waitFor();
    await walk.expectAccessible("a forbidden folder");
    await page.unroute("**/api/finder*");

    await page.route("**/api/finder*", (route) => route.abort());
    await page.reload();
    await page.getByText("larder cannot be reached").first().waitFor();
    await walk.expectAccessible("out of reach");
    await page.unroute("**/api/finder*");
    // It comes back by itself.
    await walk.entry("outer").waitFor();
  });

  it("offers only what one may do", async () => {
    const page = await walk.enter("/", READER);
    await page.getByText("Read-only").waitFor();
    expect(await page.getByRole("button", { name: "Upload" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "New", exact: true }).count()).toBe(0);
    await walk.entry("outer").click({ button: "right" });
    const offered = await page.getByRole("menuitem").allInnerTexts();
    expect(offered.join(" ")).toContain("Download");
    expect(offered.join(" ")).not.toMatch(/Rename|Delete|Cut|Move/);
    await walk.expectAccessible("read-only");
    await page.keyboard.press("Escape");
    // And what the role has no endpoint for is not there at all.
    await page.route("**/api/role/self", (route) =>
      route.fulfill({ json: { "/api/finder": true } }),
    );
    await page.reload();
    await walk.entry("outer").waitFor();
    const views = page.getByRole("navigation", { name: "Views" }).getByRole("link");
    expect((await views.allInnerTexts()).map((one) => one.split("\n")[0])).toHaveLength(3);
    await walk.entry("outer").click({ button: "right" });
    expect((await page.getByRole("menuitem").allInnerTexts()).join(" ")).not.toContain("Download");
  });

  it("follows what others change", async () => {
    put("followed/old.txt");
    const page = await walk.enter("/?path=followed");
    await walk.entry("old.txt").waitFor();
    // It has asked for all it asks by itself: of what is new from here on it must be told.
    await page.waitForLoadState("networkidle");
    put("followed/new.txt");
    await walk.entry("new.txt").waitFor();
  });

  it("keeps uploading through a break of the server", async () => {
    mkdirSync(inRoot("broken off"));
    const page = await walk.enter("/?path=broken%20off");
    await page.getByText("This folder is empty").waitFor();
    let isDown = true;
    await page.route("**/api/uploads", (route) => (isDown ? route.abort() : route.continue()));
    const file = { name: "patient.txt", mimeType: "text/plain", buffer: Buffer.from("patient") };
    await page.setInputFiles("input[data-pick=files]", [file]);
    await page.getByText("Waiting for larder").waitFor();
    isDown = false;
    await page.getByText("1 of 1 done").waitFor();
    expect(readFileSync(inRoot("broken off/patient.txt"), "utf8")).toBe("patient");
  });
});
