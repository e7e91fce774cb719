// Adding a person by their name alone, and what that person meets: the code that signs them in, and their own folder.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PHONE_DEVICE, Walk } from "./harness.ts";

const walk = new Walk();
const SMALL = { ...PHONE_DEVICE, viewport: { width: 390, height: 844 } };
const inRoot = (...parts: string[]) => join(walk.larder.root, ...parts);

/** The address that the sheet hands over. */
async function address(): Promise<string> {
  return (await walk.page.getByRole("dialog").locator("code").first().innerText()).trim();
}

/** Opens an address that signs in, as larder wants it: one try a second. */
async function arrive(at: string) {
  const { page } = walk;
  await page.goto(at);
  await page.waitForURL((url) => url.pathname !== "/auth");
}

describe("a person who is added by their name", () => {
  let first = "";

  it("is there with a folder of their own, without a mouse", async () => {
    mkdirSync(inRoot("Ben"));
    writeFileSync(inRoot("Ben", "old.txt"), "of old");
    writeFileSync(inRoot("not yours.txt"), "secret");
    const page = await walk.enter("/?view=people");
    await walk.tabTo("Add a person");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await page.keyboard.type("Ben");
    await dialog.getByText("“Ben” is there already: it becomes theirs").waitFor();
    await dialog.getByLabel("Name", { exact: true }).fill("Anna");
    await dialog.getByText("“Anna” is made for them.").waitFor();
    expect(await dialog.getByLabel("Their own folder").inputValue()).toBe("Anna");
    await walk.expectAccessible("a new person by name");
    await page.keyboard.press("Enter");
    const handed = page.getByRole("dialog", { name: "Anna can sign in now" });
    await handed.getByRole("img", { name: /QR code/ }).waitFor();
    await walk.expectAccessible("a code to hand over");
    first = await address();
    expect(first).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/auth#code=[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}$/);
    expect(await handed.getByText(/Anna, this signs you in/).innerText()).toContain(first);
    expect(existsSync(inRoot("Anna"))).toBe(true);
    await walk.tabTo("Done");
    await page.keyboard.press("Enter");
    await page.getByText("no password yet").waitFor();
  });

  it("lands in it by the code's address, brings a file, and sees nothing else", async () => {
    const page = await walk.open(SMALL);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await arrive(first);
    const code = first.split("=")[1] ?? "";
    await page.getByRole("heading", { name: "Anna", exact: true }).waitFor();
    expect(asked.some((one) => one.includes(code)), "the code goes in a body alone").toBe(false);
    expect(new URL(page.url()).search).toBe("?path=Anna");
    await page.getByText("You have no password yet.").waitFor();
    await walk.expectNoSidewaysScroll("the first folder");
    await walk.expectTargets("the first folder");
    await walk.expectAccessible("the first folder");
    await page.locator("input[type=file]").first().setInputFiles({ name: "mine.txt", mimeType: "text/plain", buffer: Buffer.from("mine") });
    await walk.entry("mine.txt").waitFor();
    await expect.poll(() => existsSync(inRoot("Anna", "mine.txt")) && readFileSync(inRoot("Anna", "mine.txt"), "utf8")).toBe("mine");
    // There is no way up: not by the key, the address, or what is above.
    await page.keyboard.press("Backspace");
    await page.goto(`${walk.larder.url}/`);
    await walk.entry("mine.txt").waitFor();
    expect(new URL(page.url()).search).toBe("?path=Anna");
    expect(await page.getByRole("navigation", { name: "Folders above" }).or(page.locator("ol a")).count()).toBe(0);
    await page.goto(`${walk.larder.url}/?path=Ben`);
    await page.getByText("You may not see this folder").waitFor();
    await page.goBack();
    await walk.entry("mine.txt").waitFor();
    // A file, its page, and the way back.
    await page.goto(`${walk.larder.url}/preview?path=Anna/mine.txt`);
    await page.getByText("mine", { exact: true }).first().waitFor();
    await page.getByRole("link", { name: "Back to the folder" }).click();
    await walk.entry("mine.txt").waitFor();

    // A password of her own, without an older one.
    await page.getByRole("button", { name: "Choose a password" }).click();
    expect(await page.getByLabel("Current password").count()).toBe(0);
    await walk.expectAccessible("a first password");
    await page.getByLabel("New password", { exact: true }).fill("anna's own password");
    await page.getByLabel("New password again").fill("anna's own password");
    await page.getByRole("button", { name: "Choose a password" }).click();
    await page.getByLabel("Current password").waitFor();
    await page.reload();
    await page.getByLabel("Current password").waitFor();
    expect(await page.getByText("You have no password yet.").count()).toBe(0);
  });

  it("is told kindly that a code is used up, and signs in another way", async () => {
    const page = await walk.open({ locale: "de-DE", colorScheme: "dark" });
    await page.goto(first);
    await page.getByText("Dieser Anmeldecode gilt nicht mehr.").waitFor();
    expect(page.url()).toBe(`${walk.larder.url}/auth`);
    await walk.expectAccessible("a code that is used up");
    await page.getByRole("button", { name: "Ich habe einen Anmeldecode" }).click();
    await page.getByLabel("Anmeldecode", { exact: true }).fill("abcd efgh jkmn");
    await page.locator("button[type=submit]").click();
    await page.getByText("Dieser Anmeldecode gilt nicht mehr.").waitFor();
    await walk.expectAccessible("a code that is wrong");
    await page.getByRole("button", { name: "Mit Passwort anmelden" }).click();
    await walk.signIn({ name: "anna", password: "anna's own password" }, "/auth");
    await page.getByRole("heading", { name: "Anna", exact: true }).waitFor();
  });

  it("keeps its code where larder could not be asked, for another try", async () => {
    await walk.enter("/?view=people");
    const { address: at } = (await walk.api("/api/user/signin_code", { username: "anna" })) as { address: string };
    const page = await walk.open();
    const asked = "**/api/user/login";
    await page.route(asked, (route) => route.abort());
    await page.goto(at);
    await page.getByText("larder cannot be reached").first().waitFor();
    expect(await page.getByLabel("Sign-in code", { exact: true }).inputValue()).toBe(at.split("=")[1]);
    expect(page.url()).toBe(`${walk.larder.url}/auth`);
    await walk.expectAccessible("a code that waits");
    await page.unroute(asked);
    await expect.poll(() => page.locator("button[type=submit]").evaluate((one) => one === document.activeElement)).toBe(true);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Anna", exact: true }).waitFor();
  });

  it("can be tried again when the half is made", async () => {
    const page = await walk.enter("/?view=people");
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "Add a person" }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("Anna");
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await dialog.getByText("Anna signs in as “anna” already.").waitFor();
    await page.route("**/api/user/create", (route) => route.fulfill({ status: 507, json: { error: "Disk full", code: "disk_full" } }), { times: 1 });
    await dialog.getByLabel("Name", { exact: true }).fill("Cleo");
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await dialog.getByText(/Nobody was added: .*The folder “Cleo” is there/).waitFor();
    await walk.expectAccessible("a person who was not added");
    expect(existsSync(inRoot("Cleo"))).toBe(true);
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await page.getByRole("dialog", { name: "Cleo can sign in now" }).waitFor();
    const before = await address();
    await page.getByRole("button", { name: "New code" }).click();
    await expect.poll(address).not.toBe(before);
    await page.getByRole("button", { name: "Done" }).click();
    // Later another, for a second device.
    await page.getByRole("button", { name: "Actions for anna" }).click();
    await page.getByRole("menuitem", { name: "New sign-in code" }).click();
    await page.getByRole("dialog", { name: "Anna can sign in now" }).getByRole("img").waitFor();
  });
});

