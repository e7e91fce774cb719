// Pictures that larder leaves to browsers, byte by byte.

/** Two colours in a GIF (GIF89a): whatever lies left is of the first, the rest of the second. */
export function gif(width: number, height: number, left: readonly number[], right: readonly number[]): Buffer {
  const head = Buffer.alloc(13);
  head.write("GIF89a", 0, "latin1");
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  // A table of 128 colours: then each code is one byte for as long as no longer ones are due.
  head[10] = 0b1111_0110;
  const colours = Buffer.alloc(128 * 3);
  colours.set(left, 0);
  colours.set(right, 3);
  const frame = Buffer.alloc(10);
  frame[0] = 0x2c;
  frame.writeUInt16LE(width, 5);
  frame.writeUInt16LE(height, 7);
  return Buffer.concat([head, colours, frame, Buffer.from([7]), ...codesOf(width, height), Buffer.from([0, 0x3b])]);
}

/** The pixels as codes, a clearing one before every hundred; in blocks of at most 255 bytes. */
function codesOf(width: number, height: number): Buffer[] {
  const codes: number[] = [];
  for (let at = 0; at < width * height; at += 1) {
    if (at % 100 === 0) codes.push(0x80);
    codes.push(at % width < width / 2 ? 0 : 1);
  }
  codes.push(0x81);
  const blocks: Buffer[] = [];
  for (let at = 0; at < codes.length; at += 255) {
    const block = codes.slice(at, at + 255);
    blocks.push(Buffer.from([block.length, ...block]));
  }
  return blocks;
}

/**
 * A JPEG in one grey, of nothing but the mean of each block (ITU-T T.81): in four colours of ink as printers
 * want it, or progressive and too large for larder.
 */
export function plainJpeg(width: number, height: number, form: "cmyk" | "progressive"): Buffer {
  const parts = form === "cmyk" ? 4 : 3;
  const each = [...Array(parts).keys()];
  const frame = Buffer.from([8, height >> 8, height & 255, width >> 8, width & 255, parts, ...each.flatMap((id) => [id + 1, 0x11, 0])]);
  const last = form === "cmyk" ? 63 : 0;
  const scan = Buffer.from([parts, ...each.flatMap((id) => [id + 1, 0]), 0, last, 0]);
  // One code of one bit in each table: "as before", and "nothing more in this block".
  const table = (kind: number) => segment(0xc4, Buffer.from([kind << 4, 1, ...Array(15).fill(0), 0]));
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8) * parts;
  const bits = blocks * (form === "cmyk" ? 2 : 1);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    form === "cmyk" ? segment(0xee, Buffer.from("Adobe\0\x64\0\0\0\0\0", "latin1")) : Buffer.alloc(0),
    segment(0xdb, Buffer.from([0, ...Array(64).fill(1)])),
    segment(form === "cmyk" ? 0xc0 : 0xc2, frame),
    table(0),
    form === "cmyk" ? table(1) : Buffer.alloc(0),
    segment(0xda, scan),
    Buffer.alloc(Math.ceil(bits / 8)),
    Buffer.from([0xff, 0xd9]),
  ]);
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/** A drawing that tries to do more than be looked at. */
export function svg(elsewhere: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 24 12">
  <script>document.title = "run"; fetch("${elsewhere}/script")</script>
  <style>@import url("${elsewhere}/style.css");</style>
  <rect width="24" height="12" fill="#c33" onload="fetch('${elsewhere}/load')"/>
  <rect width="12" height="12" fill="#36c"/>
  <image href="${elsewhere}/image.png" width="4" height="4"/>
  <foreignObject width="4" height="4"><iframe xmlns="http://www.w3.org/1999/xhtml" src="${elsewhere}/frame"></iframe></foreignObject>
</svg>`;
}
