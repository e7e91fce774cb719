// Takes the README's pictures: a family's files as they look on a desk and on a phone.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { test } from "vitest";
import { DESK, PHONE, Walk } from "./harness.ts";

/** Where the pictures go. */
const FOLDER = join(import.meta.dirname, "../../docs/screenshots");
/** Milliseconds for pictures to load and motion to end before one is taken. */
const SETTLE_MS = 1_500;
/** Milliseconds in which the dashboard gathers something to draw. */
const WATCH_MS = 25_000;

const walk = new Walk();

/** CRC-32 of a PNG chunk (RFC 2083, 3.4). */
function crc(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

/** A small landscape in the colours of one hour: sky, sun and hills. */
function landscape(hue: number): Buffer {
  const [width, height] = [320, 240];
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const far = 130 + 18 * Math.sin(x / 37 + hue) + 8 * Math.sin(x / 13);
      const near = 180 + 22 * Math.sin(x / 51 + hue * 2);
      const isSun = Math.hypot(x - 60 - hue * 25, y - 60) < 22;
      const light = 1 - y / height;
      let colour = [210 - hue * 14 + 40 * light, 170 + 50 * light, 150 + hue * 15 + 60 * light];
      if (isSun) colour = [255, 236, 180];
      if (y > far) colour = [110 + hue * 6, 130 + hue * 4, 120];
      if (y > near) colour = [70 + hue * 4, 96, 78 + hue * 5];
      const at = y * (1 + width * 3) + 1 + x * 3;
      colour.forEach((part, index) => (rows[at + index] = Math.min(255, Math.round(part))));
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

async function furnish(root: string): Promise<void> {
  for (const folder of ["Documents", "Films", "Music", "Photos/Summer"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const sizes: Record<string, number> = {
    "Budget 2026.ods": 48_200,
    "Holiday film.mp4": 84_000_000,
    "Letter to the landlord.pdf": 183_000,
    "Recipes.md": 2_140,
    "Song 2.mp3": 4_100_000,
    "Song 10.mp3": 5_300_000,
  };
  for (const [name, size] of Object.entries(sizes)) await writeFile(join(root, name), Buffer.alloc(size));
  for (let hue = 0; hue < 8; hue++) {
    await writeFile(join(root, "Photos", `Evening ${hue + 1}.png`), landscape(hue));
  }
}

async function take(name: string): Promise<void> {
  await walk.page.waitForTimeout(SETTLE_MS);
  await walk.page.screenshot({ path: join(FOLDER, `${name}.png`) });
}

test("takes the README's pictures", async () => {
  await mkdir(FOLDER, { recursive: true });
  await furnish(walk.larder.root);
  let page = await walk.enter("/", undefined, { viewport: DESK });
  await page.getByText("Recipes.md").waitFor();
  await take("files");
  await page.getByText("Photos", { exact: true }).dblclick();
  await page.getByText("Evening 1.png").waitFor();
  await page.getByRole("button", { name: /grid/i }).click();
  await take("photos");
  page = await walk.enter("/", undefined, { viewport: DESK });
  await page.getByRole("link", { name: "Dashboard" }).click();
  await page.waitForTimeout(WATCH_MS);
  await take("dashboard");
  page = await walk.enter("/", undefined, { viewport: PHONE, colorScheme: "dark", hasTouch: true });
  await page.getByText("Recipes.md").waitFor();
  await take("phone");
});
