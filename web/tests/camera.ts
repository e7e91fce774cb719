// Photos as cameras write them: a JPEG with the time it was taken and a small picture inside, as heavy as real ones.
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { scene } from "./scene.ts";

/** Bytes in one segment of a JPEG at most. */
const SEGMENT_MAX = 65_533;

export interface Shot {
  path: string;
  /** `YYYY-MM-DDTHH:MM:SS` by the camera's clock. */
  taken: string;
}

/** The longer side of what is drawn (px), and of the small picture that a camera puts into its files. */
const DRAWN_PX = 960;
const SMALL_PX = 160;
/** Pictures that are drawn; they take turns, for drawing each would take minutes. */
const FACES = 8;

/** Writes photos into a folder; each weighs `bytes`. They have the detail that photos have, and weigh as such when made small. */
export async function writePhotos(page: Page, root: string, shots: readonly Shot[], bytes = 0): Promise<void> {
  const faces: { picture: Buffer; small: Buffer }[] = [];
  for (let at = 0; at < Math.min(FACES, shots.length); at += 1) {
    const [wide, high] = at % 4 === 3 ? [0.75, 1] : [1, 0.75];
    const picture = await scene(page, DRAWN_PX * wide, DRAWN_PX * high, at);
    faces.push({ picture, small: await scene(page, SMALL_PX * wide, SMALL_PX * high, at) });
  }
  for (const folder of new Set(shots.map(({ path }) => dirname(join(root, path))))) await mkdir(folder, { recursive: true });
  await Promise.all(
    shots.map(async ({ path, taken }, at) => {
      const face = faces[at % faces.length];
      if (!face) throw new Error("no picture");
      await writeFile(join(root, path), asCamera(face.picture, face.small, taken, bytes));
      await utimes(join(root, path), new Date(taken), new Date(taken));
    }),
  );
}

/** The picture with what a camera writes before it, and made as heavy as asked. */
export function asCamera(picture: Buffer, small: Buffer, taken: string, bytes: number): Buffer {
  const head = exif(small, taken);
  const parts = [picture.subarray(0, 2), head];
  let lacks = bytes - picture.length - head.length;
  while (lacks > 4) {
    const size = Math.min(SEGMENT_MAX, lacks - 4);
    // Comments: nobody has to read them.
    const comment = Buffer.alloc(size + 4, 0x61);
    comment.writeUInt16BE(0xfffe, 0);
    comment.writeUInt16BE(size + 2, 2);
    parts.push(comment);
    lacks -= size + 4;
  }
  return Buffer.concat([...parts, picture.subarray(2)]);
}

/** An Exif segment with the time and a small picture (Exif 2.32, 4.5 and 4.6). */
function exif(small: Buffer, taken: string): Buffer {
  const time = `${taken.replaceAll("-", ":").replace("T", " ")}\0`;
  const block = Buffer.alloc(128);
  block.write("II", 0);
  block.writeUInt16LE(42, 2);
  block.writeUInt32LE(8, 4);
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    block.writeUInt16LE(tag, at);
    block.writeUInt16LE(type, at + 2);
    block.writeUInt32LE(count, at + 4);
    block.writeUInt32LE(value, at + 8);
  };
  // The main directory, the camera's, and that of the small picture.
  block.writeUInt16LE(1, 8);
  entry(10, 0x8769, 4, 1, 26);
  block.writeUInt32LE(66, 22);
  block.writeUInt16LE(1, 26);
  entry(28, 0x9003, 2, 20, 44);
  block.write(time, 44);
  block.writeUInt16LE(3, 66);
  entry(68, 0x0103, 3, 1, 6);
  entry(80, 0x0201, 4, 1, 128);
  entry(92, 0x0202, 4, 1, small.length);
  const content = Buffer.concat([Buffer.from("Exif\0\0"), block, small]);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xffe1, 0);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

/** Photos over months: so many in each, the newest month first. */
export function shotsOver(months: readonly string[], each: number, folder: (at: number) => string): Shot[] {
  return months.flatMap((month, step) =>
    Array.from({ length: each }, (_, at) => {
      const index = step * each + at;
      const [day, minute] = [String(28 - (at % 28)).padStart(2, "0"), String(at % 60).padStart(2, "0")];
      return { path: `${folder(index)}/IMG_${1000 + index}.JPG`, taken: `${month}-${day}T10:${minute}:00` };
    }),
  );
}
