// PNGs that no browser writes: of 16 bits to a colour, and in seven passes (PNG 1.2).
import { crc32, deflateSync } from "node:zlib";

const SIDE = 128;
/** The seven passes: where each begins, and in which steps it goes. */
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]] as const;

function chunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A square of four quarters in red, green and blue, from 0 to 255. */
export function flatPng(quarters: readonly (readonly number[])[], depth: 8 | 16, isInterlaced: boolean): Buffer {
  const at = (x: number, y: number) => quarters[(y < SIDE / 2 ? 0 : 2) + (x < SIDE / 2 ? 0 : 1)] ?? [];
  const rows: number[] = [];
  for (const [left, top, across, down] of isInterlaced ? PASSES : [[0, 0, 1, 1] as const]) {
    for (let y = top; y < SIDE; y += down) {
      rows.push(0);
      for (let x = left; x < SIDE; x += across) rows.push(...(depth === 8 ? at(x, y) : at(x, y).flatMap((value) => [value, value])));
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(SIDE, 0);
  head.writeUInt32BE(SIDE, 4);
  head.set([depth, 2, 0, 0, isInterlaced ? 1 : 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(Buffer.from(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
