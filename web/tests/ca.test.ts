// The page that shows how a device is told to trust larder: without a script, in both languages, on every width.
import { describe, expect, it } from "vitest";
import { PHONE, Walk, WIDE } from "./harness.ts";

const walk = new Walk();
const DEVICES = 5;

describe("the page about trust", () => {
  it("is sound in both languages, small and large, in the light and in the dark", async () => {
    for (const locale of ["en-GB", "de-DE"]) {
      const page = await walk.open({ locale });
      await page.goto(`${walk.larder.url}/ca`);
      expect(await page.locator("html").getAttribute("lang")).toBe(locale.slice(0, 2));
      expect(await page.locator("details[open]").count()).toBe(1);
      const closed = page.locator("details:not([open]) summary");
      while ((await closed.count()) > 0) await closed.first().click();
      expect(await page.locator("details[open]").count()).toBe(DEVICES);
      for (const viewport of [PHONE, WIDE]) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          await walk.expectAccessible(`trust, ${locale}, ${viewport.width} px, ${colorScheme}`);
        }
        await walk.expectNoSidewaysScroll(`trust, ${locale}, ${viewport.width} px`);
      }
    }
  });

  it("needs no script, and is styled by what lies beside it", async () => {
    const page = await walk.open({ javaScriptEnabled: false });
    await page.goto(`${walk.larder.url}/ca`);
    const print = page.locator(".print");
    expect(await print.textContent()).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const download = page.waitForEvent("download");
    await page.locator("details[open] .button").click();
    expect((await download).suggestedFilename()).toBe("larder-ca.crt");
    const font = await print.evaluate((element) => getComputedStyle(element).fontFamily);
    expect(font).toContain("monospace");
  });
});
