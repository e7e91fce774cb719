// Long work and how it is called off; dragging; what is asked once for all.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPeakMib } from "./memory.ts";
import { Walk } from "./harness.ts";

/** Files of the tree that is copied, which takes larder seconds. */
const TREE_FILES = 30_000;
/** Files of the tree whose deletion is called off: far more than go while larder answers a few times. */
const FELLED_FILES = 20_000;
/** MiB of the upload that must not be held in memory; 10240 is what issue 5 names. */
const BIG_UPLOAD_MIB = Number(process.env["LARDER_E2E_BIG_MIB"] ?? 384);
/** What a browser's process may grow by meanwhile (MiB). */
const GROWTH_MIB_MAX = 120;

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const put = (path: string, content = path) => {
  mkdirSync(join(inRoot(path), ".."), { recursive: true });
  writeFileSync(inRoot(path), content);
};

function plantTree(path: string, files: number) {
  for (let folder = 0; folder < 20; folder += 1) {
    mkdirSync(inRoot(path, `${folder}`), { recursive: true });
    for (let file = 0; file < files / 20; file += 1) writeFileSync(inRoot(path, `${folder}`, `${file}`), "x");
  }
}

/** The paths of all files below a folder. */
function filesIn(path: string): string[] {
  const all = readdirSync(inRoot(path), { recursive: true, withFileTypes: true });
  return all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)).sort();
}

/**
 * Lets larder run for a few milliseconds a few times a second, until the returned function is called: the
 * page and the test may be as slow as they like, a job goes on by little meanwhile.
 */
function slowLarder(): () => Promise<void> {
  const pid = walk.larder.pid();
  let isSlow = true;
  const run = async () => {
    while (isSlow) {
      process.kill(pid, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 80));
      process.kill(pid, "SIGCONT");
      // As long as it takes to answer; whatever it answers. Not by way of the page, which may be busy.
      // eslint-disable-next-line no-restricted-globals -- the page has no part in this
      await fetch(`${walk.larder.url}/api/is_up`).then((answer) => answer.text());
    }
  };
  const end = run();
  return async () => {
    isSlow = false;
    await end;
  };
}

