// What makes the pages an app on a home screen: the manifest, its icons drawn from src/icon.svg, and the words in the
// pages' heads that name them. The worker beside them is built by vite.worker.config.ts.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import type { HtmlTagDescriptor, Plugin } from "vite";

/** Where the manifest is, as the contract says; beside it in `dist`. */
const MANIFEST = "manifest.webmanifest";
/** What the page's ground is in either theme; see styles/tokens.css, which a test compares. */
export const GROUND = { light: "#faf7f3", dark: "#181512" };
const SIGN = resolve(import.meta.dirname, "src/icon.svg");

/** How an icon is drawn: `sign` of its width is the sign's, on a ground that is its own or none. */
interface Look {
  /** Pixels of a side. */
  size: number;
  sign: number;
  ground: string | undefined;
}

/** What is cut to any shape keeps the inner four fifths (W3C manifest, "maskable"). iOS knows no ground but black. */
const LOOKS: Record<string, Look> = {
  "app-192": { size: 192, sign: 1, ground: undefined },
  "app-512": { size: 512, sign: 1, ground: undefined },
  "app-maskable": { size: 512, sign: 0.72, ground: GROUND.light },
  "app-touch": { size: 180, sign: 0.86, ground: GROUND.light },
};

/** Points that a pixel is looked at by, each way: the edges' shades. */
const SAMPLES = 4;

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

/** A rectangle with round corners. */
interface Shape {
  x: number;
  y: number;
  width: number;
  height: number;
  radius: number;
  colour: Colour;
}

export function homeScreen(): Plugin {
  const files = new Map<string, string>();
  return {
    name: "larder-home-screen",
    apply: "build",
    buildStart() {
      const { shapes, side } = readSign(readFileSync(SIGN, "utf8"));
      for (const [name, look] of Object.entries(LOOKS)) {
        files.set(name, this.emitFile({ type: "asset", name: `${name}.png`, source: draw(shapes, side, look) }));
      }
    },
    generateBundle() {
      const addressOf = (name: string) => `/web/${this.getFileName(files.get(name) ?? "")}`;
      this.emitFile({ type: "asset", fileName: MANIFEST, source: JSON.stringify(manifest(addressOf)) });
    },
    transformIndexHtml: {
      order: "post",
      handler: (_html, { bundle }) => {
        const touch = Object.keys(bundle ?? {}).find((file) => /\/app-touch-[^/]*\.png$/.test(file));
        if (touch === undefined) throw new Error("the touch icon is missing");
        return tags(`/web/${touch}`);
      },
    },
  };
}

/** W3C Web Application Manifest, with its share target. */
function manifest(addressOf: (name: string) => string): object {
  const icon = (name: string, purpose: string) => {
    const { size } = LOOKS[name] ?? { size: 0 };
    return { src: addressOf(name), type: "image/png", sizes: `${size}x${size}`, purpose };
  };
  return {
    name: "larder",
    short_name: "larder",
    id: "/",
    start_url: "/",
    scope: "/",
    display: "standalone",
    background_color: GROUND.light,
    theme_color: GROUND.light,
    icons: [icon("app-192", "any"), icon("app-512", "any"), icon("app-maskable", "maskable")],
    share_target: {
      action: "/share",
      method: "POST",
      enctype: "multipart/form-data",
      params: {
        title: "title",
        text: "text",
        url: "url",
        // Browsers differ in which of the two they take for "of any kind".
        files: [{ name: "files", accept: ["*/*", ".*"] }],
      },
    },
  };
}

function tags(touch: string): HtmlTagDescriptor[] {
  const tag = (name: string, attrs: Record<string, string>): HtmlTagDescriptor => ({ tag: name, attrs, injectTo: "head" });
  const ground = (theme: keyof typeof GROUND) =>
    tag("meta", { name: "theme-color", media: `(prefers-color-scheme: ${theme})`, content: GROUND[theme] });
  return [
    tag("link", { rel: "manifest", href: `/web/${MANIFEST}` }),
    tag("link", { rel: "apple-touch-icon", href: touch }),
    ground("light"),
    ground("dark"),
  ];
}

