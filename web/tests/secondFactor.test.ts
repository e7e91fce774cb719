// A second factor that the owner demands of a role: whoever has none is led to setting it up, and to nothing else.
import { describe, expect, it } from "vitest";
import { DESK, PHONE_DEVICE, Walk } from "./harness.ts";
import { codeOf } from "./secondCode.ts";

const walk = new Walk();
const PASSWORD = "yet another long password";
const EN = {
  files: "Files",
  menu: "Open the menu",
  needed: "Your role needs a second factor.",
  views: "Views",
  profile: "Profile",
  signOut: "Sign out",
  start: "Turn on",
  startTitle: "Turn on the second factor",
  current: "Current password",
  next: "Next",
  first: "Code from the app",
  keep: "Keep your recovery codes",
  kept: "I have kept them",
  stop: "Turn off",
  keys: "Keys for apps and devices",
};
const DE: typeof EN = {
  files: "Dateien",
  menu: "Menü öffnen",
  needed: "Deine Rolle braucht einen zweiten Faktor.",
  views: "Ansichten",
  profile: "Profil",
  signOut: "Abmelden",
  start: "Einschalten",
  startTitle: "Zweiten Faktor einschalten",
  current: "Aktuelles Passwort",
  next: "Weiter",
  first: "Code aus der App",
  keep: "Bewahre deine Wiederherstellungscodes auf",
  kept: "Ich habe sie aufbewahrt",
  stop: "Ausschalten",
  keys: "Schlüssel für Apps und Geräte",
};

/** Somebody of a role that everything of files is open to. */
async function addPerson(username: string): Promise<void> {
  const roles = (await walk.api("/api/role/get")) as Record<string, string[]>;
  for (const path of ["/api/finder", "/api/trash"]) if (!roles[path]?.includes("family")) roles[path]?.push("family");
  await walk.api("/api/role/edit", roles);
  await walk.api("/api/user/create", { username, name: username, password: PASSWORD, role: "family", paths: '[""]', paths_write: '[""]' });
}

describe("a role of which a second factor is demanded", () => {
  it("is named by the owner in the settings", async () => {
    const page = await walk.enter("/?view=settings");
    await addPerson("first");
    await page.getByLabel("Roles with a second factor").fill("family");
    await page.getByRole("button", { name: "Save" }).click();
    await expect.poll(() => walk.api("/api/get_settings")).toMatchObject({ totp_roles: ["family"] });
    // The owner's own role is another one.
    await page.goto(`${walk.larder.url}/`);
    await page.getByRole("heading", { name: "Files", level: 1 }).waitFor();
  });

  it.each([
    { locale: "en-GB", device: "phone" },
    { locale: "en-GB", device: "desk" },
    { locale: "de-DE", device: "phone" },
    { locale: "de-DE", device: "desk" },
  ])("is led to setting it up, and goes on ($locale, $device)", async ({ locale, device }) => {
    const words = locale === "en-GB" ? EN : DE;
    const isPhone = device === "phone";
    const username = `${locale}-${device}`;
    await walk.enter();
    await addPerson(username);
    const page = await walk.open({ locale, ...(isPhone ? PHONE_DEVICE : { viewport: DESK }) });
    const views = async () => {
      if (isPhone) await page.getByRole("button", { name: words.menu }).click();
      const all = await page.getByRole("navigation", { name: words.views }).getByRole("link").filter({ visible: true }).allInnerTexts();
      if (isPhone) await page.keyboard.press("Escape");
      return all.map((one) => one.split("\n").at(-1));
    };
    await walk.signIn({ name: username, password: PASSWORD });
    await page.waitForURL("**/?view=profile");
    await page.getByText(words.needed).waitFor();
    const refused: string[] = [];
    page.on("response", (answer) => {
      const { pathname } = new URL(answer.url());
      // What one's role allows is asked beside who one is.
      if (answer.status() === 403 && pathname !== "/api/role/self") refused.push(pathname);
    });

    // Nothing else: no view, no card, no button but the way out.
    expect(await views()).toEqual(["larder", words.profile]);
    expect(await page.getByRole("main").getByRole("button").allInnerTexts()).toEqual([words.signOut, words.start]);
    expect(await page.getByRole("main").getByRole("heading").count()).toBe(2);
    await page.goto(`${walk.larder.url}/?view=trash`);
    await page.getByText(words.needed).waitFor();
    expect(await page.getByRole("alert").filter({ hasText: /./ }).count()).toBe(0);
    expect(refused).toEqual([]);
    await walk.expectAccessible(`a second factor is needed, ${username}`);
    await walk.expectNoSidewaysScroll(`a second factor is needed, ${username}`);
    await walk.expectTargets(`a second factor is needed, ${username}`);

    await page.getByRole("button", { name: words.start }).click();
    const setUp = page.getByRole("dialog", { name: words.startTitle });
    await setUp.getByLabel(words.current).fill(PASSWORD);
    await setUp.getByRole("button", { name: words.next }).click();
    const secret = (await setUp.locator("code").innerText()).trim();
    await setUp.getByLabel(words.first).fill(codeOf(secret));
    await page.keyboard.press("Enter");
    // They stay until one has them, though everything else is open by now.
    const codes = page.getByRole("dialog", { name: words.keep });
    await page.getByRole("group", { name: words.keys, exact: true }).waitFor({ state: "attached" });
    await walk.expectAccessible(`the recovery codes, ${username}`);
    expect(await codes.getByRole("listitem").count()).toBe(10);
    await codes.getByRole("button", { name: words.kept }).click();

    await page.getByRole("button", { name: words.stop }).waitFor();
    expect(await views()).toContain(words.files);
    await page.goto(`${walk.larder.url}/`);
    await page.getByRole("heading", { name: words.files, level: 1 }).waitFor();
    expect(refused).toEqual([]);
  });

  it("is led there from the middle of something as well", async () => {
    await walk.enter();
    await walk.api("/api/update_settings", { totp_roles: [] });
    await addPerson("middle");
    const owner = walk.context;
    const ownersPage = walk.page;
    walk.context = await walk.browser.newContext({ locale: "en-GB", serviceWorkers: "block" });
    const page = await walk.newPage();
    await walk.signIn({ name: "middle", password: PASSWORD });
    await page.getByRole("heading", { name: "Files", level: 1 }).waitFor();
    const theirs = walk.page;
    walk.page = ownersPage;
    await walk.api("/api/update_settings", { totp_roles: ["family"] });
    walk.page = theirs;
    await page.getByRole("link", { name: "Trash" }).click();
    await page.waitForURL("**/?view=profile");
    await page.getByText(EN.needed).waitFor();
    await owner.close();
  });
});
