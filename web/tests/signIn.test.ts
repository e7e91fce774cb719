// Coming in and going out.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Walk } from "./harness.ts";
import { ADMIN } from "./larder.ts";

const walk = new Walk();

describe("signing in", () => {
  it("says beside the field what is wrong, counts down, and leads back", async () => {
    mkdirSync(join(walk.larder.root, "way back"), { recursive: true });
    const page = await walk.open();
    await page.goto(`${walk.larder.url}/?path=way%20back`);
    await page.waitForURL("**/auth?next=*");
    await walk.expectAccessible("sign-in");

    await page.getByRole("button", { name: "Sign in" }).click();
    const name = page.getByLabel("User name");
    expect(await name.getAttribute("aria-invalid")).toBe("true");
    expect(await page.getByText("Enter your user name.").isVisible()).toBe(true);
    expect(await page.getByText("Enter your password.").isVisible()).toBe(true);
    await walk.expectAccessible("sign-in with errors");

    await name.fill(ADMIN.name);
    const password = page.getByLabel("Password", { exact: true });
    await password.fill("wrong");
    await page.getByRole("button", { name: "Show password" }).click();
    expect(await password.getAttribute("type")).toBe("text");
    // One of these is refused for its password and the next for its haste.
    const statuses: number[] = [];
    page.on("response", (one) => {
      if (one.url().endsWith("/api/user/login")) statuses.push(one.status());
    });
    for (const expected of [401, 429]) {
      while (!statuses.includes(expected)) {
        const answer = page.waitForResponse((one) => one.url().endsWith("/api/user/login"));
        await page.locator("button[type=submit]:enabled").click();
        await answer;
      }
      const words = expected === 401 ? "The user name or the password" : "Try again in";
      await page.getByText(words).first().waitFor();
    }
    await walk.expectAccessible("sign-in that has to wait");

    await password.fill(ADMIN.password);
    await walk.submitSignIn();
    await page.waitForURL("**/?path=way%20back");
    await page.getByRole("heading", { name: "way back" }).waitFor();
  });

  it("never leads to a stranger", async () => {
    await walk.open();
    await walk.signIn(ADMIN, "/auth?next=//evil.example/");
    expect(walk.page.url()).toBe(`${walk.larder.url}/`);
  });

  it("is asked for again in place, when a session ends while the page is in use", async () => {
    mkdirSync(join(walk.larder.root, "kept place"), { recursive: true });
    const page = await walk.open();
    await walk.signIn(ADMIN, "/?path=kept%20place");
    await page.getByText("This folder is empty").waitFor();
    await page.getByRole("button", { name: "New", exact: true }).click();
    await page.getByRole("menuitem", { name: "New folder" }).click();
    await page.getByLabel("Name").fill("after all");
    await page.evaluate(() => localStorage.setItem("larder.token", "not a token"));
    await page.getByLabel("Name").press("Enter");
    // What was begun goes on after the password.
    await page.getByRole("dialog", { name: "Your session is over" }).waitFor();
    await walk.expectAccessible("signing in again");
    await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
    for (;;) {
      const answer = page.waitForResponse((one) => one.url().endsWith("/api/user/login"));
      await page.getByRole("dialog", { name: "Your session is over" }).locator("button[type=submit]:enabled").click();
      if ((await answer).status() !== 429) break;
    }
    await walk.entry("after all").waitFor();
    expect(new URL(page.url()).search).toBe("?path=kept%20place");
  });

  it("is asked for at the door where a session ended before", async () => {
    const page = await walk.open();
    await page.goto(`${walk.larder.url}/auth`);
    await page.evaluate(() => localStorage.setItem("larder.token", "not a token"));
    await page.goto(`${walk.larder.url}/?path=kept%20place`);
    await page.getByText("Your session is over.").waitFor();
    await walk.expectAccessible("sign-in after a session");
  });

  it("ends when one signs out, in every tab", async () => {
    const page = await walk.open();
    await walk.signIn();
    await page.getByRole("button", { name: "Upload" }).first().waitFor();
    const other = await walk.context.newPage();
    await other.goto(walk.larder.url);
    await other.getByRole("button", { name: "Upload" }).first().waitFor();
    await page.getByRole("link", { name: "Profile" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL("**/auth");
    await other.waitForURL("**/auth*");
    await page.goto(walk.larder.url);
    await page.waitForURL("**/auth");
  });
});
