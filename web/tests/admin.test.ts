// What the owner's views must not let happen: people who can do nothing, and work lost or refused unseen.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Walk } from "./harness.ts";

const walk = new Walk();
const TIM = { name: "tim", password: "tim's own password" };

async function fillPerson() {
  const { page } = walk;
  await page.getByRole("button", { name: "Add a person" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a person" });
  await dialog.getByRole("button", { name: "More…" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("Tim");
  await dialog.getByLabel("User name").fill(TIM.name);
  await dialog.getByLabel("Password", { exact: true }).fill(TIM.password);
  return dialog;
}

describe("a person added as the form proposes it", () => {
  it("is not made when the role cannot be made", async () => {
    const page = await walk.enter("/?view=people");
    await page.route("**/api/role/edit", (route) => route.fulfill({ status: 507, json: { error: "Disk full" } }));
    const dialog = await fillPerson();
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await dialog.getByText(/The role could not be made, so nobody was added/).waitFor();
    await walk.expectAccessible("a role that could not be made");
    await expect.poll(() => dialog.getByLabel("Role").evaluate((one) => one === document.activeElement), { timeout: 5000 }).toBe(true);
    const names = ((await walk.api("/api/user/get_all")) as { username: string }[]).map((one) => one.username);
    expect(names).not.toContain(TIM.name);
  });

  it("may do everything with files, and sees nothing of the box", async () => {
    const page = await walk.enter("/?view=people");
    const dialog = await fillPerson();
    // The form says what is wrong at the first field of it, and shows the password to who asks.
    await dialog.getByLabel("Name", { exact: true }).fill("");
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await dialog.getByText("Please fill this in.").waitFor();
    await expect.poll(() => dialog.getByLabel("Name", { exact: true }).evaluate((one) => one === document.activeElement), { timeout: 5000 }).toBe(true);
    await dialog.getByLabel("Name", { exact: true }).fill("Tim");
    await dialog.getByRole("button", { name: "Show password" }).click();
    expect(await dialog.getByLabel("Password", { exact: true }).getAttribute("type")).toBe("text");
    // Nothing is given that nobody chose.
    for (const name of ["May look at", "May change"]) {
      const group = dialog.getByRole("group", { name });
      await group.getByText("Nothing", { exact: true }).waitFor();
      await group.getByRole("checkbox", { name: "Files" }).check();
    }
    expect(await dialog.getByLabel("Role").locator("option:checked").innerText()).toBe("Family");
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await page.getByRole("dialog", { name: "API key of tim" }).getByRole("button", { name: "Done" }).click();
    await page.getByText("More about roles").click();
    await page.getByRole("checkbox", { name: "Upload: Family" }).and(page.locator(":checked")).waitFor();
    expect(await page.getByRole("checkbox", { name: "Run any command on the box: Family" }).isChecked()).toBe(false);

    writeFileSync(join(walk.larder.root, "old.txt"), "old");
    const theirs = await walk.open();
    await walk.signIn(TIM);
    await walk.entry("old.txt").waitFor();
    await theirs.getByRole("button", { name: "New", exact: true }).click();
    await theirs.getByRole("menuitem", { name: "New folder" }).click();
    await theirs.getByRole("dialog").getByRole("textbox").fill("Tim's");
    await theirs.keyboard.press("Enter");
    await walk.entry("Tim's").waitFor();
    const views = theirs.getByRole("navigation", { name: "Views" }).getByRole("link");
    expect((await views.allInnerTexts()).join(" ")).not.toMatch(/People|Settings|Terminal|FTP|Log|Update|Cloud|Dashboard/);
  });
});

describe("changes that are not saved", () => {
  it("are asked about before another view takes their place: settings", async () => {
    const page = await walk.enter("/?view=settings");
    await page.getByLabel("Days in the log").fill("61");
    const trash = page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Trash" });
    const question = page.getByRole("dialog", { name: "Leave without saving?" });
    await trash.click();
    await question.waitFor();
    await walk.expectAccessible("leaving settings");
    await question.getByRole("button", { name: "Stay" }).click();
    expect(await page.getByLabel("Days in the log").inputValue()).toBe("61");
    expect(new URL(page.url()).search).toBe("?view=settings");
    // The browser asks before it closes or reloads the page.
    const asked = page.waitForEvent("dialog");
    await page.evaluate(() => setTimeout(() => location.reload()));
    const dialog = await asked;
    expect(dialog.type()).toBe("beforeunload");
    await dialog.dismiss();
    await trash.click();
    await question.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("heading", { name: "Trash", level: 1 }).waitFor();
    await page.goBack();
    expect(await page.getByLabel("Days in the log").inputValue()).not.toBe("61");
    // Nothing is asked where nothing is lost.
    await trash.click();
    await page.getByRole("heading", { name: "Trash", level: 1 }).waitFor();
  });

  it("are asked about before the way back is gone: roles", async () => {
    const page = await walk.enter("/?view=trash");
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "People" }).click();
    await page.getByText("More about roles").click();
    const box = page.getByRole("checkbox", { name: "Upload: Admin" });
    await box.uncheck();
    await page.goBack();
    const question = page.getByRole("dialog", { name: "Leave without saving?" });
    await question.getByRole("button", { name: "Stay" }).click();
    expect(await box.isChecked()).toBe(false);
    await page.goBack();
    await question.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("heading", { name: "Trash", level: 1 }).waitFor();
    expect(new URL(page.url()).search).toBe("?view=trash");
  });
});

describe("the address of FTP", () => {
  it("is the one in force, whatever the settings say", async () => {
    const page = await walk.enter("/?view=ftp");
    await page.getByRole("switch").click();
    await page.getByText(/^ftp:\/\//).waitFor();
    await page.reload();
    const shown = await page.getByText(/^ftp:\/\//).innerText();
    const { ftp_port: port } = (await walk.api("/api/resources")) as { ftp_port: number };
    const { ftp_port: stored } = (await walk.api("/api/get_settings")) as { ftp_port: number };
    expect(port).not.toBe(stored);
    expect(shown).toBe(`ftp://127.0.0.1:${port}`);
    await page.getByRole("switch").click();
    await page.getByText("FTP is off.").waitFor();
  });
});

describe("the trash", () => {
  const MIA = { name: "mia", password: "mia's own password" };

  it("says how long things stay, and of what kind they are", async () => {
    const page = await walk.enter();
    for (const name of ["old photo.jpg", "song.mp3"]) {
      writeFileSync(join(walk.larder.root, name), name);
      await walk.api("/api/delete_file", { path: name });
    }
    await page.goto(`${walk.larder.url}/?view=trash`);
    await page.getByText(/waits here for 30 days/).waitFor();
    const photo = page.getByRole("listitem").filter({ hasText: "old photo.jpg" });
    await photo.getByText(/30 days left/).waitFor();
    await photo.locator(".mark.image").waitFor();
    await page.getByRole("listitem").filter({ hasText: "song.mp3" }).locator(".mark.audio").waitFor();
    await walk.expectAccessible("the trash");
  });

  it("offers the way back only for what one may change", async () => {
    const page = await walk.enter();
    mkdirSync(join(walk.larder.root, "mia"));
    for (const path of ["mia/hers.txt", "not hers.txt"]) {
      writeFileSync(join(walk.larder.root, path), path);
      await walk.api("/api/delete_file", { path });
    }
    const roles = (await walk.api("/api/role/get")) as Record<string, string[]>;
    for (const path of ["/api/finder", "/api/trash", "/api/trash/restore", "/api/trash/empty"]) roles[path]?.push("keeper");
    await walk.api("/api/role/edit", roles);
    const person = { username: MIA.name, name: "Mia", password: MIA.password, role: "keeper", paths: '[""]' };
    await walk.api("/api/user/create", { ...person, paths_write: '["mia"]' });
    await page.close();

    const hers = await walk.open();
    await walk.signIn(MIA, "/?view=trash");
    const row = (name: string) => hers.getByRole("listitem").filter({ hasText: name });
    await row("not hers.txt").waitFor();
    expect(await row("not hers.txt").getByRole("checkbox").isDisabled()).toBe(true);
    expect(await row("not hers.txt").getByRole("button").count()).toBe(0);
    // Nobody tells her how long; what is hers she chooses with all the rest left alone.
    await hers.getByText(/for a while/).waitFor();
    await hers.getByRole("checkbox", { name: "Select all" }).check();
    await hers.getByText("1 selected").waitFor();
    await walk.expectAccessible("the trash of somebody who may change some of it");
    await row("From /mia").getByRole("button").click();
    await row("From /mia").waitFor({ state: "detached" });
    await hers.getByText("Only those who may change a folder").waitFor();
    expect(await hers.getByRole("button", { name: "Empty the trash" }).count()).toBe(0);
  });
});
