import { describe, expect, it } from "vitest";
import { EXIF, GPS, jpeg, MAIN, tiff } from "../../../tests/exif.ts";
import { readShot } from "./exif.ts";

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
