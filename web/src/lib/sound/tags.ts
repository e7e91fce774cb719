// What a piece of music says of itself: title, artist, album, cover. Reads ID3v2, FLAC, Ogg and MP4, a bounded
// part of the file at a time, and believes no length that is written in it.

/** What is told; whatever is missing was not written. */
export interface Tags {
  title?: string;
  artist?: string;
  album?: string;
  cover?: Blob;
}

/** Reads bytes of the file; fewer where it ends. */
export type ReadPart = (from: number, length: number) => Promise<Uint8Array>;

/** All that is ever read of one file, and what is read first (bytes). */
export const READ_BYTES_MAX = 2 * 1024 * 1024;
const FIRST_BYTES = 64 * 1024;
/** Larger pictures are no covers, and longer texts no titles (bytes). */
const COVER_BYTES_MAX = READ_BYTES_MAX;
const TEXT_BYTES_MAX = 1024;
/** Frames, blocks or atoms that are looked through. */
const PARTS_MAX = 300;

/** The tags of a file of this length (bytes); none where it has none that are known, or makes no sense. */
export async function readTags(read: ReadPart, size: number): Promise<Tags> {
  const file = new Parts(read, size);
  try {
    const head = await file.part(0, 16);
    if (letters(head, 0, 3) === "ID3") return await readId3(file, head);
    if (letters(head, 0, 4) === "fLaC") return await readFlac(file);
    if (letters(head, 0, 4) === "OggS") return await readOgg(file);
    if (letters(head, 4, 4) === "ftyp") return await readMp4(file);
    return {};
  } catch (cause) {
    // It ended in the middle of something, or wanted more than is read.
    if (cause instanceof RangeError) return {};
    throw cause;
  }
}

/** A file whose bytes are read in few, bounded pieces. */
class Parts {
  readonly #read: ReadPart;
  readonly size: number;
  #from = 0;
  #bytes: Uint8Array<ArrayBufferLike> = new Uint8Array();
  #left = READ_BYTES_MAX;

  constructor(read: ReadPart, size: number) {
    this.#read = read;
    this.size = size;
  }

  /** Exactly these bytes; a `RangeError` where they are not there, or too many. */
  async part(from: number, length: number): Promise<Uint8Array> {
    if (from < 0 || length < 0 || length > READ_BYTES_MAX || from + length > this.size) throw new RangeError("outside the file");
    const isHere = from >= this.#from && from + length <= this.#from + this.#bytes.length;
    if (!isHere) {
      const wanted = Math.min(Math.max(length, FIRST_BYTES), this.size - from, this.#left);
      if (wanted < length) throw new RangeError("more than is read");
      this.#left -= wanted;
      this.#bytes = await this.#read(from, wanted);
      this.#from = from;
    }
    const part = this.#bytes.subarray(from - this.#from, from - this.#from + length);
    if (part.length < length) throw new RangeError("the file is shorter");
    return part;
  }
}

// ---- ID3v2 (id3.org), versions 2 to 4

const FRAMES: Record<string, keyof Tags> = {
  TIT2: "title", TPE1: "artist", TALB: "album", APIC: "cover",
  TT2: "title", TP1: "artist", TAL: "album", PIC: "cover",
};

async function readId3(file: Parts, head: Uint8Array): Promise<Tags> {
  const [version = 0, , flags = 0] = head.subarray(3);
  if (version < 2 || version > 4) return {};
  const length = Math.min(sevens(head, 6), READ_BYTES_MAX - FIRST_BYTES, file.size - 10);
  let body = await file.part(10, length);
  // Older versions spread it over the whole tag.
  if (flags & 0x80 && version < 4) body = gathered(body);
  const tags: Tags = {};
  let at = 0;
  if (flags & 0x40 && version > 2) at = version === 4 ? sevens(body, 0) : u32(body, 0) + 4;
  const [idBytes, headBytes] = version === 2 ? [3, 6] : [4, 10];
  for (let frame = 0; frame < PARTS_MAX && at + headBytes <= body.length; frame += 1) {
    const id = letters(body, at, idBytes);
    if (!/^[A-Z0-9]+$/.test(id)) break;
    const size = version === 2 ? u24(body, at + 3) : version === 4 ? sevens(body, at + 4) : u32(body, at + 4);
    const what = version === 2 ? 0 : (body[at + 9] ?? 0);
    let content = body.subarray(at + headBytes, at + headBytes + size);
    at += headBytes + size;
    const key = FRAMES[id];
    // Compressed or encrypted.
    const isClosed = version === 4 ? what & 0x0c : what & 0xc0;
    if (!key || isClosed || tags[key] !== undefined) continue;
    if (version === 4 && what & 0x01) content = content.subarray(4);
    if (version === 4 && what & 0x02) content = gathered(content);
    if (key === "cover") put(tags, key, id3Cover(content, version));
    else put(tags, key, id3Text(content[0] ?? 0, content.subarray(1)));
  }
  return tags;
}

/** A number whose bytes hold seven bits each. */
function sevens(bytes: Uint8Array, at: number): number {
  need(bytes, at, 4);
  return [0, 1, 2, 3].reduce((sum, step) => sum * 128 + ((bytes[at + step] ?? 0) & 0x7f), 0);
}

/** Without the zeros that were put behind each 0xff. */
function gathered(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, at) => !(byte === 0 && bytes[at - 1] === 0xff));
}

