// Small things that were wrong once, each with what is right.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PHONE_DEVICE, Walk, WIDE } from "./harness.ts";
import { READER } from "./larder.ts";

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);
const put = (path: string, content = path) => {
  mkdirSync(join(inRoot(path), ".."), { recursive: true });
  writeFileSync(inRoot(path), content);
};
const file = (name: string, bytes = 4) => ({ name, mimeType: "text/plain", buffer: Buffer.alloc(bytes, 97) });

/** Has the browser send slowly, until the answer is called. */
async function sendSlowly() {
  const network = await walk.context.newCDPSession(walk.page);
  const limits = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 50_000 };
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", limits);
  return () => network.send("Network.emulateNetworkConditions", { ...limits, uploadThroughput: -1 });
}

/** What lies over a part of the page: the topmost element at each of its corners and its middle. */
function covered(selector: string): Promise<string[]> {
  return walk.page.locator(selector).evaluateAll((all) =>
    all.flatMap((one) => {
      const box = one.getBoundingClientRect();
      const xs = [box.left + 3, (box.left + box.right) / 2, box.right - 3];
      const ys = [box.top + 3, (box.top + box.bottom) / 2, box.bottom - 3];
      return xs.flatMap((x) => ys.map((y) => document.elementFromPoint(x, y)))
        .filter((top) => top !== null && !one.contains(top) && !top.contains(one))
        .map((top) => `${one.className} under ${top?.className}`);
    }),
  );
}

