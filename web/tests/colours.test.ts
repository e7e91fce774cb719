// Pictures of all makes: upright and in their own colours in the grid, in Photos and in the viewer. What the browser
// shows of the file itself is what they are held against.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { exifPart, tiff } from "./exif.ts";
import { flatJpeg } from "./flatJpeg.ts";
import { flatPng } from "./flatPng.ts";
import { Walk, WIDE } from "./harness.ts";
import { adobeRgb, withProfile } from "./profile.ts";

const walk = new Walk();

/** How far a colour may be off, of 255: the small pictures are JPEGs. */
const OFF_MAX = 14;
/** Red, green and blue of four quarters, none of them like another and none of them at an end. */
const QUARTERS = [[200, 40, 40], [40, 180, 60], [40, 60, 200], [220, 200, 60]];
const GREYS = [[30], [100], [160], [220]];
const INKS = [[230, 60, 60, 220], [60, 220, 80, 230], [60, 80, 230, 220], [240, 230, 80, 240]];

/** Four quarters from the browser's own encoders. */
async function drawn(type: string, colorSpace: "srgb" | "display-p3", hasAlpha = false): Promise<Buffer> {
  const text = await walk.page.evaluate(
    async ([mime, space, isClear, colours]) => {
      const canvas = new OffscreenCanvas(200, 120);
      const pen = canvas.getContext("2d", { colorSpace: space });
      if (!pen) throw new Error("no canvas");
      colours.forEach(([red = 0, green = 0, blue = 0], at) => {
        const alpha = isClear && at === 3 ? 0.5 : 1;
        pen.fillStyle = `color(${space} ${red / 255} ${green / 255} ${blue / 255} / ${alpha})`;
        pen.fillRect((at % 2) * 100, Math.floor(at / 2) * 60, 100, 60);
      });
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: mime, quality: 0.95 })).arrayBuffer());
      return btoa(String.fromCharCode(...bytes));
    },
    [type, colorSpace, hasAlpha, QUARTERS] as const,
  );
  return Buffer.from(text, "base64");
}

/** The same picture, held otherwise by the camera. */
function lying(jpeg: Buffer, orientation: number): Buffer {
  const part = exifPart(tiff([[0x0112, 3, [orientation]]], [], [], true));
  return Buffer.concat([jpeg.subarray(0, 2), part, jpeg.subarray(2)]);
}

const names: string[] = [];

beforeAll(async () => {
  const page = await walk.open();
  await page.goto("about:blank");
  const plain = await drawn("image/jpeg", "srgb");
  const files: [string, Buffer][] = [
    ...Array.from({ length: 8 }, (_, at): [string, Buffer] => [`held-${at + 1}.jpg`, lying(plain, at + 1)]),
    ["p3.jpg", await drawn("image/jpeg", "display-p3")],
    ["adobe-rgb.jpg", withProfile(plain, adobeRgb())],
    ["grey.jpg", flatJpeg(GREYS)],
    ["inks.jpg", flatJpeg(INKS)],
    ["deep.png", flatPng(QUARTERS, 16, false)],
    ["passes.png", flatPng(QUARTERS, 8, true)],
    ["clear.webp", await drawn("image/webp", "srgb", true)],
  ];
  mkdirSync(join(walk.larder.root, "All"));
  for (const [name, bytes] of files) {
    writeFileSync(join(walk.larder.root, "All", name), bytes);
    names.push(name);
  }
  await walk.context.close();
});

/** What a picture shows: its shape, and the middle of each of its quarters on white. */
interface Look {
  shape: number;
  colours: number[];
}

/** What a picture shows, in the page. */
function look(image: HTMLImageElement): Look {
  const canvas = new OffscreenCanvas(40, 40);
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, 40, 40);
  pen.drawImage(image, 0, 0, 40, 40);
  const colours = [[10, 10], [30, 10], [10, 30], [30, 30]].flatMap(([x = 0, y = 0]) => [...pen.getImageData(x, y, 1, 1).data.slice(0, 3)]);
  return { shape: image.naturalWidth / image.naturalHeight, colours };
}

/** What is at an address, as the browser shows it. */
async function lookAt(address: string): Promise<Look> {
  const image = await walk.page.evaluateHandle(async (src) => {
    const fresh = new Image();
    fresh.src = src;
    await fresh.decode();
    return fresh;
  }, address);
  return image.evaluate(look);
}

/** Waits for the picture of a file in a place, and says what it shows: its address may be good for it alone. */
async function shownIn(place: string): Promise<Look> {
  const image = walk.page.locator(`${place} img`).first();
  await image.waitFor();
  // What has no address yet is complete, too.
  await expect.poll(() => image.evaluate((one) => (one as HTMLImageElement).complete && (one as HTMLImageElement).naturalWidth > 0)).toBe(true);
  return image.evaluate(look as (one: Element) => Look);
}

/** Holds what is shown of each file against the file itself. */
async function expectTrue(where: string, placeOf: (name: string) => string | Promise<string>) {
  const wrong: string[] = [];
  for (const name of names) {
    const shown = await shownIn(await placeOf(name));
    const file = await lookAt(`${walk.larder.url}/api/download?file_path=All%2F${name}&inline=1`);
    const off = Math.max(...shown.colours.map((value, at) => Math.abs(value - (file.colours[at] ?? 0))));
    if (off > OFF_MAX || Math.abs(shown.shape - file.shape) > 0.05) {
      wrong.push(`${name}: ${shown.shape.toFixed(2)} ${shown.colours.join(",")} for ${file.shape.toFixed(2)} ${file.colours.join(",")}`);
    }
  }
  expect(wrong, where).toEqual([]);
}

it("are told apart by their quarters", async () => {
  await walk.enter("/?path=All", undefined, { viewport: WIDE });
  const [first, third] = [await lookAt("/api/download?file_path=All%2Fheld-1.jpg&inline=1"), await lookAt("/api/download?file_path=All%2Fheld-3.jpg&inline=1")];
  expect(first.colours).not.toEqual(third.colours);
  const [plain, wide] = [first, await lookAt("/api/download?file_path=All%2Fp3.jpg&inline=1")];
  // A profile that is forgotten shows.
  expect(Math.max(...plain.colours.map((value, at) => Math.abs(value - (wide.colours[at] ?? 0))))).toBeGreaterThan(OFF_MAX);
});

it("are right in the grid", async () => {
  await walk.enter("/?path=All", undefined, { viewport: WIDE });
  await walk.page.locator(".tile").first().waitFor();
  await expectTrue("the grid", (name) => `.tile:has([title="${name}"])`);
});

it("are right in Photos", async () => {
  await walk.enter("/?view=photos", undefined, { viewport: WIDE });
  await walk.page.getByText(`${names.length} photos`).waitFor({ timeout: 60_000 });
  await expectTrue("Photos", (name) => `a[title="All/${name}"]`);
});

it("are right in the viewer", async () => {
  await walk.enter("/?path=All", undefined, { viewport: WIDE });
  await expectTrue("the viewer", async (name) => {
    await walk.page.goto(`${walk.larder.url}/?view=photos&file=All%2F${name}`);
    return `dialog [role=img][aria-label$="${name}"]`;
  });
});
