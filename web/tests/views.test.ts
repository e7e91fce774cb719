// The owner's views and one's own profile.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Walk } from "./harness.ts";

const walk = new Walk();

describe("the owner's views", () => {
  it("show how the box is doing", async () => {
    const page = await walk.enter("/?view=dashboard");
    await page.getByRole("heading", { name: "Processor" }).waitFor();
    await page.getByText(/^\d+%$/).first().waitFor();
    expect(await page.locator("canvas").count()).toBeGreaterThanOrEqual(3);
    await walk.expectAccessible("the dashboard");
    await page.getByRole("button", { name: "Shut down" }).click();
    await page.getByRole("dialog", { name: "Shut the box down?" }).waitFor();
    await walk.expectAccessible("before shutting down");
    await page.keyboard.press("Escape");
  });

  it("make a person with one readable folder, who signs in and sees just that", async () => {
    mkdirSync(join(walk.larder.root, "shared"), { recursive: true });
    mkdirSync(join(walk.larder.root, "private"), { recursive: true });
    const page = await walk.enter("/?view=people");
    await page.getByRole("heading", { name: /^Admin/ }).first().waitFor();
    await walk.expectAccessible("people");

    await page.getByText("More about roles").click();
    await walk.expectAccessible("people and roles");
    await page.getByRole("button", { name: "Add a role" }).click();
    await page.getByLabel("Name of the role").fill("guest");
    await page.getByRole("radio", { name: "Looking" }).check();
    await page.getByRole("dialog").getByRole("button", { name: "Add a role" }).click();
    await page.getByRole("checkbox", { name: "Upload: guest" }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.", { exact: true }).waitFor();

    await page.getByRole("button", { name: "Add a person" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a person" });
    await dialog.getByRole("button", { name: "More…" }).click();
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await dialog.getByText("Please fill this in.").first().waitFor();
    await walk.expectAccessible("a new person");
    await dialog.getByLabel("Name", { exact: true }).fill("Guest");
    await dialog.getByLabel("User name").fill("guest");
    await dialog.getByLabel("Password", { exact: true }).fill("a guest's password");
    await dialog.getByLabel("Role").selectOption("guest");
    const reads = dialog.getByRole("group", { name: "May look at" });
    await reads.getByRole("checkbox", { name: "Files" }).uncheck();
    await reads.getByRole("checkbox", { name: "shared" }).check();
    await dialog.getByRole("button", { name: "Add a person" }).click();
    await page.getByRole("dialog", { name: "API key of guest" }).waitFor();
    await walk.expectAccessible("a new key");
    await page.getByRole("button", { name: "Copy: Key" }).click();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("/shared").waitFor();

    await walk.open();
    await walk.signIn({ name: "guest", password: "a guest's password" });
    // Who has one folder lands in it.
    await walk.page.getByRole("heading", { name: "shared" }).waitFor();
    const views = walk.page.getByRole("navigation", { name: "Views" }).getByRole("link");
    expect((await views.allInnerTexts()).join(" ")).not.toMatch(/People|Settings|Terminal/);
    // A password of one's own.
    await walk.page.goto(`${walk.larder.url}/?view=profile`);
    await walk.page.getByLabel("Current password").fill("a guest's password");
    await walk.page.getByLabel("New password", { exact: true }).fill("a guest's new password");
    await walk.page.getByLabel("New password again").fill("something else");
    await walk.page.getByRole("button", { name: "Change the password" }).click();
    await walk.page.getByText("The passwords do not match.").waitFor();
    await walk.page.getByLabel("New password again").fill("a guest's new password");
    await expect
      .poll(
        async () => {
          const button = walk.page.getByRole("button", { name: "Change the password" });
          if (await button.isEnabled()) await button.click();
          return walk.page.getByText("The password is changed.").count();
        },
        { timeout: 15_000, interval: 1200 },
      )
      .toBeGreaterThan(0);
    await walk.expectAccessible("the profile");

    const owner = await walk.enter("/?view=people");
    await owner.getByRole("button", { name: "Actions for guest" }).click();
    await owner.getByRole("menuitem", { name: "Delete" }).click();
    await owner.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await owner.getByText("guest was deleted.").waitFor();
  });

  it("turn FTP on and make a user for it", async () => {
    mkdirSync(join(walk.larder.root, "scans"), { recursive: true });
    const page = await walk.enter("/?view=ftp");
    await page.getByText("FTP has users of its own").waitFor();
    await walk.expectAccessible("FTP");
    await page.getByRole("button", { name: "Add an FTP user" }).click();
    const dialog = page.getByRole("dialog", { name: "Add an FTP user" });
    await dialog.getByLabel("User name").fill("scanner");
    await dialog.getByLabel("Password", { exact: true }).fill("a scanner's password");
    await dialog.getByRole("radio", { name: "scans" }).check();
    await dialog.getByRole("checkbox", { name: "Upload" }).check();
    await walk.expectAccessible("an FTP user");
    await dialog.getByRole("button", { name: "Add an FTP user" }).click();
    await page.getByText("Home folder /scans").waitFor();
    await page.getByRole("switch").click();
    await page.getByText("FTP is on.").waitFor();
    await page.getByText(/ftp:\/\/127\.0\.0\.1:\d+/).waitFor();
    await page.getByRole("switch").click();
    await page.getByText("FTP is off.").waitFor();
  });

  it("change settings, and say beside the field what is wrong", async () => {
    const page = await walk.enter("/?view=settings");
    await page.getByLabel("Days in the log").waitFor();
    await walk.expectAccessible("settings");
    await page.getByLabel("Days in the log").fill("many");
    await page.getByLabel("FTP time limit").fill("0");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("A whole number from 1 to 86400, please.").waitFor();
    // All that is wrong shows at once, and the focus is on the first of it.
    await expect.poll(() => page.getByLabel("FTP time limit").evaluate((one) => one === document.activeElement), { timeout: 5000 }).toBe(true);
    await page.getByLabel("Days in the log").and(page.locator("[aria-invalid=true]")).waitFor();
    await walk.expectAccessible("a setting refused");
    await page.getByRole("button", { name: "Discard" }).click();
    // What only the server can know is said in the reader's words.
    await page.getByLabel("Shared folder").fill("/nowhere/at all");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("There is no such folder.").waitFor();
    await expect.poll(() => page.getByLabel("Shared folder").evaluate((one) => one === document.activeElement), { timeout: 5000 }).toBe(true);
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByLabel("Days in the log").fill("60");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.", { exact: true }).waitFor();
    await page.reload();
    expect(await page.getByLabel("Days in the log").inputValue()).toBe("60");
  });

  it("show what was set at the start as it is in force, and that it is not theirs to change", async () => {
    const page = await walk.enter("/?view=settings");
    const port = page.getByLabel("Port", { exact: true });
    await port.waitFor();
    // The tests start larder with options for these.
    expect(await port.inputValue()).toBe(new URL(walk.larder.url).port);
    expect(await port.evaluate((field: HTMLInputElement) => field.readOnly)).toBe(true);
    expect(await page.getByLabel("Address", { exact: true }).inputValue()).toBe("127.0.0.1");
    const said = page.locator(".setting", { has: port }).getByText("Set when larder was started");
    expect(await said.innerText()).toContain("Saved here and not in force: 6969");
    // What nothing covers stays theirs.
    expect(await page.getByLabel("Days in the trash").evaluate((field: HTMLInputElement) => field.readOnly)).toBe(false);
    await walk.expectAccessible("settings that are held");
  });

  it("begin their charts with the last ten minutes", async () => {
    const page = await walk.enter();
    const now = Math.floor(Date.now() / 1000);
    await page.route("**/api/resources?history=1", async (route) => {
      const response = await route.fetch();
      const told = (await response.json()) as { history: Record<string, number>[] };
      // As larder tells it, of a box that has run for a while.
      expect(Array.isArray(told.history)).toBe(true);
      const one = told.history[0] ?? { memory: 50, disk: 50 };
      told.history = Array.from({ length: 30 }, (_, at) => ({ ...one, t: now - (29 - at) * 20, cpu: 50 }));
      await route.fulfill({ response, json: told });
    });
    await page.getByRole("link", { name: "Dashboard" }).click();
    const chart = page.locator("canvas").first();
    await chart.waitFor();
    // The line reaches back: something of the accent's colour is drawn near the left edge of the plot.
    await expect.poll(() => chart.evaluate((canvas: HTMLCanvasElement) => {
      const { data, width, height } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? new ImageData(1, 1);
      for (let y = 0; y < height; y += 1) {
        for (let x = Math.round(width * 0.25); x < width * 0.4; x += 1) {
          const at = (y * width + x) * 4;
          const [red = 0, green = 0, blue = 0, alpha = 0] = data.slice(at, at + 4);
          if (alpha > 200 && Math.abs(red - 154) < 40 && Math.abs(green - 74) < 40 && Math.abs(blue - 34) < 40) return true;
        }
      }
      return false;
    })).toBe(true);
  });

  it("follow the log and narrow it down", async () => {
    const page = await walk.enter("/?view=logs");
    await page.locator("tbody tr").first().waitFor();
    await walk.expectAccessible("the log");
    await page.getByLabel("Filter").fill("nothing says this");
    await page.getByText("Nothing matches.").waitFor();
  });

  it("run a command", async () => {
    const page = await walk.enter("/?view=terminal");
    const line = page.getByLabel("Command");
    await line.fill("echo hel''lo; touch made-here");
    await line.press("Enter");
    await page.getByText("hello", { exact: true }).waitFor();
    expect(existsSync(join(walk.larder.root, "made-here"))).toBe(true);
    await line.fill("false");
    await line.press("Enter");
    await page.getByText("Ended with code 1").waitFor();
    await line.press("ArrowUp");
    expect(await line.inputValue()).toBe("false");
    await walk.expectAccessible("the terminal");
  });

  it("tell the version and the cloud's state", async () => {
    const page = await walk.enter("/?view=update");
    await page.getByText(/^\d+\.\d+\.\d+$/).waitFor();
    // Without an address there is one thing to say, and nothing to press.
    await page.getByText("No address is set.").waitFor();
    expect(await page.getByRole("button", { name: /^(Update|Look again)/ }).count()).toBe(0);
    expect(await page.getByText("Available").count()).toBe(0);
    await walk.expectAccessible("update");
    await page.goto(`${walk.larder.url}/?view=cloud`);
    await page.getByText("It can be turned on once the settings name the bridge.").waitFor();
    expect(await page.getByRole("switch").isDisabled()).toBe(true);
    await walk.expectAccessible("the cloud");
    await page.getByLabel("E-mail").fill("ana@example.org");
    await page.getByRole("button", { name: "Sign up" }).click();
    await page.getByText("Please fill in all three.").waitFor();
  });
});