describe("a selection", () => {
  it("of any size can be downloaded", async () => {
    const names = Array.from({ length: 400 }, (_, number) => `a picture with a long name ${number}.jpg`);
    for (const name of names) put(`many/${name}`, name);
    const page = await walk.enter("/?path=many");
    await walk.entry(names[0] ?? "").click();
    await page.keyboard.press("Control+a");
    await page.getByText("400 selected").waitFor();
    const coming = page.waitForEvent("download");
    await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Download" }).click();
    const path = await (await coming).path();
    expect(readFileSync(path).subarray(0, 2).toString()).toBe("PK");
    const listed = execFileSync("unzip", ["-Z1", path], { encoding: "utf8" }).trim().split("\n");
    expect(listed.map((one) => one.replace(/^.*\//, "")).sort()).toEqual([...names].sort());
  });

  it("leaves the whole way in sight, or folds its beginning away", async () => {
    const folder = "Photos/2024 Summer in Tuscany with everybody/A day at the sea and in the hills/Evening, with the long table";
    put(`${folder}/a.txt`);
    for (const [viewport, locale] of [[WIDE, "en-GB"], [WIDE, "de-DE"], [PHONE_DEVICE.viewport, "en-GB"]] as const) {
      const page = await walk.enter(`/?path=${encodeURIComponent(folder)}`, undefined, { viewport, locale });
      await walk.entry("a.txt").click();
      await page.getByRole("toolbar", { name: /Selection|Auswahl/ }).waitFor();
      const way = page.getByRole("navigation", { name: /^(Folder|Ordner)$/ });
      const cut = await way.evaluate((nav) =>
        [...nav.querySelectorAll("a, h1, button")]
          .map((one) => ({ text: one.textContent, box: one.getBoundingClientRect(), edge: nav.getBoundingClientRect() }))
          .filter(({ box, edge }) => box.left < edge.left - 1 || box.right > edge.right + 1)
          .map(({ text }) => text),
      );
      expect(cut, locale).toEqual([]);
      // The end is there, and what was folded is one press away.
      await page.getByRole("heading", { name: "Evening, with the long table", level: 1 }).waitFor();
      await page.getByRole("button", { name: /^(Folders above|Übergeordnete Ordner)$/ }).click();
      await walk.expectAccessible("the folded way");
      await page.getByRole("menuitem", { name: /^(Files|Dateien)$/ }).click();
      await page.getByRole("heading", { name: /^(Files|Dateien)$/, level: 1 }).waitFor();
      await page.goBack();
      await page.getByRole("heading", { name: "Evening, with the long table", level: 1 }).waitFor();
    }
  });
});

describe("uploads", () => {
  it("cover nothing: neither Save and Discard, nor the last entry of a folder", async () => {
    for (let number = 0; number < 60; number += 1) put(`covered/entry ${number}`);
    const page = await walk.enter("/?path=covered", undefined, { viewport: WIDE });
    await walk.entry("entry 0").waitFor();
    const release = await sendSlowly();
    await page.setInputFiles("input[data-pick=files]", [file("slow.bin", 2_000_000)]);
    const tray = page.getByRole("region", { name: "Uploads" });
    await tray.getByText("slow.bin").waitFor();
    const boxOf = async (what: ReturnType<typeof page.locator>) => {
      const box = await what.boundingBox();
      if (!box) throw new Error("not there");
      return box;
    };
    const pane = await boxOf(page.locator(".pane"));
    expect(pane.y + pane.height).toBeLessThanOrEqual((await boxOf(tray)).y + 1);
    await walk.expectAccessible("an upload that runs");
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Settings" }).click();
    await page.getByLabel("Days in the trash").fill("31");
    await page.getByText("1 change, not saved yet").waitFor();
    expect(await covered(".save button")).toEqual([]);
    // There it is one line, and unfolds.
    expect((await boxOf(tray)).height).toBeLessThan(64);
    await tray.getByRole("button", { name: "Show the list" }).click();
    await tray.getByText("slow.bin").waitFor();
    expect(await covered(".save button")).toEqual([]);
    await page.getByRole("button", { name: "Discard" }).click();
    await page.setViewportSize(PHONE_DEVICE.viewport);
    expect(await covered(".save button")).toEqual([]);
    await walk.expectNoSidewaysScroll("the tray on a phone");
    await release();
    await page.getByText("1 of 1 done").waitFor();
  });

  it("are not said to be done while one waits for an answer", async () => {
    put("asked/a.txt");
    const page = await walk.enter("/?path=asked");
    await walk.entry("a.txt").waitFor();
    await page.setInputFiles("input[data-pick=files]", [file("a.txt"), file("b.txt")]);
    await page.getByRole("dialog", { name: "“a.txt” is already there" }).waitFor();
    await page.getByText("1 of 2 done · 1 waits for your answer").waitFor();
    await page.getByRole("button", { name: "Keep both" }).click();
    await page.getByText("2 of 2 done").waitFor();
  });
});

describe("what is shown where", () => {
  it("says of a filter that only this folder was looked at", async () => {
    put("filtered/inner/wanted.txt");
    const page = await walk.enter("/?path=filtered");
    await walk.entry("inner").waitFor();
    await page.getByRole("textbox", { name: "Filter" }).fill("wanted");
    await page.getByText("Only the names in this folder were looked at").waitFor();
    expect(await page.getByText("spelling").count()).toBe(0);
  });

  it("leads on from a view one may not see", async () => {
    await walk.enter();
    await walk.entry("filtered").waitFor();
    const roles = (await walk.api("/api/role/get")) as Record<string, string[]>;
    const users = (await walk.api("/api/user/get_all")) as { id: number; username: string }[];
    const reader = users.find(({ username }) => username === READER.name);
    const looks = ["/api/finder", "/api/download"];
    const changed = Object.fromEntries(
      Object.entries(roles).map(([path, list]) => [path, looks.includes(path) ? [...list, "guest"] : list]),
    );
    await walk.api("/api/role/edit", changed);
    await walk.api("/api/user/edit", { ...reader, role: "guest" });
    const page = await walk.enter("/?view=settings", READER);
    await page.getByRole("heading", { name: "You may not see this" }).waitFor();
    await walk.expectAccessible("a view one may not see");
    await page.getByRole("link", { name: "To all files" }).click();
    await walk.entry("filtered").waitFor();
  });

  it("begins the log on a phone with its first row", async () => {
    const page = await walk.enter("/?view=logs", undefined, PHONE_DEVICE);
    const row = page.locator("tbody tr").first();
    await row.waitFor();
    expect(await row.evaluate((one) => getComputedStyle(one).borderTopWidth)).toBe("0px");
  });

  it("fills the window with a file, up to its corners", async () => {
    put("corners/a.txt");
    const page = await walk.enter("/?path=corners&file=a.txt");
    const viewer = page.getByRole("dialog", { name: "a.txt" });
    await viewer.waitFor();
    expect(await viewer.evaluate((one) => getComputedStyle(one).borderRadius)).toBe("0px");
  });
});

describe("names", () => {
  it("are links: the middle button opens them in a tab, and their address can be copied", async () => {
    put("linked/inner/deep.txt");
    put("linked/a #1?.txt");
    for (const layout of ["list", "grid"]) {
      const page = await walk.enter("/?path=linked");
      await walk.entry("inner").waitFor();
      if (layout === "grid") await page.getByRole("button", { name: "Show as a grid" }).click();
      const link = walk.entry("a #1?.txt").getByRole("link");
      expect(await link.getAttribute("href")).toBe("/preview?path=linked/a%20%231%3F.txt");
      expect(await walk.entry("inner").getByRole("link").getAttribute("href")).toBe("/?path=linked/inner");
      // A click selects, as ever; with Ctrl more; neither leads away.
      await link.click();
      expect(await walk.selected()).toEqual(["a #1?.txt"]);
      await walk.entry("inner").getByRole("link").click({ modifiers: ["Control"] });
      expect(await walk.selected()).toHaveLength(2);
      const opening = walk.context.waitForEvent("page");
      await link.click({ button: "middle" });
      const tab = await opening;
      await tab.getByRole("heading", { name: "a #1?.txt", level: 1 }).waitFor();
      // One tab, not two.
      expect(walk.context.pages()).toHaveLength(2);
      await tab.close();
      expect(new URL(page.url()).search).toBe("?path=linked");
      // Nothing more to step through for the keyboard.
      expect(await page.locator("[data-at] a:not([tabindex='-1'])").count()).toBe(0);
      await walk.expectAccessible(`links in the ${layout}`);
    }
    const page = await walk.enter("/?path=linked");
    await walk.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await walk.pick("inner", "Copy the address");
    await page.getByText("The address is copied.").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${walk.larder.url}/?path=linked/inner`);
  });
});
