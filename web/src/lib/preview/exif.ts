// What a camera wrote into a picture (Exif 2.32, TIFF 6.0): with what, how, and where. Reads the beginning of a
// JPEG, PNG or WebP file and believes nothing it says of itself: offsets, counts and types are all bounded.

/** How much of a file is read for it (bytes): cameras write it into the first 64 KiB. */
export const EXIF_BYTES_MAX = 128 * 1024;
/** Entries of one directory, letters of one text: cameras write some dozens. */
const ENTRIES_MAX = 512;
const LETTERS_MAX = 200;
/** Parts of a file that are looked through for it. */
const PARTS_MAX = 200;

/** What is told; whatever is missing was not written, or makes no sense. */
export interface Shot {
  camera?: string;
  lens?: string;
  /** `YYYY-MM-DDTHH:MM:SS` by the camera's own clock. */
  taken?: string;
  /** Seconds. */
  exposure?: number;
  aperture?: number;
  iso?: number;
  /** Millimetres. */
  focal?: number;
  width?: number;
  height?: number;
  place?: Place;
}

/** Degrees; south and west are negative. */
export interface Place {
  lat: number;
  lon: number;
}

/** Reads what there is; an empty answer where it is none of these files. */
export function readShot(bytes: Uint8Array): Shot {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = tiffIn(view);
    if (!found) return {};
    const { tiff, ...size } = found;
    return { ...size, ...(tiff && readTiff(tiff)) };
  } catch (cause) {
    // It ended in the middle of something.
    if (cause instanceof RangeError) return {};
    throw cause;
  }
}

interface Found {
  tiff?: DataView;
  width?: number;
  height?: number;
}

function tiffIn(view: DataView): Found | undefined {
  if (view.byteLength < 16) return undefined;
  if (view.getUint16(0) === 0xffd8) return inJpeg(view);
  if (view.getUint32(0) === 0x89504e47) return inPng(view);
  if (view.getUint32(0) === 0x52494646 && view.getUint32(8) === 0x57454250) return inWebp(view);
  return undefined;
}

function inJpeg(view: DataView): Found {
  const found: Found = {};
  let at = 2;
  for (let part = 0; part < PARTS_MAX && at + 4 <= view.byteLength; part += 1) {
    if (view.getUint8(at) !== 0xff) break;
    const marker = view.getUint8(at + 1);
    // A fill byte.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    // The picture itself begins.
    if (marker === 0xda || marker === 0xd9) break;
    const length = view.getUint16(at + 2);
    if (length < 2) break;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame && at + 9 <= view.byteLength) {
      found.height = view.getUint16(at + 5);
      found.width = view.getUint16(at + 7);
    }
    const isExif = marker === 0xe1 && length > 8 && at + 10 <= view.byteLength && view.getUint32(at + 4) === 0x45786966;
    if (isExif && !found.tiff) found.tiff = within(view, at + 10, length - 8);
    at += 2 + length;
  }
  return found;
}

function inPng(view: DataView): Found {
  const found: Found = {};
  let at = 8;
  for (let part = 0; part < PARTS_MAX && at + 12 <= view.byteLength; part += 1) {
    const [length, type] = [view.getUint32(at), view.getUint32(at + 4)];
    if (type === 0x49484452 && at + 16 <= view.byteLength) {
      found.width = view.getUint32(at + 8);
      found.height = view.getUint32(at + 12);
    }
    if (type === 0x65584966) found.tiff = within(view, at + 8, length);
    if (type === 0x49444154) break;
    at += 12 + length;
  }
  return found;
}

function inWebp(view: DataView): Found {
  const found: Found = {};
  let at = 12;
  for (let part = 0; part < PARTS_MAX && at + 8 <= view.byteLength; part += 1) {
    const [type, length] = [view.getUint32(at), view.getUint32(at + 4, true)];
    if (type === 0x56503858 && at + 18 <= view.byteLength) {
      const three = (from: number) => view.getUint16(from, true) + (view.getUint8(from + 2) << 16);
      found.width = three(at + 12) + 1;
      found.height = three(at + 15) + 1;
    }
    if (type === 0x45584946) {
      // Some write the name of JPEG's part before it.
      const isNamed = at + 14 <= view.byteLength && view.getUint32(at + 8) === 0x45786966;
      found.tiff = within(view, at + (isNamed ? 14 : 8), length - (isNamed ? 6 : 0));
    }
    at += 8 + length + (length % 2);
  }
  return found;
}

/** A part of what there is, cut where it ends. */
function within(view: DataView, from: number, length: number): DataView {
  const start = Math.min(from, view.byteLength);
  return new DataView(view.buffer, view.byteOffset + start, Math.max(0, Math.min(length, view.byteLength - start)));
}

type Value = string | number[];

const TAG = {
  make: 0x010f, model: 0x0110, exif: 0x8769, gps: 0x8825,
  exposure: 0x829a, aperture: 0x829d, iso: 0x8827, taken: 0x9003, focal: 0x920a, lens: 0xa434,
  latRef: 1, lat: 2, lonRef: 3, lon: 4,
};