describe("long work", () => {
  it("shows how far a copy is, and leaves nothing half done when it is called off", async () => {
    plantTree("work/big tree", TREE_FILES);
    mkdirSync(inRoot("work/target"));
    const page = await walk.enter("/?path=work");
    await walk.pick("big tree", "Copy to…");
    await page.getByRole("button", { name: "Folders in work" }).click();
    await page.getByRole("radio", { name: "target" }).check();
    const atOnce = slowLarder();
    try {
      await page.getByRole("button", { name: "Copy here" }).click();
      const tray = page.locator("section", { hasText: "At work" });
      await tray.getByText("Copying “big tree”").waitFor();
      const called = page.waitForResponse(/\/api\/jobs\/cancel/, { timeout: 60_000 });
      await tray.getByRole("button", { name: "Cancel Copying “big tree”" }).click();
      await called;
    } finally {
      await atOnce();
    }
    // What was copied is taken away first.
    await page.getByText("Cancelled.").first().waitFor({ timeout: 60_000 });
    await walk.expectAccessible("long work called off");
    await expect.poll(() => readdirSync(inRoot("work/target"))).toEqual([]);
    expect(readdirSync(inRoot("work/big tree"))).toHaveLength(20);
    // A cancelled copy offers nothing to undo, and the page is ready for more.
    expect(await page.getByRole("button", { name: "Undo" }).count()).toBe(0);
    await walk.entry("big tree").waitFor();
  });

  it("is followed by a page that was loaded while it ran", async () => {
    const page = await walk.enter("/?path=work");
    await walk.entry("big tree").waitFor();
    let job = "";
    // Or a machine that is busy with everything else has copied it all before the page is there again.
    const atOnce = slowLarder();
    try {
      ({ job } = (await walk.api("/api/copy", { paths: ["work/big tree"], to: "work/target", job: true })) as { job: string });
      expect(job).toBeTruthy();
      await page.reload({ timeout: 60_000 });
      const called = page.waitForResponse(/\/api\/jobs\/cancel/, { timeout: 60_000 });
      await page.getByRole("button", { name: /^Cancel / }).click();
      await called;
    } finally {
      await atOnce();
    }
    await expect.poll(async () => {
      const all = (await walk.api("/api/jobs")) as { id: string; state: string }[];
      return all.find((one) => String(one.id) === String(job))?.state;
      // What was copied is taken away first.
    }, { timeout: 60_000 }).toBe("cancelled");
    await page.getByRole("button", { name: /^Cancel / }).waitFor({ state: "detached", timeout: 60_000 });
  });

  it("stops deleting for good where it is called off, and keeps all it had not come to", async () => {
    plantTree("felled/tree", FELLED_FILES);
    put("felled/beside.txt");
    put("felled/thrown away.txt");
    const page = await walk.enter("/?path=felled");
    const trash = async () => {
      const all = (await walk.api("/api/trash")) as { path: string }[];
      return all.map(({ path }) => path).filter((path) => path.startsWith("felled/"));
    };
    await walk.api("/api/delete_file", { path: "felled/thrown away.txt" });
    await walk.entry("thrown away.txt").waitFor({ state: "detached" });

    const atOnce = slowLarder();
    try {
      await walk.entry("tree").click();
      await page.keyboard.press("Delete");
      await page.getByLabel("Delete for good, not to the trash").check();
      await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
      const line = page.locator("section", { hasText: "At work" }).getByRole("listitem").filter({ hasText: "Deleting “tree”" });
      // A larder that seldom runs takes its time.
      await line.getByText(/^[1-9][\d,]* items? done$/).waitFor({ timeout: 60_000 });
      // The list is asked for again meanwhile; what is leaving does not come back on it.
      put("felled/new.txt");
      await walk.entry("new.txt").waitFor({ timeout: 60_000 });
      expect(await walk.names()).not.toContain("tree");
      const called = page.waitForResponse(/\/api\/jobs\/cancel/, { timeout: 60_000 });
      await line.getByRole("button", { name: "Cancel Deleting “tree”" }).click();
      await called;
    } finally {
      await atOnce();
    }
    await page.getByText("Cancelled.").first().waitFor({ timeout: 60_000 });
    // Now it is on the list again, with what is left of it: whole files, where they were.
    await walk.entry("tree").waitFor();
    const left = filesIn("felled/tree");
    console.info(`of ${FELLED_FILES} files ${left.length} are left`);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(FELLED_FILES);
    for (const path of left) expect(readFileSync(path, "utf8"), path).toBe("x");
    expect(readFileSync(inRoot("felled/beside.txt"), "utf8")).toBe("felled/beside.txt");
    // What is gone did not go to the trash, and what was there has stayed; nothing claims otherwise.
    expect(await trash()).toEqual(["felled/thrown away.txt"]);
    expect(await page.getByRole("button", { name: "Undo" }).count()).toBe(0);
    expect(await page.getByText("“tree” was deleted.").count()).toBe(0);
    // It can be opened, and nothing goes on behind one's back.
    await walk.entry("tree").dblclick();
    await page.getByRole("heading", { name: "tree", exact: true }).waitFor();
    await expect.poll(() => walk.names()).toHaveLength(readdirSync(inRoot("felled/tree")).length);
    expect(filesIn("felled/tree")).toEqual(left);
  });

  it("deletes a big tree for good, and says when it is done without asking all the time", async () => {
    const page = await walk.enter("/?path=work");
    const beganMs = Date.now();
    let asked = 0;
    page.on("request", (request) => (asked += new URL(request.url()).pathname === "/api/jobs" ? 1 : 0));
    await walk.entry("big tree").click();
    await page.keyboard.press("Delete");
    await page.getByLabel("Delete for good, not to the trash").check();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await walk.entry("big tree").waitFor({ state: "detached" });
    await page.getByText("“big tree” was deleted.").waitFor({ timeout: 60_000 });
    const tookS = (Date.now() - beganMs) / 1000;
    console.info(`followed for ${tookS.toFixed(1)} s with ${asked} questions`);
    // It is told, at least every few seconds; asking alone would be one question in less than a second.
    expect(asked).toBeLessThanOrEqual(2 + tookS / 5);
    expect(existsSync(inRoot("work/big tree"))).toBe(false);
    expect(await page.getByRole("button", { name: "Undo" }).count()).toBe(0);
  });
});

