// A film as telephones write it: the browser's own H.264 pictures in an MP4 file (ISO/IEC 14496-12 and -15)
// whose index lies at its end, so that a player has to ask for that first.
import type { Page } from "playwright-core";
import { encode, SIZE } from "./film.ts";

const CODING = { codec: "avc1.42001E", avc: { format: "avc" as const } };
/** How many of the file's units of time make a second. */
const UNITS_PER_S = 1000;
/** No turning, no stretching. */
const UPRIGHT = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

/** Whether the browser can make such films; Chromium is also built without H.264. */
export function canMakeMp4(page: Page): Promise<boolean> {
  return page.evaluate(
    async ([size, coding]) => (await VideoEncoder.isConfigSupported({ ...coding, ...size })).supported === true,
    [SIZE, CODING] as const,
  );
}

/** One picture a second, each `padding` bytes from the next: what is not asked for is not loaded. */
export async function mp4(page: Page, seconds: number, padding: number): Promise<Buffer> {
  const { pictures, setup } = await encode(page, seconds, CODING);
  const head = box("ftyp", text("mp42"), u32(0), text("mp42"), text("isom"));
  const gap = Buffer.alloc(padding);
  const media = box("mdat", ...pictures.flatMap((picture) => [picture, gap]));
  let place = head.length + 8;
  const places = pictures.map((picture) => {
    const at = place;
    place += picture.length + padding;
    return at;
  });
  return Buffer.concat([head, media, index(pictures, places, setup)]);
}

/** Where each picture is, and how it is shown. */
function index(pictures: readonly Buffer[], places: readonly number[], setup: Buffer): Buffer {
  const count = pictures.length;
  const duration = count * UNITS_PER_S;
  const entry = box(
    "avc1",
    Buffer.concat([Buffer.alloc(6), u16(1), Buffer.alloc(16), u16(SIZE.width, SIZE.height)]),
    u32(0x480000, 0x480000, 0),
    Buffer.concat([u16(1), Buffer.alloc(32), u16(24, 0xffff)]),
    box("avcC", setup),
  );
  const table = box(
    "stbl",
    full("stsd", 0, u32(1), entry),
    full("stts", 0, u32(1, count, UNITS_PER_S)),
    full("stsc", 0, u32(1, 1, 1, 1)),
    full("stsz", 0, u32(0, count, ...pictures.map((picture) => picture.length))),
    full("stco", 0, u32(count, ...places)),
  );
  const source = box("dinf", full("dref", 0, u32(1), full("url ", 1)));
  const media = box(
    "mdia",
    full("mdhd", 0, u32(0, 0, UNITS_PER_S, duration), u16(0x55c4, 0)),
    full("hdlr", 0, u32(0), text("vide"), Buffer.alloc(13)),
    box("minf", full("vmhd", 1, Buffer.alloc(8)), source, table),
  );
  const track = full("tkhd", 3, u32(0, 0, 1, 0, duration, 0, 0, 0, 0), UPRIGHT, u32(SIZE.width << 16, SIZE.height << 16));
  const movie = full("mvhd", 0, u32(0, 0, UNITS_PER_S, duration, 0x10000), u16(0x100), Buffer.alloc(10), UPRIGHT, Buffer.alloc(24), u32(2));
  return box("moov", movie, box("trak", track, media));
}

/** A box: its length, its name, what is in it. */
function box(name: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), text(name), body]);
}

/** A box that says which of its kind it is: version 0, and flags. */
function full(name: string, flags: number, ...parts: Buffer[]): Buffer {
  return box(name, u32(flags), ...parts);
}

function text(letters: string): Buffer {
  return Buffer.from(letters, "latin1");
}

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, at) => bytes.writeUInt16BE(value, at * 2));
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32BE(value, at * 4));
  return bytes;
}