function readTiff(view: DataView): Shot {
  if (view.byteLength < 8) return {};
  const mark = view.getUint16(0);
  if (mark !== 0x4949 && mark !== 0x4d4d) return {};
  const isLittle = mark === 0x4949;
  if (view.getUint16(2, isLittle) !== 42) return {};
  const main = readDirectory(view, view.getUint32(4, isLittle), isLittle);
  // Each directory is read once: none leads on, so none leads in a circle.
  const below = (tag: number) => readDirectory(view, numbersOf(main.get(tag))[0] ?? 0, isLittle);
  const [exif, gps] = [below(TAG.exif), below(TAG.gps)];
  const one = (value: Value | undefined) => {
    const [number] = numbersOf(value);
    return number !== undefined && Number.isFinite(number) && number > 0 ? number : undefined;
  };
  return withoutGaps({
    camera: cameraOf(textOf(main.get(TAG.make)), textOf(main.get(TAG.model))),
    lens: textOf(exif.get(TAG.lens)) || undefined,
    taken: timeOf(textOf(exif.get(TAG.taken))),
    exposure: one(exif.get(TAG.exposure)),
    aperture: one(exif.get(TAG.aperture)),
    iso: one(exif.get(TAG.iso)),
    focal: one(exif.get(TAG.focal)),
    place: placeOf(gps),
  });
}

function readDirectory(view: DataView, at: number, isLittle: boolean): Map<number, Value> {
  const values = new Map<number, Value>();
  if (at < 8 || at + 2 > view.byteLength) return values;
  const count = Math.min(view.getUint16(at, isLittle), ENTRIES_MAX);
  for (let entry = 0; entry < count; entry += 1) {
    const place = at + 2 + entry * 12;
    if (place + 12 > view.byteLength) break;
    const value = readValue(view, place, isLittle);
    if (value !== undefined) values.set(view.getUint16(place, isLittle), value);
  }
  return values;
}

/** Bytes of one value of each type that is read: texts, whole numbers of 16 and 32 bits, and fractions. */
const BYTES: Record<number, number> = { 2: 1, 3: 2, 4: 4, 5: 8 };
/** More numbers than any tag has that is read: degrees, minutes, seconds. */
const NUMBERS_MAX = 4;

function readValue(view: DataView, place: number, isLittle: boolean): Value | undefined {
  const type = view.getUint16(place + 2, isLittle);
  const size = BYTES[type];
  if (size === undefined) return undefined;
  const said = view.getUint32(place + 4, isLittle);
  const count = Math.min(said, type === 2 ? LETTERS_MAX : NUMBERS_MAX);
  const at = said * size <= 4 ? place + 8 : view.getUint32(place + 8, isLittle);
  if (at + count * size > view.byteLength) return undefined;
  if (type === 2) {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, count);
    return new TextDecoder().decode(bytes).replace(/\0[^]*$/, "").trim();
  }
  return Array.from({ length: count }, (_, index) => {
    const from = at + index * size;
    if (type === 3) return view.getUint16(from, isLittle);
    if (type === 4) return view.getUint32(from, isLittle);
    return view.getUint32(from, isLittle) / view.getUint32(from + 4, isLittle);
  });
}

const textOf = (value: Value | undefined) => (typeof value === "string" ? value : "");
const numbersOf = (value: Value | undefined) => (Array.isArray(value) ? value : []);

/** What a camera is called: many models begin with their maker's name. */
function cameraOf(make: string, model: string): string | undefined {
  const [maker = ""] = make.split(/[\s,]/);
  const isNamed = maker !== "" && model.toLowerCase().startsWith(maker.toLowerCase());
  return (isNamed ? model : `${make} ${model}`).trim() || undefined;
}

/** `YYYY:MM:DD HH:MM:SS`; cameras whose clock was never set write zeros. */
function timeOf(text: string): string | undefined {
  const match = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text);
  if (!match || match[1] === "0000") return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  return Number.isNaN(Date.parse(time)) ? undefined : time;
}

function placeOf(gps: Map<number, Value>): Place | undefined {
  const degrees = (tag: number, most: number) => {
    const [whole = NaN, minutes = 0, seconds = 0] = numbersOf(gps.get(tag));
    const value = whole + minutes / 60 + seconds / 3600;
    return value >= 0 && value <= most ? value : undefined;
  };
  const [lat, lon] = [degrees(TAG.lat, 90), degrees(TAG.lon, 180)];
  if (lat === undefined || lon === undefined || (lat === 0 && lon === 0)) return undefined;
  const sign = (tag: number, minus: string) => (textOf(gps.get(tag)).toUpperCase() === minus ? -1 : 1);
  return { lat: lat * sign(TAG.latRef, "S"), lon: lon * sign(TAG.lonRef, "W") };
}

function withoutGaps(shot: { [Key in keyof Shot]: Shot[Key] | undefined }): Shot {
  return Object.fromEntries(Object.entries(shot).filter(([, value]) => value !== undefined)) as Shot;
}