describe("dragging", () => {
  it("moves several at once onto a folder, and up by the breadcrumb", async () => {
    mkdirSync(inRoot("dragged/in/deep"), { recursive: true });
    for (const name of ["a", "b", "c"]) put(`dragged/in/${name}`);
    const page = await walk.enter("/?path=dragged/in");
    await walk.entry("a").click();
    await walk.entry("b").click({ modifiers: ["ControlOrMeta"] });
    await walk.entry("b").locator("[data-title]").dragTo(walk.entry("deep"));
    await page.getByText("2 items were moved.").waitFor();
    await expect.poll(() => readdirSync(inRoot("dragged/in/deep")).sort()).toEqual(["a", "b"]);
    await page.getByRole("button", { name: "Undo" }).click();
    await walk.entry("a").waitFor();
    // The page hears of each as it comes.
    await expect.poll(() => readdirSync(inRoot("dragged/in")).sort()).toEqual(["a", "b", "c", "deep"]);
    await walk.entry("b").waitFor();

    const crumbs = page.getByRole("navigation", { name: "Folder" });
    await walk.entry("c").locator("[data-title]").dragTo(crumbs.getByText("dragged", { exact: true }));
    await page.getByText("“c” is now in “dragged”.").waitFor();
    expect(existsSync(inRoot("dragged/c"))).toBe(true);
    await walk.entry("b").locator("[data-title]").dragTo(crumbs.getByText("Files", { exact: true }));
    await page.getByText("“b” is now in “Files”.").waitFor();
    expect(existsSync(inRoot("b"))).toBe(true);
    // A folder onto itself is nothing.
    await walk.entry("deep").locator("[data-title]").dragTo(walk.entry("deep"));
    await walk.entry("deep").waitFor();
    expect(existsSync(inRoot("dragged/in/deep"))).toBe(true);
  });

  it("brings files from the desktop into the folder they are dropped on", async () => {
    mkdirSync(inRoot("landed/inner"), { recursive: true });
    const page = await walk.enter("/?path=landed");
    const outside = await mkdtemp(join(tmpdir(), "larder-e2e-outside-"));
    writeFileSync(join(outside, "one.txt"), "one");
    const box = await walk.entry("inner").boundingBox();
    const data = { items: [], files: [join(outside, "one.txt")], dragOperationsMask: 1 };
    const mouse = await walk.context.newCDPSession(page);
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      await mouse.send("Input.dispatchDragEvent", { type, x: (box?.x ?? 0) + 90, y: (box?.y ?? 0) + 20, data });
    }
    await page.getByText("1 of 1 done").waitFor();
    await rm(outside, { recursive: true });
    expect(readFileSync(inRoot("landed/inner/one.txt"), "utf8")).toBe("one");
  });
});

describe("taken names", () => {
  const upload = (...names: string[]) =>
    names.map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`new ${name}`) }));
  /** What is there already, to the byte, would not be asked about. */
  const newer = (...names: string[]) => upload(...names).map((one) => ({ ...one, buffer: Buffer.concat([one.buffer, one.buffer]) }));

  it("are asked about once for all", async () => {
    for (const name of ["a.txt", "b.txt", "c.txt"]) put(`taken/${name}`, "old");
    const page = await walk.enter("/?path=taken");
    await walk.entry("c.txt").waitFor();
    const pick = (files: object) => page.setInputFiles("input[data-pick=files]", files as []);
    const dialog = page.getByRole("dialog");

    await pick(upload("a.txt", "b.txt", "c.txt", "d.txt"));
    await page.getByRole("dialog", { name: "“a.txt” is already there" }).waitFor();
    // Both are told by size and date, the one there first.
    expect(await dialog.getByRole("definition").allInnerTexts()).toEqual(["3 bytes", expect.stringMatching(/20\d\d/), "9 bytes", expect.stringMatching(/20\d\d/)]);
    await dialog.getByRole("button", { name: "Skip" }).click();
    await page.getByRole("dialog", { name: "“b.txt” is already there" }).waitFor();
    await dialog.getByLabel("Do the same for all").check();
    await dialog.getByRole("button", { name: "Replace" }).click();
    await page.getByText("3 of 3 done").waitFor();
    const read = () => ["a.txt", "b.txt", "c.txt", "d.txt"].map((name) => readFileSync(inRoot("taken", name), "utf8"));
    expect(read()).toEqual(["old", "new b.txt", "new c.txt", "new d.txt"]);
    expect(await dialog.count()).toBe(0);

    // The last one has nothing to follow; Escape calls off the rest without another question.
    await pick(newer("a.txt", "b.txt"));
    await dialog.getByRole("button", { name: "Skip" }).click();
    await page.getByRole("dialog", { name: "“b.txt” is already there" }).waitFor();
    expect(await dialog.getByLabel("Do the same for all").count()).toBe(0);
    expect(await dialog.getByRole("button", { name: "Cancel" }).count()).toBe(0);
    await dialog.getByRole("button", { name: "Skip" }).click();
    for (const way of ["Escape", "Cancel"]) {
      await pick(newer("a.txt", "b.txt", "c.txt"));
      await page.getByRole("dialog", { name: "“a.txt” is already there" }).waitFor();
      if (way === "Escape") await page.keyboard.press(way);
      else await dialog.getByRole("button", { name: way }).click();
      await dialog.waitFor({ state: "detached" });
      await page.evaluate(() => new Promise((go) => requestAnimationFrame(go)));
      expect(await dialog.count(), way).toBe(0);
    }
    expect(read()).toEqual(["old", "new b.txt", "new c.txt", "new d.txt"]);

    // Taken though the page did not know: in a folder that comes with its files.
    put("taken/tree/x.txt", "old");
    put("taken/tree/y.txt", "old");
    const outside = await mkdtemp(join(tmpdir(), "larder-e2e-tree-"));
    mkdirSync(join(outside, "tree"));
    for (const name of ["x.txt", "y.txt", "z.txt"]) writeFileSync(join(outside, "tree", name), `new ${name}`);
    await page.setInputFiles("input[data-pick=folder]", join(outside, "tree"));
    await dialog.getByLabel("Do the same for all").check();
    await dialog.getByRole("button", { name: "Keep both" }).click();
    await page.getByText("6 of 6 done").first().waitFor();
    await rm(outside, { recursive: true });
    expect(await dialog.count()).toBe(0);
    expect(readdirSync(inRoot("taken/tree"))).toHaveLength(5);
    expect(readFileSync(inRoot("taken/tree/x.txt"), "utf8")).toBe("old");
  });

  it("are asked about when moving, too", async () => {
    for (const name of ["a", "b", "c"]) {
      put(`clash/${name}`, "moved");
      put(`clash/there/${name}`, "there");
    }
    const page = await walk.enter("/?path=clash");
    await walk.entry("a").click();
    await walk.entry("c").click({ modifiers: ["Shift"] });
    await page.keyboard.press("Control+x");
    await walk.entry("there").dblclick();
    await page.getByRole("heading", { name: "there" }).waitFor();
    await walk.entry("a").waitFor();
    await page.keyboard.press("Control+v");
    await page.getByRole("dialog").getByLabel("Do the same for all").check();
    await page.getByRole("dialog").getByRole("button", { name: "Replace" }).click();
    await page.getByText("3 items were moved.").waitFor();
    for (const name of ["a", "b", "c"]) expect(readFileSync(inRoot("clash/there", name), "utf8")).toBe("moved");
    expect(readdirSync(inRoot("clash"))).toEqual(["there"]);
  });
});

