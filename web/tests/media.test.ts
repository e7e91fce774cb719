// Films and sound are really played, and sought by asking for ranges of bytes.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { film } from "./film.ts";
import { silence, Walk } from "./harness.ts";
import { canMakeMp4, mp4 } from "./mp4.ts";

const walk = new Walk();

/** Plays what is on show by the keyboard, then goes far ahead, and says which bytes were asked for. */
async function playAndSeek(page: Page, tag: "video" | "audio", to: number): Promise<number[]> {
  const starts: number[] = [];
  const statuses = new Set<number>();
  page.on("response", async (answer) => {
    if (!answer.url().includes("/api/download")) return;
    const range = (await answer.request().allHeaders())["range"];
    if (range) starts.push(Number(/bytes=(\d+)/.exec(range)?.[1]));
    if (range) statuses.add(answer.status());
  });
  const player = page.locator(tag);
  await player.waitFor();
  const read = () =>
    player.evaluate((one: HTMLMediaElement) => ({
      at: one.currentTime,
      end: one.seekable.length > 0 ? one.seekable.end(0) : 0,
      isPaused: one.paused,
      isSeeking: one.seeking,
      ready: one.readyState,
    }));
  await expect.poll(async () => (await read()).ready).toBeGreaterThanOrEqual(1);
  await player.focus();
  // Opened by a press it plays by itself.
  if ((await read()).isPaused) await page.keyboard.press("Space");
  await expect.poll(async () => (await read()).at).toBeGreaterThan(0.1);
  expect((await read()).isPaused).toBe(false);
  expect((await read()).end).toBeGreaterThan(to);
  await player.evaluate((one: HTMLMediaElement, at) => (one.currentTime = at), to);
  await expect.poll(async () => !(await read()).isSeeking && (await read()).at).toBeGreaterThan(to);
  await page.keyboard.press("Space");
  await expect.poll(async () => (await read()).isPaused).toBe(true);
  expect([...statuses]).toEqual([206]);
  return starts;
}

describe("the players", () => {
  it("play a film, and go to its end without loading what lies between", async () => {
    const page = await walk.enter();
    const at = join(walk.larder.root, "films");
    mkdirSync(at);
    writeFileSync(join(at, "holiday.webm"), await film(page, 60, 500_000));
    await page.goto(`${walk.larder.url}/?path=films`);
    await walk.entry("holiday.webm").dblclick();
    const starts = await playAndSeek(page, "video", 50);
    expect(Math.max(...starts)).toBeGreaterThan(20_000_000);
    expect(await page.locator("video").evaluate((one: HTMLVideoElement) => one.videoWidth)).toBe(160);
    await walk.expectAccessible("a film");
    // The other keys of the page are still the page's.
    await page.keyboard.press("Escape");
    await walk.entry("holiday.webm").waitFor();
  });

  it("play a film from a telephone, whose index is at its end", async (test) => {
    const page = await walk.enter();
    test.skip(!(await canMakeMp4(page)), "this browser is built without H.264");
    const at = join(walk.larder.root, "telephone");
    mkdirSync(at);
    const bytes = await mp4(page, 60, 500_000);
    writeFileSync(join(at, "birthday.mp4"), bytes);
    await page.goto(`${walk.larder.url}/?path=telephone`);
    await walk.entry("birthday.mp4").dblclick();
    const starts = await playAndSeek(page, "video", 50);
    // The index, and the place it named.
    expect(Math.max(...starts)).toBeGreaterThan(29_000_000);
    expect(starts.filter((start) => start > 20_000_000 && start < 26_000_000)).not.toEqual([]);
    const player = page.locator("video");
    expect(await player.evaluate((one: HTMLVideoElement) => [one.videoWidth, one.videoHeight, one.duration])).toEqual([160, 120, 60]);
  });

  it("play a sound, and go to its end", async () => {
    const at = join(walk.larder.root, "sounds");
    mkdirSync(at);
    writeFileSync(join(at, "long.wav"), silence(3600));
    const page = await walk.enter("/preview?path=sounds/long.wav");
    const starts = await playAndSeek(page, "audio", 3000);
    expect(Math.max(...starts)).toBeGreaterThan(8000 * 2900);
  });
});
