// JPEGs that no browser writes: grey ones and ones in printing inks, of blocks in one colour each (ITU-T T.81, baseline).

/** Blocks to a side, each of 8 x 8 pixels. */
const BLOCKS = 16;

/** Zeros and ones, filled up to bytes as a scan has them. */
class Bits {
  #text = "";

  add(value: number, length: number): void {
    if (length > 0) this.#text += value.toString(2).padStart(length, "0");
  }

  /** The bytes; a byte of ones is followed by a zero, so that it is no marker. */
  bytes(): number[] {
    const filled = this.#text.padEnd(Math.ceil(this.#text.length / 8) * 8, "1");
    const bytes = filled.match(/.{8}/g) ?? [];
    return bytes.flatMap((one) => (one === "11111111" ? [255, 0] : [parseInt(one, 2)]));
  }
}

function segment(marker: number, content: readonly number[]): number[] {
  const length = content.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...content];
}

/** A square of four quarters; each is told by its components, from 0 to 255. */
export function flatJpeg(quarters: readonly (readonly number[])[]): Buffer {
  const count = quarters[0]?.length ?? 1;
  const side = BLOCKS * 8;
  const bits = new Bits();
  const before = new Array<number>(count).fill(0);
  for (let block = 0; block < BLOCKS * BLOCKS; block += 1) {
    const [x, y] = [block % BLOCKS, Math.floor(block / BLOCKS)];
    const quarter = quarters[(y < BLOCKS / 2 ? 0 : 2) + (x < BLOCKS / 2 ? 0 : 1)] ?? [];
    for (let one = 0; one < count; one += 1) {
      // The mean of the block, eight times as large, as a step from the block before.
      const level = ((quarter[one] ?? 0) - 128) * 8;
      const step = level - (before[one] ?? 0);
      before[one] = level;
      const size = step === 0 ? 0 : Math.floor(Math.log2(Math.abs(step))) + 1;
      bits.add(size, 4);
      bits.add(step < 0 ? step + 2 ** size - 1 : step, size);
      // Nothing but the mean.
      bits.add(0, 1);
    }
  }
  const components = Array.from({ length: count }, (_, at) => at + 1);
  // Adobe's way with inks: told the other way round, and not as light and colour.
  const adobe = count === 4 ? segment(0xee, [...Buffer.from("Adobe"), 0, 100, 0, 0, 0, 0, 0]) : [];
  return Buffer.from([
    ...[0xff, 0xd8],
    ...adobe,
    ...segment(0xdb, [0, ...new Array<number>(64).fill(1)]),
    ...segment(0xc0, [8, 0, side, 0, side, count, ...components.flatMap((one) => [one, 0x11, 0])]),
    // Twelve sizes of steps in four bits each, and "nothing more" in one bit.
    ...segment(0xc4, [0, ...[0, 0, 0, 12], ...new Array<number>(12).fill(0), ...Array.from({ length: 12 }, (_, size) => size)]),
    ...segment(0xc4, [0x10, 1, ...new Array<number>(15).fill(0), 0]),
    ...segment(0xda, [count, ...components.flatMap((one) => [one, 0]), 0, 63, 0]),
    ...bits.bytes(),
    ...[0xff, 0xd9],
  ]);
}