describe("the folder of somebody new", () => {
  it("is made with those above it, and is no file", async () => {
    mkdirSync(inRoot("Family"));
    writeFileSync(inRoot("Family", "notes"), "a file");
    const page = await walk.enter("/?view=people");
    await page.getByRole("button", { name: "Add a person" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Zoë");
    const folder = dialog.getByLabel("Their own folder");
    await folder.fill("Family/notes");
    await dialog.getByText("There is a file already.").waitFor();
    expect(await folder.getAttribute("aria-invalid")).toBe("true");
    await walk.expectAccessible("a folder that is a file");
    await folder.fill("Family/Kids/Zoë");
    await dialog.getByText("“Family/Kids/Zoë” is made for them.").waitFor();
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await page.getByRole("dialog", { name: "Zoë can sign in now" }).waitFor();
    expect(existsSync(inRoot("Family/Kids/Zoë"))).toBe(true);
  });

  it("is what the form with everything begins with", async () => {
    const page = await walk.enter("/?view=people");
    await page.getByRole("button", { name: "Add a person" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Paul");
    await dialog.getByRole("button", { name: "More…" }).click();
    for (const name of ["May look at", "May change"]) {
      const group = dialog.getByRole("group", { name });
      expect(await group.getByRole("checkbox", { name: "/Paul (will be made)" }).isChecked()).toBe(true);
      expect(await group.getByRole("checkbox", { name: "Files" }).isChecked()).toBe(false);
    }
    await walk.expectAccessible("somebody new with everything");
    await dialog.getByLabel("Password", { exact: true }).fill("paul's own password");
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await page.getByRole("dialog", { name: "API key of paul" }).waitFor();
    expect(existsSync(inRoot("Paul"))).toBe(true);
    const users = (await walk.api("/api/user/get_all")) as { username: string; paths: unknown; paths_write: unknown }[];
    const paul = users.find(({ username }) => username === "paul");
    expect(JSON.stringify([paul?.paths, paul?.paths_write])).not.toContain('""');
    expect(JSON.stringify(paul?.paths)).toContain("Paul");
  });
});

describe("who has several folders", () => {
  it("finds them side by side, wherever they lie", async () => {
    for (const folder of ["house/deep/photos", "music", "house/other"]) mkdirSync(inRoot(folder), { recursive: true });
    writeFileSync(inRoot("house/deep/photos", "sun.txt"), "sun");
    const page = await walk.enter("/?view=people");
    const paths = JSON.stringify(["house/deep/photos", "music"]);
    const made = { username: "dora", name: "Dora", role: "admin", paths, paths_write: paths, without_password: true };
    await walk.api("/api/user/create", made);
    const { address: at } = (await walk.api("/api/user/signin_code", { username: "dora" })) as { address: string };
    expect(page.url()).toContain("people");
    const theirs = await walk.open();
    await arrive(at);
    await walk.entry("house/deep/photos").waitFor();
    expect(await walk.names()).toEqual(["house/deep/photos", "music"]);
    await walk.entry("house/deep/photos").dblclick();
    await walk.entry("sun.txt").waitFor();
    expect(await theirs.locator("ol a").allInnerTexts()).toEqual(["Files"]);
    await theirs.reload();
    await walk.entry("sun.txt").waitFor();
    await theirs.keyboard.press("Backspace");
    await walk.entry("music").waitFor();
    expect(await theirs.locator("[data-at][aria-current], [data-at]:focus, [data-at].isCursor").first().innerText()).toContain("photos");
    await theirs.goBack();
    await walk.entry("sun.txt").waitFor();
    await theirs.goto(`${walk.larder.url}/?path=house`);
    await walk.entry("music").waitFor();
    expect(new URL(theirs.url()).search).toBe("");
  });

  it("lands on the page of a file that is all they may see", async () => {
    const page = await walk.enter("/?view=people");
    const only = { username: "emil", name: "Emil", role: "admin", paths: '["house/deep/photos/sun.txt"]', paths_write: "[]" };
    await walk.api("/api/user/create", { ...only, without_password: true });
    const { address: at } = (await walk.api("/api/user/signin_code", { username: "emil" })) as { address: string };
    expect(page.url()).toContain("people");
    const theirs = await walk.open();
    await arrive(at);
    await theirs.waitForURL("**/preview?path=house/deep/photos/sun.txt");
    await theirs.getByText("sun", { exact: true }).first().waitFor();
  });
});
