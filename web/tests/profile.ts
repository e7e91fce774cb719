// A colour profile as cameras put it into JPEGs (ICC.1:2001-04): three primaries and one curve.

/** The primaries of Adobe RGB (1998) as seen under D50, and the power of its curve. */
const PRIMARIES = [["rXYZ", [0.60974, 0.31111, 0.01947]], ["gXYZ", [0.20528, 0.62567, 0.06087]], ["bXYZ", [0.14919, 0.06322, 0.74457]]] as const;
const POWER = 563 / 256;

export function adobeRgb(): Buffer {
  const fixed = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(Math.round(value * 65536));
    return bytes;
  };
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const colours = PRIMARIES.map(([name, xyz]) => ({ name: name as string, content: Buffer.concat([Buffer.from("XYZ \0\0\0\0"), ...xyz.map(fixed)]) }));
  const curve = Buffer.concat([Buffer.from("curv\0\0\0\0"), number(1), Buffer.from([POWER, (POWER % 1) * 256, 0, 0])]);
  const white = { name: "wtpt", content: Buffer.concat([Buffer.from("XYZ \0\0\0\0"), ...[0.9642, 1, 0.8249].map(fixed)]) };
  const tags = [white, ...colours, ...["rTRC", "gTRC", "bTRC"].map((name) => ({ name, content: curve }))];
  let offset = 128 + 4 + tags.length * 12;
  const table = tags.map(({ name, content }) => {
    const entry = Buffer.concat([Buffer.from(name), number(offset), number(content.length)]);
    offset += content.length;
    return entry;
  });
  const head = Buffer.alloc(128);
  head.writeUInt32BE(offset, 0);
  head.writeUInt32BE(0x02100000, 8);
  head.write("mntrRGB XYZ ", 12);
  head.write("acsp", 36);
  [0.9642, 1, 0.8249].forEach((value, at) => fixed(value).copy(head, 68 + at * 4));
  return Buffer.concat([head, number(tags.length), ...table, ...tags.map(({ content }) => content)]);
}

/** A JPEG whose numbers are meant by a profile. */
export function withProfile(jpeg: Buffer, profile: Buffer): Buffer {
  const name = Buffer.from("ICC_PROFILE\0\x01\x01");
  const head = Buffer.from([0xff, 0xe2, 0, 0]);
  head.writeUInt16BE(name.length + profile.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, name, profile, jpeg.subarray(2)]);
}
