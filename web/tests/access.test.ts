// axe finds nothing: each view, each state of it and each dialog, in both themes, small and large.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, it } from "vitest";
import { PHONE, silence, Walk, WIDE } from "./harness.ts";

const walk = new Walk();
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><rect width="90" height="60"/></svg>';
const VIEWS = ["shared", "dashboard", "people", "ftp", "logs", "settings", "terminal", "update", "cloud", "profile"];
const KINDS = ["a.svg", "a.wav", "a.md", "a.rs", "a.pdf", "a.bin", "a.mp4"];

/** Looks at what is open as it is small and large, in the light and in the dark. */
async function look(where: string) {
  for (const viewport of [PHONE, WIDE]) {
    await walk.page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await walk.page.emulateMedia({ colorScheme });
      await walk.page.locator(`html[data-theme=${colorScheme}]`).waitFor();
      await walk.expectAccessible(`${where}, ${viewport.width} px, ${colorScheme}`);
    }
    await walk.expectNoSidewaysScroll(`${where}, ${viewport.width} px`);
  }
}

describe("axe finds nothing", () => {
  beforeAll(() => {
    const at = join(walk.larder.root, "all");
    mkdirSync(join(at, "empty"), { recursive: true });
    writeFileSync(join(at, "a.svg"), SVG);
    writeFileSync(join(at, "a.wav"), silence());
    writeFileSync(join(at, "a.md"), "# Title\n\n- one\n- [x] two\n\n> said\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n`code` [link](https://example.org)\n\n```rust\nfn main() {}\n```\n");
    writeFileSync(join(at, "a.rs"), '// words\nfn main() {\n    println!("hello {}", 1);\n}\n');
    writeFileSync(join(at, "a.pdf"), "%PDF-1.4\n%%EOF\n");
    writeFileSync(join(at, "a.bin"), Buffer.from([0, 1, 2]));
    writeFileSync(join(at, "a.mp4"), "no film");
  });

  it("at the door", async () => {
    const page = await walk.open();
    await page.goto(`${walk.larder.url}/auth`);
    await page.getByLabel("User name").waitFor();
    await look("sign-in");
    await page.getByRole("button", { name: "Sign in" }).click();
    await look("sign-in with errors");
  });

  it("in a folder, whatever its state, and in its dialogs", async () => {
    const page = await walk.enter("/?path=all");
    await walk.entry("a.rs").click();
    await look("a list with a selection");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Show as a grid" }).click();
    await page.locator(".tile").first().waitFor();
    await look("a grid");
    await page.getByRole("button", { name: "Show as a list" }).click();
    const dialog = page.getByRole("dialog");
    const close = async () => {
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
    };
    for (const action of ["Details", "Move to…", "Delete"]) {
      await walk.pick("a.rs", action);
      await dialog.waitFor();
      await look(action);
      await close();
    }
    await page.keyboard.press("?");
    await dialog.waitFor();
    await look("the keys");
    await close();
    await page.keyboard.press("F2");
    await page.getByRole("textbox", { name: "Name" }).waitFor();
    await look("a rename");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "New", exact: true }).click();
    await page.getByRole("menuitem", { name: "New folder" }).click();
    await look("a new folder");
    await close();

    const file = { name: "a.rs", mimeType: "text/plain", buffer: Buffer.from("new") };
    await page.setInputFiles("input[data-pick=files]", [{ ...file, name: "b.rs" }, file]);
    await dialog.waitFor();
    await page.getByText("1 of 2 done · 1 waits for your answer").waitFor({ state: "attached" });
    await look("a collision over the tray");
    await close();

    await page.goto(`${walk.larder.url}/?path=all/empty`);
    await page.getByText("This folder is empty").waitFor();
    await look("an empty folder");
    await page.goto(`${walk.larder.url}/?path=nowhere`);
    await page.getByText("This folder does not exist").waitFor();
    await look("a missing folder");
    const answers = [
      [401, "not_permitted", "You may not see this folder"],
      [403, "denied_by_drive", "The permissions on the drive itself"],
      [503, "drive_absent", "The drive is not connected"],
      [503, "drive_busy", "The drive does not answer"],
      [421, "unknown_host", "larder does not answer to this address"],
      [500, "internal", "Something went wrong"],
    ] as const;
    for (const [status, code, words] of answers) {
      // The sentence says nothing: pages go by the code.
      await page.route("**/api/finder*", (route) => route.fulfill({ status, json: { error: "Some sentence", code } }));
      await page.reload();
      await page.getByText(words).first().waitFor();
      await look(words);
      await page.unroute("**/api/finder*");
    }
  });

  it("in the preview of each kind", async () => {
    const page = await walk.enter();
    for (const name of KINDS) {
      await page.goto(`${walk.larder.url}/preview?path=all/${name}`);
      const shown = page.locator("main [role=img], audio, article, .cm-content, iframe, main h2");
      await shown.first().waitFor();
      await look(`the preview of ${name}`);
    }
    await page.goto(`${walk.larder.url}/?path=all&file=a.svg`);
    await page.getByRole("img", { name: "a.svg" }).waitFor();
    await look("a preview over the folder");
  });

  it("in the trash, empty and full", async () => {
    const page = await walk.enter("/?view=trash");
    await page.getByText("The trash is empty").waitFor();
    await look("the empty trash");
    await walk.api("/api/delete_file", { path: "all/a.mp4" });
    await page.reload();
    await page.getByText("a.mp4").waitFor();
    await page.getByLabel("Select all").check();
    await look("the trash");
    await page.getByRole("button", { name: "Empty the trash" }).click();
    await page.getByRole("dialog").waitFor();
    await look("emptying the trash");
  });

  it("in the owner's views and their dialogs", async () => {
    const page = await walk.enter();
    const dialogs: Record<string, string[]> = {
      dashboard: ["Restart", "Shut down"],
      people: ["Add a person", "Add a role"],
      ftp: ["Add an FTP user"],
      profile: ["Make a new key", "Sign out everywhere"],
    };
    for (const view of VIEWS) {
      await page.goto(`${walk.larder.url}/?view=${view}`);
      await page.locator("main h1").waitFor();
      await page.waitForLoadState("networkidle").catch(() => undefined);
      await look(view);
      if (view === "people") await page.getByText("More about roles").click();
      if (view === "profile") await page.getByText("The key for everything").click();
      for (const name of dialogs[view] ?? []) {
        await page.getByRole("button", { name }).first().click();
        await page.getByRole("dialog").waitFor();
        await look(name);
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
      }
    }
    await page.setViewportSize(PHONE);
    await page.getByRole("button", { name: "Open the menu" }).click();
    await page.getByRole("dialog").waitFor();
    await look("the drawer");
  });

  it("while the server is away, and when the session is over", async () => {
    const page = await walk.enter("/?path=all");
    await walk.entry("a.rs").waitFor();
    await walk.larder.crash();
    await page.getByText("larder cannot be reached").first().waitFor();
    try {
      await look("a folder while the server is away");
    } finally {
      await walk.larder.startAgain();
    }
    await page.getByText("larder cannot be reached").first().waitFor({ state: "detached" });
    const token = await page.evaluate(() => {
      const kept = localStorage.getItem("larder.token") ?? "";
      localStorage.setItem("larder.token", "not a token");
      return kept;
    });
    // The page asks by itself, too: when it has heard of it before, its dialog is in the way of the click.
    const asked = walk.entry("empty").dblclick({ timeout: 2_000 });
    const dialog = page.getByRole("dialog", { name: "Your session is over" });
    await Promise.all([dialog.waitFor(), asked.catch(() => undefined)]);
    await look("signing in again");
    await page.evaluate((kept) => localStorage.setItem("larder.token", kept), token);
  });
}, 240_000);
