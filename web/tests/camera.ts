// Photos as cameras write them: a JPEG with the time it was taken and a small picture inside, as heavy as real ones.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { photo } from "./photo.ts";

/** Bytes in one segment of a JPEG at most. */
const SEGMENT_MAX = 65_533;

export interface Shot {
  path: string;
  /** `YYYY-MM-DDTHH:MM:SS` by the camera's clock. */
  taken: string;
}

/** Writes photos into a folder; each weighs `bytes`. Their pictures take turns: drawing each would take minutes. */
export async function writePhotos(page: Page, root: string, shots: readonly Shot[], bytes = 0): Promise<void> {
  const faces: { picture: Buffer; small: Buffer }[] = [];
  for (let at = 0; at < 6; at += 1) {
    const picture = await photo(page, 1280, 960, at * 60);
    faces.push({ picture, small: await photo(page, 160, 120, at * 60) });
  }
  for (const folder of new Set(shots.map(({ path }) => dirname(join(root, path))))) await mkdir(folder, { recursive: true });
  await Promise.all(
    shots.map(({ path, taken }, at) => {
      const face = faces[at % faces.length];
      if (!face) throw new Error("no picture");
      return writeFile(join(root, path), asCamera(face.picture, face.small, taken, bytes));
    }),
  );
}

/** The picture with what a camera writes before it, and made as heavy as asked. */
function asCamera(picture: Buffer, small: Buffer, taken: string, bytes: number): Buffer {
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