describe("a big upload", () => {
  it(`of ${BIG_UPLOAD_MIB} MiB passes by the memory of the page and of the server, which is killed in the middle`, async () => {
    mkdirSync(inRoot("big"));
    const page = await walk.enter("/?path=big");
    await page.getByText("This folder is empty").waitFor();
    const outside = await mkdtemp(join(tmpdir(), "larder-e2e-big-"));
    const file = join(outside, "big.bin");
    writeFileSync(file, "");
    truncateSync(file, BIG_UPLOAD_MIB * 1024 * 1024);
    const before = await readPeakMib(walk);
    await page.setInputFiles("input[data-pick=files]", file);
    const parts = inRoot(".larder", "parts");
    const arrived = () => !existsSync(parts) ? 0 : Math.max(0, ...readdirSync(parts).map((name) => statSync(join(parts, name)).size));
    await expect.poll(arrived, { timeout: BIG_UPLOAD_MIB * 200, interval: 20 }).toBeGreaterThan(BIG_UPLOAD_MIB * 1024 * 1024 / 3);
    await walk.larder.crash();
    const kept = arrived();
    await walk.larder.startAgain();
    await page.getByText("1 of 1 done").waitFor({ timeout: BIG_UPLOAD_MIB * 200 });
    const after = await readPeakMib(walk);
    await rm(outside, { recursive: true });
    const grown = Object.entries(after).map(([process, mib]) => [process, mib - (before[process] ?? 0)] as const);
    console.info(`${BIG_UPLOAD_MIB} MiB uploaded, broken at ${Math.round(kept / 1048576)}; processes grew at most by ${grown.map(([process, mib]) => `${process}: ${mib} MiB`).join(", ")}`);
    expect(grown.length).toBeGreaterThanOrEqual(3);
    for (const [process, mib] of grown) expect(mib, process).toBeLessThan(GROWTH_MIB_MAX);
    const { size } = (await walk.api("/api/finder?path=big&details=1") as { entries: { size: number }[] }).entries[0] ?? {};
    expect(size).toBe(BIG_UPLOAD_MIB * 1024 * 1024);
  }, Math.max(120_000, BIG_UPLOAD_MIB * 250));
});
