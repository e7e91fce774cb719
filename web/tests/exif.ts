// What cameras write into pictures (Exif 2.32, TIFF 6.0), made by hand.

export type Entry = [tag: number, type: 2 | 3 | 4 | 5, value: string | number[]];

/** A TIFF block with a main directory, and one of the camera's and one of the place below it. */
export function tiff(main: Entry[], exif: Entry[], gps: Entry[], isLittle: boolean): Uint8Array {
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

/** The part of a JPEG that has it. */
export function exifPart(block: Uint8Array): Uint8Array {
  const length = block.length + 8;
  return new Uint8Array([0xff, 0xe1, length >> 8, length & 255, 0x45, 0x78, 0x69, 0x66, 0, 0, ...block]);
}

/** A JPEG of 4032 x 3024 pixels of which the picture itself is missing. */
export function jpeg(block: Uint8Array): Uint8Array {
  return new Uint8Array([
    ...[0xff, 0xd8],
    ...exifPart(block),
    ...[0xff, 0xc0, 0, 11, 8, 0x0b, 0xd0, 0x0f, 0xc0, 1, 1, 0x11, 0, 0xff, 0xda, 0, 2],
  ]);
}

export const MAIN: Entry[] = [[0x010f, 2, "Canon\0"], [0x0110, 2, "Canon EOS R6\0"]];
export const EXIF: Entry[] = [
  [0x829a, 5, [1, 250]], [0x829d, 5, [28, 10]], [0x8827, 3, [400]], [0x9003, 2, "2026:08:14 18:45:12\0"], [0x920a, 5, [35, 1]],
];
export const GPS: Entry[] = [[1, 2, "S\0"], [2, 5, [33, 1, 51, 1, 0, 1]], [3, 2, "E\0"], [4, 5, [151, 1, 12, 1, 36, 1]]];