const ENCODINGS = ["windows-1252", "utf-16", "utf-16be", "utf-8"];

function id3Text(encoding: number, bytes: Uint8Array): string {
  const name = ENCODINGS[encoding] ?? "windows-1252";
  const isBig = name === "utf-16" && bytes[0] === 0xfe && bytes[1] === 0xff;
  const text = new TextDecoder(isBig ? "utf-16be" : name).decode(bytes.subarray(0, TEXT_BYTES_MAX));
  // Several are told apart by a zero.
  return text.split("\0").map((part) => part.trim()).filter((part) => part !== "").join(", ");
}

function id3Cover(bytes: Uint8Array, version: number): Blob | undefined {
  const encoding = bytes[0] ?? 0;
  let at = version === 2 ? 4 : bytes.indexOf(0, 1) + 1;
  if (at === 0) return undefined;
  // What kind of picture it is, then a description.
  at += 1;
  const isWide = encoding === 1 || encoding === 2;
  while (at < bytes.length && !(bytes[at] === 0 && (!isWide || bytes[at + 1] === 0))) at += isWide ? 2 : 1;
  return pictureOf(bytes.subarray(at + (isWide ? 2 : 1)));
}

// ---- FLAC (RFC 9639) and Ogg (RFC 3533, 7845)

async function readFlac(file: Parts): Promise<Tags> {
  const tags: Tags = {};
  let at = 4;
  for (let block = 0; block < PARTS_MAX; block += 1) {
    const head = await file.part(at, 4);
    const [kind, length] = [(head[0] ?? 0) & 0x7f, u24(head, 1)];
    // A picture that is too large costs nothing but itself.
    if (kind === 4) comments(tags, await file.part(at + 4, Math.min(length, FIRST_BYTES)));
    if (kind === 6 && !tags.cover && length <= READ_BYTES_MAX / 2) put(tags, "cover", flacPicture(await file.part(at + 4, length)));
    if ((head[0] ?? 0) & 0x80) break;
    at += 4 + length;
    if (at + 4 > file.size) break;
  }
  return tags;
}

/** Vorbis' comments, which FLAC and Opus have too: `NAME=value`. */
function comments(tags: Tags, bytes: Uint8Array): void {
  let at = 4 + u32le(bytes, 0);
  const count = Math.min(u32le(bytes, at), PARTS_MAX);
  at += 4;
  for (let comment = 0; comment < count && at + 4 <= bytes.length; comment += 1) {
    const length = u32le(bytes, at);
    const text = new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + Math.min(length, TEXT_BYTES_MAX)));
    at += 4 + length;
    const [name = "", ...value] = text.split("=");
    const key = ({ TITLE: "title", ARTIST: "artist", ALBUM: "album" } as const)[name.toUpperCase()];
    if (!key) continue;
    const words = value.join("=").trim();
    if (key === "artist" && tags.artist !== undefined && words !== "") tags.artist += `, ${words}`;
    else if (tags[key] === undefined) put(tags, key, words);
  }
}

function flacPicture(bytes: Uint8Array): Blob | undefined {
  const type = u32(bytes, 4);
  const words = u32(bytes, 8 + type);
  // Behind both texts: width, height, depth, colours, length.
  return pictureOf(bytes.subarray(8 + type + 4 + words + 20));
}

