// The way back, and what it costs: nobody needs the whole trash to undo.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Response } from "playwright-core";
import { describe, expect, it } from "vitest";
import { Walk } from "./harness.ts";

/** Things in the trash while one more is deleted: a list of them would be some 500 kB. */
const TRASHED = 3000;
/** What deleting a file, or bringing it back, may cost in answers (bytes). */
const ANSWERS_BYTES_MAX = 4096;

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const put = (path: string, content = path) => {
  mkdirSync(join(inRoot(path), ".."), { recursive: true });
  writeFileSync(inRoot(path), content);
};

/** Counts the bytes of answers from now on; the stream of events alone is none. */
function countAnswers() {
  const answers: Response[] = [];
  walk.page.on("response", (one) => {
    if (new URL(one.url()).pathname.startsWith("/api/") && !one.url().includes("/api/events")) answers.push(one);
  });
  return async () => {
    const sizes = await Promise.all(answers.splice(0).map(async (one) => ({ url: one.url(), bytes: (await one.body()).length })));
    return { bytes: sizes.reduce((sum, one) => sum + one.bytes, 0), sizes };
  };
}

async function deleteSelected() {
  await walk.page.keyboard.press("Delete");
  await walk.page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
}

describe("undo", () => {
  it("costs little, whatever the trash holds", async () => {
    const paths = Array.from({ length: TRASHED }, (_, number) => `old/a file of long ago ${number}.txt`);
    for (const path of paths) put(path, "old");
    for (const name of ["keep.txt", "one.txt", "two.txt"]) put(`now/${name}`);
    const page = await walk.enter("/?path=now");
    await walk.entry("one.txt").waitFor();
    const { trash } = (await walk.api("/api/delete", { paths })) as { trash: string[] };
    expect(trash).toHaveLength(TRASHED);
    const told = countAnswers();
    await walk.entry("one.txt").click();
    await deleteSelected();
    await page.getByText("“one.txt” was deleted.").waitFor();
    await expect.poll(() => existsSync(inRoot("now/one.txt"))).toBe(false);
    // What is asked for afterwards counts too.
    await page.waitForTimeout(1000);
    const ofDeleting = await told();
    console.info(`deleting one file: ${ofDeleting.bytes} bytes of answers`);
    expect(ofDeleting.sizes.length).toBeGreaterThan(0);
    expect(ofDeleting.bytes, JSON.stringify(ofDeleting.sizes)).toBeLessThanOrEqual(ANSWERS_BYTES_MAX);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("1 item was restored.").waitFor();
    await walk.entry("one.txt").waitFor();
    await page.waitForTimeout(1000);
    const ofUndo = await told();
    console.info(`bringing it back: ${ofUndo.bytes} bytes of answers`);
    expect(ofUndo.bytes, JSON.stringify(ofUndo.sizes)).toBeLessThanOrEqual(ANSWERS_BYTES_MAX);
    expect(readFileSync(inRoot("now/one.txt"), "utf8")).toBe("now/one.txt");
    // The rest of the trash is where it was.
    expect((await walk.api("/api/trash")) as unknown[]).toHaveLength(TRASHED);
  });

  it("takes what is gone already for deleted, and the rest with it in one step", async () => {
    for (const name of ["a", "b", "c"]) put(`half/${name}`);
    const page = await walk.enter("/?path=half");
    await walk.entry("a").click();
    await page.keyboard.press("Control+a");
    await page.route("**/api/delete", async (route) => {
      // Somebody else is quicker with one of them.
      rmSync(inRoot("half/b"), { force: true });
      await route.continue();
    });
    await deleteSelected();
    await page.getByText("3 items were deleted.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("2 items were restored.").waitFor();
    expect(existsSync(inRoot("half/a")) && existsSync(inRoot("half/c"))).toBe(true);
  });

  it("of a move that replaced something puts both where they were", async () => {
    put("from/same.txt", "mine");
    put("from/to/same.txt", "theirs");
    const page = await walk.enter("/?path=from");
    await walk.entry("same.txt").locator("[data-title]").dragTo(walk.entry("to"));
    await page.getByRole("button", { name: "Replace" }).click();
    await expect.poll(() => readFileSync(inRoot("from/to/same.txt"), "utf8")).toBe("mine");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("1 item was restored.").waitFor();
    expect(readFileSync(inRoot("from/to/same.txt"), "utf8")).toBe("theirs");
    expect(readFileSync(inRoot("from/same.txt"), "utf8")).toBe("mine");
  });

  it("of a move asks nothing, though the list on show is older than the move", async () => {
    for (const name of ["a", "b"]) put(`older/${name}`);
    mkdirSync(inRoot("older/to"));
    const page = await walk.enter("/?path=older");
    await walk.entry("to").waitFor();
    // A folder that takes long to list is asked for less often: for seconds the page knows it as it was.
    await page.route("**/api/finder?*", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      await route.continue();
    });
    await page.reload();
    await walk.entry("a").click();
    await page.keyboard.press("Control+a");
    await walk.entry("to").click({ modifiers: ["ControlOrMeta"] });
    await walk.entry("b").locator("[data-title]").dragTo(walk.entry("to"));
    await page.getByText("2 items were moved.").waitFor();
    // What moved away is off the list at once.
    expect(await walk.names()).toEqual(["to"]);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => existsSync(inRoot("older/a")) && existsSync(inRoot("older/b"))).toBe(true);
    await walk.entry("a").waitFor();
  });

  it("of a move that kept both gives what was moved its place and its name again", async () => {
    put("both/same.txt", "mine");
    put("both/other.txt", "other");
    put("both/to/same.txt", "theirs");
    const page = await walk.enter("/?path=both");
    await walk.entry("same.txt").click();
    await walk.entry("other.txt").click({ modifiers: ["Control"] });
    await walk.entry("same.txt").locator("[data-title]").dragTo(walk.entry("to"));
    await page.getByRole("button", { name: "Keep both" }).click();
    await expect.poll(() => readdirSync(inRoot("both/to")).sort()).toEqual(["other.txt", "same (1).txt", "same.txt"]);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => readdirSync(inRoot("both")).sort()).toEqual(["other.txt", "same.txt", "to"]);
    expect(readFileSync(inRoot("both/same.txt"), "utf8")).toBe("mine");
    // What was there before stays there.
    expect(readFileSync(inRoot("both/to/same.txt"), "utf8")).toBe("theirs");
    expect(readdirSync(inRoot("both/to"))).toEqual(["same.txt"]);
  });
});
