// Takes the README's pictures: a family's files as they look on a desk and on a phone.
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "vitest";
import { asCamera } from "./camera.ts";
import { DESK, PHONE, Walk } from "./harness.ts";
import { scene } from "./scene.ts";

/** Where the pictures go. */
const FOLDER = join(import.meta.dirname, "../../docs/screenshots");
/** Milliseconds for pictures to load and motion to end before one is taken. */
const SETTLE_MS = 1_500;
/** How good a WebP is. */
const WEBP_QUALITY = 0.82;
/** Milliseconds in which the dashboard gathers something to draw. */
const WATCH_MS = 25_000;

/** The pictures of a summer by their numbers, and the day each was taken: as they stand on the wall. */
const SUMMER: readonly (readonly [number, string])[] = [
  [35, "2026-08-30"], [26, "2026-08-29"], [20, "2026-08-28"], [5, "2026-08-27"], [14, "2026-08-26"],
  [12, "2026-08-24"], [13, "2026-08-23"], [21, "2026-08-22"], [17, "2026-08-21"], [16, "2026-08-20"],
  [9, "2026-08-18"], [31, "2026-08-17"], [7, "2026-08-16"], [25, "2026-08-14"], [8, "2026-08-13"],
  [4, "2026-07-30"], [10, "2026-07-29"], [15, "2026-07-24"], [36, "2026-07-21"], [19, "2026-07-20"],
];

const walk = new Walk();

/** What lies in a family's folder: bytes (none for a folder) and when it was changed last. */
const THINGS: readonly (readonly [string, number | undefined, string])[] = [
  ["Budget 2026.ods", 48_200, "2026-08-29T19:42"],
  ["Holiday film.mp4", 84_000_000, "2026-08-16T21:05"],
  ["Letter to the landlord.pdf", 183_000, "2026-06-03T08:17"],
  ["Recipes.md", 2_140, "2026-07-19T12:30"],
  ["Song 2.mp3", 4_100_000, "2025-12-24T18:00"],
  ["Song 10.mp3", 5_300_000, "2025-12-24T18:04"],
  ["Documents", undefined, "2026-08-27T17:11"],
  ["Films", undefined, "2026-08-16T21:09"],
  ["Music", undefined, "2025-12-24T18:04"],
  ["Photos", undefined, "2026-08-30T20:26"],
];

async function furnish(root: string): Promise<void> {
  for (const [name, size, changed] of THINGS) {
    const at = join(root, name);
    await (size === undefined ? mkdir(at, { recursive: true }) : writeFile(at, Buffer.alloc(size)));
    await utimes(at, new Date(changed), new Date(changed));
  }
}

async function takePhotos(root: string): Promise<void> {
  await mkdir(join(root, "Photos/Summer"), { recursive: true });
  for (const [at, [number, day]] of SUMMER.entries()) {
    const [picture, small] = [await scene(walk.page, 800, 600, number), await scene(walk.page, 160, 120, number)];
    const file = asCamera(picture, small, `${day}T15:${10 + at}:00`, 0);
    await writeFile(join(root, "Photos/Summer", `IMG_${4200 + at}.JPG`), file);
  }
}

async function take(name: string): Promise<void> {
  await walk.page.waitForTimeout(SETTLE_MS);
  await walk.page.screenshot({ path: join(FOLDER, `${name}.png`) });
}

/** As WebP: pictures of photos would be heavy otherwise. */
async function takeLight(name: string): Promise<void> {
  await walk.page.waitForTimeout(SETTLE_MS);
  const png = (await walk.page.screenshot()).toString("base64");
  const blank = await walk.newPage();
  const webp = await blank.evaluate(async ([source, quality]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${source}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d")?.drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", quality).replace(/^.*,/, "");
  }, [png, WEBP_QUALITY] as const);
  await blank.close();
  await writeFile(join(FOLDER, `${name}.webp`), Buffer.from(webp, "base64"));
}

test("takes the README's picture of photos", async () => {
  await mkdir(FOLDER, { recursive: true });
  const page = await walk.enter("/", undefined, { viewport: DESK });
  await takePhotos(walk.larder.root);
  await page.goto(`${walk.larder.url}/?view=photos`);
  await page.getByText(`${SUMMER.length} photos`).waitFor({ timeout: 60_000 });
  // Each as sharp as it gets.
  await page.waitForFunction(() => {
    const all = [...document.querySelectorAll<HTMLImageElement>("[data-photo] img")];
    return all.length >= 15 && all.every((image) => image.naturalWidth > 160);
  });
  await takeLight("photos");
});

test("takes the README's pictures of files", async () => {
  let page = await walk.enter("/", undefined, { viewport: DESK });
  await furnish(walk.larder.root);
  await page.getByText("Recipes.md").waitFor();
  await take("files");
  page = await walk.enter("/", undefined, { viewport: PHONE, colorScheme: "dark", hasTouch: true });
  await page.getByText("Recipes.md").waitFor();
  await take("phone");
});

test("takes the README's picture of the dashboard", async () => {
  const page = await walk.enter("/", undefined, { viewport: DESK });
  await page.getByRole("link", { name: "Dashboard" }).click();
  await page.waitForTimeout(WATCH_MS);
  await take("dashboard");
});