/** The second packet of the stream has them; what of it lies in the first part of the file must do. */
async function readOgg(file: Parts): Promise<Tags> {
  const bytes = await file.part(0, Math.min(FIRST_BYTES, file.size));
  const packets: number[][] = [[]];
  let at = 0;
  for (let page = 0; page < PARTS_MAX && packets.length < 3 && at + 27 <= bytes.length; page += 1) {
    if (letters(bytes, at, 4) !== "OggS") break;
    const laces = bytes.subarray(at + 27, at + 27 + (bytes[at + 26] ?? 0));
    at += 27 + laces.length;
    for (const lace of laces) {
      packets.at(-1)?.push(...bytes.subarray(at, at + lace));
      at += lace;
      // A packet ends where a piece is not full.
      if (lace < 255) packets.push([]);
    }
  }
  const packet = new Uint8Array(packets[1] ?? []);
  const tags: Tags = {};
  const start = letters(packet, 0, 8) === "OpusTags" ? 8 : letters(packet, 1, 6) === "vorbis" ? 7 : 0;
  if (start > 0) comments(tags, packet.subarray(start));
  return tags;
}

// ---- MP4 (ISO/IEC 14496-12; the list is Apple's)

const ITEMS: Record<string, keyof Tags> = { "\xa9nam": "title", "\xa9ART": "artist", "\xa9alb": "album", covr: "cover" };

async function readMp4(file: Parts): Promise<Tags> {
  const path = ["moov", "udta", "meta", "ilst"];
  let [from, to] = [0, file.size];
  for (const name of path) {
    const found = await atomIn(file, from, to, name);
    if (!found) return {};
    [from, to] = found;
    // A `meta` begins with a version.
    if (name === "meta") from += 4;
  }
  const tags: Tags = {};
  for (let item = 0; item < PARTS_MAX && from + 8 <= to; item += 1) {
    const head = await file.part(from, 8);
    const [size, key] = [u32(head, 0), ITEMS[letters(head, 4, 4)]];
    if (size < 8) break;
    // In it lies its `data`: length, name, type, place, then what it is.
    const isSane = size > 24 && size <= (key === "cover" ? COVER_BYTES_MAX : FIRST_BYTES);
    if (key && isSane && from + size <= to) {
      const content = (await file.part(from, size)).subarray(24);
      if (key === "cover") put(tags, key, pictureOf(content));
      else put(tags, key, new TextDecoder().decode(content.subarray(0, TEXT_BYTES_MAX)).trim());
    }
    from += size;
  }
  return tags;
}

/** Where what is in the first atom of this name begins and ends. */
async function atomIn(file: Parts, from: number, to: number, name: string): Promise<[number, number] | undefined> {
  let at = from;
  for (let atom = 0; atom < PARTS_MAX && at + 8 <= to; atom += 1) {
    const head = await file.part(at, Math.min(16, to - at));
    let [size, start] = [u32(head, 0), at + 8];
    if (size === 1) [size, start] = [u32(head, 8) * 2 ** 32 + u32(head, 12), at + 16];
    else if (size === 0) size = to - at;
    if (size < start - at) return undefined;
    if (letters(head, 4, 4) === name) return [start, Math.min(at + size, to)];
    at += size;
  }
  return undefined;
}

// ---- what they share

/** The kinds of pictures that covers are, by how they begin. */
const PICTURES: readonly [type: string, begin: readonly number[]][] = [
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46]],
];

/** A picture, whatever the tag calls it; nothing where it is none. */
function pictureOf(bytes: Uint8Array): Blob | undefined {
  const type = PICTURES.find(([, begin]) => begin.every((byte, at) => bytes[at] === byte))?.[0];
  return type && bytes.length <= COVER_BYTES_MAX ? new Blob([bytes.slice()], { type }) : undefined;
}

function put<Key extends keyof Tags>(tags: Tags, key: Key, value: Tags[keyof Tags]): void {
  if (value !== undefined && value !== "") tags[key] = value as Tags[Key];
}

function letters(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function need(bytes: Uint8Array, at: number, length: number): void {
  if (at < 0 || at + length > bytes.length) throw new RangeError("it ends before that");
}

function u24(bytes: Uint8Array, at: number): number {
  need(bytes, at, 3);
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

function u32(bytes: Uint8Array, at: number): number {
  need(bytes, at, 4);
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0);
}

function u32le(bytes: Uint8Array, at: number): number {
  need(bytes, at, 4);
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
}
