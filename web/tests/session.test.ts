// One evening with a new larder, on a phone and on a desk: no dead end, no jump, no unexplained error.
// With LARDER_E2E_SHOTS set to a folder, a picture of each step is put there.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { film } from "./film.ts";
import { PHONE_DEVICE, Walk, WIDE } from "./harness.ts";
import { ADMIN } from "./larder.ts";

const SHOTS = process.env["LARDER_E2E_SHOTS"];
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><rect width="900" height="600" fill="teal"/><circle cx="450" cy="300" r="180" fill="gold"/></svg>';
const SCREENS = [
  { device: "phone", options: PHONE_DEVICE, isPhone: true },
  { device: "desk", options: { viewport: WIDE }, isPhone: false },
];

const walk = new Walk();
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);

/** Looks at a step: it fits, nothing complains, and axe agrees. */
async function step(device: string, what: string) {
  await walk.expectNoSidewaysScroll(`${what} on the ${device}`);
  await walk.expectAccessible(`${what} on the ${device}`);
  expect(await walk.page.locator("[aria-live] .isError").count(), what).toBe(0);
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await walk.page.screenshot({ path: join(SHOTS, `${device} ${String((shots += 1)).padStart(2, "0")} ${what}.png`) });
}
let shots = 0;

/** Counts how far things jump that nobody moved. */
async function watchJumps(page: Page) {
  await page.addInitScript(() => {
    const seen = window as unknown as { jumps: number };
    seen.jumps = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput } = entry as unknown as { value: number; hadRecentInput: boolean };
        if (!hadRecentInput) seen.jumps += value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

async function expectNoJumps(what: string) {
  const jumps = await walk.page.evaluate(() => (window as unknown as { jumps: number }).jumps);
  // What the measure itself calls good.
  expect(jumps, what).toBeLessThan(0.1);
}

describe("an evening with larder", () => {
  for (const { device, options, isPhone } of SCREENS) {
    it(`on a ${device}`, async () => {
      shots = 0;
      const guest = { name: `ana-${device}`, password: "the password for Ana" };
      const outside = await mkdtemp(join(tmpdir(), "larder-e2e-evening-"));
      const album = `Holiday ${device}`;
      mkdirSync(join(outside, album, "Beach"), { recursive: true });
      for (const name of ["1.svg", "2.svg"]) writeFileSync(join(outside, album, "Beach", name), SVG);
      writeFileSync(join(outside, album, "notes.txt"), "sun");
      mkdirSync(inRoot("Private"), { recursive: true });

      const page = await walk.open(options);
      await watchJumps(page);
      const press = (name: string) => (isPhone ? walk.entry(name).tap() : walk.entry(name).dblclick());
      const choose = async (name: string, action: string) => {
        await page.getByRole("button", { name: `Actions for ${name}` }).click();
        await page.getByRole("menuitem", { name: action, exact: false }).first().click();
      };
      const goTo = async (view: string) => {
        if (isPhone) await page.getByRole("button", { name: "Open the menu" }).click();
        const nav = isPhone ? page.getByRole("dialog") : page.getByRole("navigation", { name: "Views" });
        await nav.getByRole("link", { name: view }).click();
        await page.getByRole("heading", { name: view, level: 1 }).waitFor();
      };

      // In.
      await page.goto(`${walk.larder.url}/auth`);
      await page.getByLabel("User name").fill(ADMIN.name);
      await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
      await step(device, "sign in");
      await walk.submitSignIn();
      await walk.entry("Private").waitFor();
      await expectNoJumps("the first folder");
      await step(device, "first folder");

      // A folder with pictures and a film.
      writeFileSync(join(outside, album, "film.webm"), await film(page, 5, 20_000));
      await page.setInputFiles("input[data-pick=folder]", join(outside, album));
      await page.getByText("4 of 4 done").first().waitFor();
      await walk.entry(album).waitFor();
      await step(device, "uploaded");
      await page.getByRole("button", { name: "Clear", exact: true }).click();
      await press(album);
      await press("Beach");
      await press("1.svg");
      await page.getByRole("img", { name: "1.svg" }).waitFor();
      await step(device, "picture");
      if (isPhone) await walk.touch([{ x: 300, y: 380 }], [{ x: 200, y: 381 }], [{ x: 80, y: 382 }]);
      else await page.keyboard.press("ArrowRight");
      await page.getByRole("img", { name: "2.svg" }).waitFor();
      // The bars stay where the keys are.
      await page.keyboard.press("Tab");
      await page.getByRole("button", { name: "Back to the folder" }).click();
      await walk.entry("1.svg").waitFor();
      await page.getByRole("navigation", { name: "Folder" }).getByText(album).click();
      // The folder that is left has a moment more on the screen: a finger waits for what it aims at.
      await walk.entry("1.svg").waitFor({ state: "detached" });
      await walk.entry("film.webm").waitFor();
      const video = page.locator("video");
      await press("film.webm");
      await video.waitFor();
      await video.focus();
      // It plays by itself, having been opened by a press.
      await expect.poll(() => video.evaluate((one: HTMLVideoElement) => one.currentTime)).toBeGreaterThan(0.2);
      await step(device, "film");
      await page.keyboard.press("Tab");
      await page.getByRole("button", { name: "Back to the folder" }).click();

      // Rename, move, delete, undo.
      await choose("notes.txt", "Rename");
      await page.getByRole("textbox", { name: "Name" }).fill("diary.txt");
      await step(device, "rename");
      await page.keyboard.press("Enter");
      await walk.entry("diary.txt").waitFor();
      await choose("diary.txt", "Move to…");
      await page.getByRole("button", { name: `Folders in ${album}` }).click();
      await page.getByRole("radio", { name: "Beach" }).check();
      await step(device, "move");
      await page.getByRole("button", { name: "Move here" }).click();
      await page.getByText("“diary.txt” is now in “Beach”.").waitFor();
      await step(device, "moved");
      await press("Beach");
      await choose("diary.txt", "Delete");
      await step(device, "delete");
      await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByText("“diary.txt” was deleted.").waitFor();
      await step(device, "deleted");
      await page.getByRole("listitem").filter({ hasText: "was deleted" }).getByRole("button", { name: "Undo" }).click();
      await walk.entry("diary.txt").waitFor();
      expect(readFileSync(inRoot(album, "Beach", "diary.txt"), "utf8")).toBe("sun");
      await step(device, "undone");

      // Somebody with one folder to look at.
      await goTo("People");
      await page.getByRole("button", { name: "Add a person" }).click();
      const dialog = page.getByRole("dialog", { name: "Add a person" });
      await dialog.getByRole("button", { name: "More…" }).click();
      await dialog.getByLabel("Name", { exact: true }).fill("Ana");
      await dialog.getByLabel("User name").fill(guest.name);
      await dialog.getByLabel("Password", { exact: true }).fill(guest.password);
      await dialog.getByLabel("Role").selectOption("admin");
      const reads = dialog.getByRole("group", { name: "May look at" });
      await reads.getByRole("checkbox", { name: "Files" }).uncheck();
      await reads.getByRole("checkbox", { name: album }).check();
      const writes = dialog.getByRole("group", { name: "May change" });
      if (await writes.getByRole("checkbox", { name: "Files" }).isChecked()) {
        await writes.getByRole("checkbox", { name: "Files" }).uncheck();
      }
      await step(device, "a person");
      await dialog.getByRole("button", { name: "Add a person" }).click();
      await page.getByRole("dialog", { name: "API key of Ana" }).or(page.getByRole("dialog", { name: `API key of ${guest.name}` })).waitFor();
      await step(device, "a key");
      await page.getByRole("button", { name: "Done" }).click();
      await step(device, "people");

      // FTP on.
      await goTo("FTP");
      await page.getByRole("switch").click();
      await page.getByText("FTP is on.").waitFor();
      await page.getByText(/ftp:\/\/127\.0\.0\.1:\d+/).waitFor();
      await step(device, "FTP");
      await page.getByRole("switch").click();
      await page.getByText("FTP is off.").waitFor();

      // Out, and in as the other.
      await page.goto(`${walk.larder.url}/?view=profile`);
      await page.getByRole("button", { name: "Sign out", exact: true }).click();
      await page.waitForURL("**/auth");
      await page.getByLabel("User name").fill(guest.name);
      await page.getByLabel("Password", { exact: true }).fill(guest.password);
      await walk.submitSignIn();
      // Who has one folder lands in it.
      await page.getByRole("heading", { name: album }).waitFor();
      await page.getByText("Read-only").first().waitFor();
      await step(device, "as Ana");
      await page.goto(`${walk.larder.url}/?view=profile`);
      await page.getByLabel("Current password").fill(guest.password);
      await page.getByLabel("New password", { exact: true }).fill("another password for Ana");
      await page.getByLabel("New password again").fill("another password for Ana");
      // A second try so soon after the sign-in may be asked for patience.
      const change = page.getByRole("button", { name: "Change the password" });
      const tryIt = async () => {
        if (await change.isEnabled()) await change.click();
        return page.getByText("The password is changed.").count();
      };
      await expect.poll(tryIt, { timeout: 15_000, interval: 1200 }).toBeGreaterThan(0);
      await step(device, "a new password");
      // The session goes on.
      await page.reload();
      await page.getByRole("heading", { name: "Profile" }).waitFor();
      await rm(outside, { recursive: true });
      expect(existsSync(inRoot(album, "film.webm"))).toBe(true);
    });
  }
});