/** The shapes of the sign, in their order; it may have rectangles alone. */
function readSign(svg: string): { shapes: Shape[]; side: number } {
  const side = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const shapes = [...svg.matchAll(/<(?!\/|svg)(\w+)([^>]*)>/g)].map(([, kind = "", attributes = ""]) => {
    if (kind !== "rect") throw new Error(`the sign has a ${kind}, which nobody can draw yet`);
    const of = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
    const number = (name: string) => Number(of(name));
    return {
      x: number("x"),
      y: number("y"),
      width: number("width"),
      height: number("height"),
      radius: number("rx"),
      colour: colourOf(of("fill")),
    };
  });
  if (!(side > 0) || shapes.length === 0) throw new Error("the sign is empty");
  return { shapes, side };
}

/** `#rgb` or `#rrggbb`. */
function colourOf(hex: string): Colour {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit) : (hex.slice(1).match(/../g) ?? []);
  const [red = NaN, green = NaN, blue = NaN] = digits.map((pair) => parseInt(pair, 16));
  if (Number.isNaN(red + green + blue)) throw new Error(`${hex} is no colour`);
  return [red, green, blue, 255];
}

/** The picture as PNG. */
function draw(shapes: readonly Shape[], side: number, { size, sign, ground }: Look): Buffer {
  const scale = side / (size * sign);
  const margin = (size * (1 - sign)) / 2;
  const under = ground === undefined ? undefined : colourOf(ground);
  const pixels: Colour[] = [];
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      pixels.push(mix(pointsIn(x, y).map(([px, py]) => colourAt(shapes, (px - margin) * scale, (py - margin) * scale) ?? under)));
    }
  }
  return png(pixels, size);
}

function pointsIn(x: number, y: number): [x: number, y: number][] {
  return Array.from({ length: SAMPLES * SAMPLES }, (_, at) => [
    x + ((at % SAMPLES) + 0.5) / SAMPLES,
    y + (Math.floor(at / SAMPLES) + 0.5) / SAMPLES,
  ]);
}

/** What is on top at a point. */
function colourAt(shapes: readonly Shape[], x: number, y: number): Colour | undefined {
  return shapes.findLast((shape) => isIn(shape, x, y))?.colour;
}

function isIn({ x, y, width, height, radius }: Shape, px: number, py: number): boolean {
  if (px < x || py < y || px >= x + width || py >= y + height) return false;
  // How far it is beyond the middle of the nearest corner, each way.
  const dx = Math.max(x + radius - px, 0, px - (x + width - radius));
  const dy = Math.max(y + radius - py, 0, py - (y + height - radius));
  return Math.hypot(dx, dy) <= radius;
}

/** The mean of some points; those without a colour are seen through. */
function mix(points: readonly (Colour | undefined)[]): Colour {
  const seen = points.filter((one) => one !== undefined);
  if (seen.length === 0) return [0, 0, 0, 0];
  const mean = (at: 0 | 1 | 2) => Math.round(seen.reduce((sum, one) => sum + one[at], 0) / seen.length);
  return [mean(0), mean(1), mean(2), Math.round((255 * seen.length) / points.length)];
}

/** PNG (ISO 15948) of colours from a list, which these few shapes never fill. */
function png(pixels: readonly Colour[], size: number): Buffer {
  const list = new Map<string, number>();
  const rows = Buffer.alloc(size * (size + 1));
  pixels.forEach((colour, at) => {
    const key = colour.join();
    if (!list.has(key)) list.set(key, list.size);
    rows[Math.floor(at / size) * (size + 1) + 1 + (at % size)] = list.get(key) ?? 0;
  });
  if (list.size > 256) throw new Error(`an icon has ${list.size} colours`);
  const colours = [...list.keys()].map((key) => key.split(",").map(Number));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Eight bits, from a list; every row as it is.
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("PLTE", Buffer.from(colours.flatMap((colour) => colour.slice(0, 3)))),
    chunk("tRNS", Buffer.from(colours.map((colour) => colour[3] ?? 255))),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
