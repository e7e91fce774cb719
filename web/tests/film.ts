// A film made by the browser itself: its VP8 encoder's pictures in a WebM file (RFC 9559) with an
// index, so that a player can go to any of them by asking for a range of bytes.
import type { Page } from "playwright-core";

export const SIZE = { width: 160, height: 120 };
const ID = {
  ebml: 0x1a45dfa3, docType: 0x4282, segment: 0x18538067, info: 0x1549a966, scale: 0x2ad7b1,
  duration: 0x4489, muxer: 0x4d80, writer: 0x5741, tracks: 0x1654ae6b, track: 0xae, number: 0xd7, uid: 0x73c5,
  type: 0x83, codec: 0x86, video: 0xe0, width: 0xb0, height: 0xba, cues: 0x1c53bb6b, cue: 0xbb, cueTime: 0xb3,
  cuePlace: 0xb7, cueTrack: 0xf7, cueCluster: 0xf1, cluster: 0x1f43b675, time: 0xe7, block: 0xa3, nothing: 0xec,
};

/** `perSecond` pictures a second, each `padding` bytes from the next: what is not asked for is not loaded. */
export async function film(page: Page, seconds: number, padding: number, perSecond = 1): Promise<Buffer> {
  const { pictures } = await encode(page, seconds * perSecond, { codec: "vp8" });
  const timeOf = (picture: number) => whole(Math.round((picture * 1000) / perSecond));
  const head = element(ID.ebml, element(ID.docType, Buffer.from("webm")));
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(seconds * 1000);
  const info = element(
    ID.info,
    element(ID.scale, whole(1_000_000)),
    element(ID.duration, duration),
    element(ID.muxer, Buffer.from("larder")),
    element(ID.writer, Buffer.from("larder")),
  );
  const video = element(ID.video, element(ID.width, whole(SIZE.width)), element(ID.height, whole(SIZE.height)));
  const track = element(
    ID.track,
    element(ID.number, whole(1)),
    element(ID.uid, whole(1)),
    element(ID.type, whole(1)),
    element(ID.codec, Buffer.from("V_VP8")),
    video,
  );
  const start = Buffer.concat([info, element(ID.tracks, track)]);
  const clusters = pictures.map((picture, number) => {
    // Track 1, at the cluster's own time, a key frame.
    const block = element(ID.block, Buffer.from([0x81, 0, 0, 0x80]), picture);
    return element(ID.cluster, element(ID.time, timeOf(number)), block, element(ID.nothing, Buffer.alloc(padding)));
  });
  // The index has the same length whatever it says, so its first draft tells where the pictures are.
  const index = (first: number) => {
    let place = first;
    const cues = clusters.map((cluster, number) => {
      const at = element(ID.cuePlace, element(ID.cueTrack, whole(1)), element(ID.cueCluster, whole(place)));
      place += cluster.length;
      return element(ID.cue, element(ID.cueTime, timeOf(number)), at);
    });
    return element(ID.cues, ...cues);
  };
  const cues = index(start.length + index(0).length);
  return Buffer.concat([head, element(ID.segment, start, cues, ...clusters)]);
}

/** Key frames, each in another colour than the one before; and what a decoder must know before them. */
export async function encode(
  page: Page,
  count: number,
  coding: Pick<VideoEncoderConfig, "codec" | "avc">,
): Promise<{ pictures: Buffer[]; setup: Buffer }> {
  const texts = await page.evaluate(
    async ([{ width, height }, many, how]) => {
      const toText = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
      const pictures: string[] = [];
      let setup = "";
      const encoder = new VideoEncoder({
        output: (chunk, about) => {
          const bytes = new Uint8Array(chunk.byteLength);
          chunk.copyTo(bytes);
          pictures.push(toText(bytes));
          const description = about?.decoderConfig?.description;
          if (description instanceof ArrayBuffer) setup = toText(new Uint8Array(description));
        },
        error: (cause) => {
          throw cause;
        },
      });
      encoder.configure({ ...how, width, height });
      const canvas = new OffscreenCanvas(width, height);
      const pen = canvas.getContext("2d");
      for (let second = 0; second < many; second += 1) {
        if (pen) pen.fillStyle = `hsl(${second * 6} 70% 50%)`;
        pen?.fillRect(0, 0, width, height);
        const frame = new VideoFrame(canvas, { timestamp: second * 1_000_000 });
        encoder.encode(frame, { keyFrame: true });
        frame.close();
      }
      await encoder.flush();
      return { pictures, setup };
    },
    [SIZE, count, coding] as const,
  );
  const toBytes = (text: string) => Buffer.from(text, "base64");
  return { pictures: texts.pictures.map(toBytes), setup: toBytes(texts.setup) };
}

/** An element: its id as it is written, its length in eight bytes, what is in it. */
function element(id: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const name = Buffer.from(id.toString(16).padStart(id > 0xffffff ? 8 : id > 0xffff ? 6 : id > 0xff ? 4 : 2, "0"), "hex");
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE((1n << 56n) | BigInt(body.length));
  return Buffer.concat([name, length, body]);
}

/** A whole number in eight bytes. */
function whole(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
