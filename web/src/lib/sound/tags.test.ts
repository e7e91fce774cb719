import { describe, expect, it } from "vitest";
import { READ_BYTES_MAX, readTags, type Tags } from "./tags.ts";

const JPEG = [0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4];
const bytesOf = (...parts: (string | number[] | Uint8Array)[]) =>
  new Uint8Array(parts.flatMap((part) => (typeof part === "string" ? [...part].map((one) => one.charCodeAt(0)) : [...part])));
const u32 = (value: number) => [(value >>> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255];
const le = (value: number) => u32(value).reverse();
const sevens = (value: number) => [(value >> 21) & 127, (value >> 14) & 127, (value >> 7) & 127, value & 127];

let asked = 0;
function tagsOf(bytes: Uint8Array, size = bytes.length): Promise<Tags> {
  asked = 0;
  return readTags((from, length) => {
    asked += length;
    return Promise.resolve(bytes.slice(from, from + length));
  }, size);
}

const frame = (id: string, content: Uint8Array) => bytesOf(id, u32(content.length), [0, 0], content);
const id3 = (version: number, flags: number, ...frames: Uint8Array[]) => {
  const body = bytesOf(...frames);
  return bytesOf("ID3", [version, 0, flags], sevens(body.length), body, new Uint8Array(200));
};
const comment = (...all: string[]) =>
  bytesOf(le(3), "ref", le(all.length), ...all.flatMap((one) => [le(new TextEncoder().encode(one).length), new TextEncoder().encode(one)]));
const atom = (name: string, ...parts: (string | number[] | Uint8Array)[]) => {
  const body = bytesOf(...parts);
  return bytesOf(u32(body.length + 8), name, body);
};
const item = (name: string, content: Uint8Array) => atom(name, atom("data", u32(1), u32(0), content));

async function coverOf(tags: Tags): Promise<number[]> {
  return [...new Uint8Array((await tags.cover?.arrayBuffer()) ?? new ArrayBuffer())];
}

describe("tags", () => {
  it("are read from ID3v2.3, in Latin and in wide letters", async () => {
    const tags = await tagsOf(
      id3(3, 0,
        frame("TIT2", bytesOf([1, 0xff, 0xfe], "G", [0], "r", [0], [0xfc, 0])),
        frame("TPE1", bytesOf([0], "Beyonc", [0xe9])),
        frame("TALB", bytesOf([3], new TextEncoder().encode("Ä"), [0])),
        frame("APIC", bytesOf([0], "image/jpeg", [0, 3], "front", [0], JPEG))),
    );
    expect(tags).toMatchObject({ title: "Grü", artist: "Beyoncé", album: "Ä" });
    expect(tags.cover?.type).toBe("image/jpeg");
    expect(await coverOf(tags)).toEqual(JPEG);
  });

  it("are read from ID3v2.2, and from ID3v2.4 with an extended head", async () => {
    const old = (id: string, content: Uint8Array) => bytesOf(id, u32(content.length).slice(1), content);
    expect(await tagsOf(id3(2, 0, old("TT2", bytesOf([0], "Old")), old("PIC", bytesOf([0], "JPG", [3, 0], JPEG))))).toMatchObject({ title: "Old" });
    const many = bytesOf([3], "a", [0], "b");
    expect(await tagsOf(id3(4, 0x40, bytesOf(sevens(6), [1, 0]), bytesOf("TPE1", sevens(many.length), [0, 0], many)))).toEqual({ artist: "a, b" });
  });

  it("are read where zeros were put in between", async () => {
    const spread = bytesOf([0], "image/jpeg", [0, 3, 0], JPEG.flatMap((byte) => (byte === 0xff ? [0xff, 0] : [byte])));
    const body = bytesOf("APIC", u32(spread.length - 2), [0, 0], spread);
    expect(await coverOf(await tagsOf(bytesOf("ID3", [3, 0, 0x80], sevens(body.length), body)))).toEqual(JPEG);
  });

  it("are read from FLAC", async () => {
    const words = comment("TITLE=A", "artist=B", "ARTIST=C", "Album=D=E");
    const picture = bytesOf(u32(3), u32(10), "image/jpeg", u32(2), "of", u32(1), u32(1), u32(24), u32(0), u32(JPEG.length), JPEG);
    const file = bytesOf("fLaC", [0, 0, 0, 34], new Uint8Array(34), [4, 0, 0, words.length], words, [0x86, 0, 0, picture.length], picture);
    const tags = await tagsOf(file);
    expect(tags).toMatchObject({ title: "A", artist: "B, C", album: "D=E" });
    expect(await coverOf(tags)).toEqual(JPEG);
  });

  it("are read from Opus in Ogg", async () => {
    const page = (packet: Uint8Array) => {
      const laces = [...Array.from({ length: Math.floor(packet.length / 255) }, () => 255), packet.length % 255];
      return bytesOf("OggS", new Uint8Array(22), [laces.length], laces, packet);
    };
    const words = bytesOf("OpusTags", comment(`TITLE=${"x".repeat(300)}`, "ARTIST=B"));
    expect(await tagsOf(bytesOf(page(bytesOf("OpusHead", new Uint8Array(11))), page(words)))).toEqual({ title: "x".repeat(300), artist: "B" });
  });

  it("are read from MP4, the list behind the sound", async () => {
    const list = atom("ilst", item("\xa9nam", bytesOf("A")), item("\xa9ART", bytesOf("B")), item("covr", bytesOf(JPEG)));
    const file = bytesOf(atom("ftyp", "M4A "), atom("mdat", new Uint8Array(200_000)), atom("moov", atom("udta", atom("meta", u32(0), list))));
    const tags = await tagsOf(file);
    expect(tags).toMatchObject({ title: "A", artist: "B" });
    expect(await coverOf(tags)).toEqual(JPEG);
    // What lies between was not asked for.
    expect(asked).toBeLessThan(150_000);
  });

  it("have no cover that is no picture", async () => {
    const tags = await tagsOf(id3(3, 0, frame("APIC", bytesOf([0], "image/jpeg", [0, 3, 0], "<script>")), frame("TIT2", bytesOf([0], "A"))));
    expect(tags).toEqual({ title: "A" });
  });

  it("are bounded, whatever is written about their length", async () => {
    const huge = bytesOf("ID3", [4, 0, 0], sevens(2 ** 28 - 1), "APIC", sevens(2 ** 28 - 1), [0, 0], new Uint8Array(100));
    const whole = new Uint8Array(READ_BYTES_MAX);
    whole.set(huge);
    await tagsOf(whole, 4_000_000_000);
    expect(asked).toBeLessThanOrEqual(READ_BYTES_MAX + 64 * 1024);
    const endless = bytesOf(atom("ftyp", "M4A "), u32(1), "free", u32(0xffffffff), u32(0xffffffff));
    expect(await tagsOf(bytesOf(endless, new Uint8Array(100)))).toEqual({});
    expect(await tagsOf(bytesOf(atom("ftyp", "M4A "), [0, 0, 0, 8], "free", [0, 0, 0, 3], "moov", new Uint8Array(50)))).toEqual({});
    const many = bytesOf("fLaC", ...Array.from({ length: 5000 }, () => [1, 0, 0, 0]), new Uint8Array(10));
    expect(await tagsOf(many)).toEqual({});
  });

  it("do no harm, wherever the file ends and whatever it says", async () => {
    const files = [
      id3(4, 0x80, frame("TIT2", bytesOf([1, 0xff, 0xfe], "A", [0])), frame("APIC", bytesOf([1], "image/jpeg", [0, 3, 0xff, 0xfe, 0, 0], JPEG))),
      bytesOf("fLaC", [4, 0, 0, 60], comment("TITLE=A"), new Uint8Array(60), [0x86, 0, 0, 40], new Uint8Array(40)),
      bytesOf("OggS", new Uint8Array(22), [2, 19, 40], "OpusHead", new Uint8Array(11), "OpusTags", comment("TITLE=A"), new Uint8Array(40)),
      bytesOf(atom("ftyp", "M4A "), atom("moov", atom("udta", atom("meta", u32(0), atom("ilst", item("\xa9nam", bytesOf("A"))))))),
    ];
    let seed = 11;
    const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    for (const file of files) {
      for (let length = 0; length < file.length; length += 7) await tagsOf(file.slice(0, length));
      for (let times = 0; times < 150; times += 1) {
        const spoilt = file.slice();
        for (let hits = 0; hits < 6; hits += 1) spoilt[4 + random(spoilt.length - 4)] = random(256);
        await tagsOf(spoilt);
        await tagsOf(spoilt, 2 ** 40);
      }
    }
  });
});
