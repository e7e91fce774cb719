import { describe, expect, it } from "vitest";
import { readShot } from "./exif.ts";

type Entry = [tag: number, type: 2 | 3 | 4 | 5, value: string | number[]];

/** A TIFF block with a main directory, and one of the camera's and one of the place below it. */
function tiff(main: Entry[], exif: Entry[], gps: Entry[], isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isLittle ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, isLittle);
  view.setUint32(4, 8, isLittle);
  let free = 1024;
  const write = (at: number, entries: Entry[]) => {
    view.setUint16(at, entries.length, isLittle);
    entries.forEach(([tag, type, value], index) => {
      const place = at + 2 + index * 12;
      const count = type === 2 ? value.length : type === 5 ? value.length / 2 : value.length;
      const size = count * { 2: 1, 3: 2, 4: 4, 5: 8 }[type];
      const to = size <= 4 ? place + 8 : free;
      view.setUint16(place, tag, isLittle);
      view.setUint16(place + 2, type, isLittle);
      view.setUint32(place + 4, count, isLittle);
      if (size > 4) {
        view.setUint32(place + 8, free, isLittle);
        free += size;
      }
      [...value].forEach((one, step) => {
        if (typeof one === "string") view.setUint8(to + step, one.charCodeAt(0));
        else if (type === 3) view.setUint16(to + step * 2, one, isLittle);
        else view.setUint32(to + step * 4, one, isLittle);
      });
    });
  };
  write(8, [...main, [0x8769, 4, [300]], [0x8825, 4, [600]]]);
  write(300, exif);
  write(600, gps);
  return bytes;
}

function jpeg(block: Uint8Array): Uint8Array {
  const length = block.length + 8;
  return new Uint8Array([
    ...[0xff, 0xd8, 0xff, 0xe1, length >> 8, length & 255, 0x45, 0x78, 0x69, 0x66, 0, 0],
    ...block,
    ...[0xff, 0xc0, 0, 11, 8, 0x0b, 0xd0, 0x0f, 0xc0, 1, 1, 0x11, 0, 0xff, 0xda, 0, 2],
  ]);
}

const MAIN: Entry[] = [[0x010f, 2, "Canon\0"], [0x0110, 2, "Canon EOS R6\0"]];
const EXIF: Entry[] = [
  [0x829a, 5, [1, 250]], [0x829d, 5, [28, 10]], [0x8827, 3, [400]], [0x9003, 2, "2026:08:14 18:45:12\0"], [0x920a, 5, [35, 1]],
];
const GPS: Entry[] = [[1, 2, "S\0"], [2, 5, [33, 1, 51, 1, 0, 1]], [3, 2, "E\0"], [4, 5, [151, 1, 12, 1, 36, 1]]];

describe("what a camera wrote", () => {
  it.each([true, false])("is read, little-endian %s", (isLittle) => {
    const shot = readShot(jpeg(tiff(MAIN, EXIF, GPS, isLittle)));
    expect(shot).toMatchObject({
      camera: "Canon EOS R6", taken: "2026-08-14T18:45:12", exposure: 0.004, aperture: 2.8, iso: 400, focal: 35, width: 4032, height: 3024,
    });
    expect(shot.place?.lat).toBeCloseTo(-33.85);
    expect(shot.place?.lon).toBeCloseTo(151.21);
  });

  it("has a maker where the model does not say it", () => {
    expect(readShot(jpeg(tiff([[0x010f, 2, "Apple\0"], [0x0110, 2, "iPhone 15\0"]], [], [], true))).camera).toBe("Apple iPhone 15");
  });

  it("makes no sense where it makes none", () => {
    const strange = readShot(jpeg(tiff(MAIN, [[0x829a, 5, [1, 0]], [0x9003, 2, "0000:00:00 00:00:00\0"]], [[2, 5, [400, 1]], [4, 5, [1, 1]]], true)));
    expect(strange).toEqual({ camera: "Canon EOS R6", width: 4032, height: 3024 });
  });

  it("is found in PNG and WebP", () => {
    const block = tiff(MAIN, EXIF, GPS, true);
    const u32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
    const letters = (text: string) => [...text].map((one) => one.charCodeAt(0));
    const png = [137, 80, 78, 71, 13, 10, 26, 10, ...u32(13), ...letters("IHDR"), ...u32(640), ...u32(480), 8, 2, 0, 0, 0, ...u32(0),
      ...u32(block.length), ...letters("eXIf"), ...block, ...u32(0)];
    expect(readShot(new Uint8Array(png))).toMatchObject({ camera: "Canon EOS R6", width: 640, height: 480 });
    const size = [block.length & 255, block.length >> 8, 0, 0];
    const webp = [...letters("RIFF"), 0, 0, 0, 0, ...letters("WEBP"), ...letters("VP8X"), 10, 0, 0, 0, 8, 0, 0, 0, 0x7f, 2, 0, 0xdf, 1, 0,
      ...letters("EXIF"), ...size, ...block];
    expect(readShot(new Uint8Array(webp))).toMatchObject({ camera: "Canon EOS R6", width: 640, height: 480 });
  });

  it("does no harm, wherever it ends and whatever it says", () => {
    const whole = jpeg(tiff(MAIN, EXIF, GPS, true));
    for (let length = 0; length < whole.length; length += 7) readShot(whole.subarray(0, length));
    let seed = 7;
    const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
    for (let times = 0; times < 2000; times += 1) {
      const spoilt = whole.slice();
      for (let hits = 0; hits < 8; hits += 1) spoilt[Math.floor(random() * 700)] = Math.floor(random() * 256);
      readShot(spoilt);
    }
    expect(readShot(new Uint8Array())).toEqual({});
    expect(readShot(new Uint8Array(100).fill(255))).toEqual({});
  });
});
