// Pictures that look as if somebody had been there: hills, seas, woods, fields, flowers and nights, each another by
// its number. They are computed point by point, so they have the fine detail that real photos have and smooth
// drawings lack: what they weigh when they are made small is what photos weigh.
import type { Page } from "playwright-core";

type Colour = readonly [number, number, number];
/** A point of a picture (`u` to the right, `v` downwards, both by its height) to the light there. */
type Shader = (u: number, v: number) => Colour;

/** The light of an hour: the sky above and at the horizon, the sun and its height, and what lies in the shade. */
interface Hour {
  zenith: Colour;
  horizon: Colour;
  sun: Colour;
  sunV: number;
  shade: Colour;
  cloud: Colour;
}

const HOURS: readonly Hour[] = [
  // A clear forenoon, a summer's noon, a golden evening, after sunset, a misty morning, a soft grey day.
  { zenith: [0.2, 0.42, 0.72], horizon: [0.72, 0.84, 0.92], sun: [1, 0.96, 0.86], sunV: 0.08, shade: [0.14, 0.22, 0.2], cloud: [0.98, 0.98, 0.97] },
  { zenith: [0.13, 0.38, 0.74], horizon: [0.66, 0.82, 0.93], sun: [1, 0.97, 0.9], sunV: -0.3, shade: [0.12, 0.22, 0.16], cloud: [1, 1, 1] },
  { zenith: [0.36, 0.46, 0.62], horizon: [0.98, 0.76, 0.5], sun: [1, 0.86, 0.58], sunV: 0.4, shade: [0.2, 0.17, 0.17], cloud: [0.99, 0.82, 0.66] },
  { zenith: [0.15, 0.19, 0.37], horizon: [0.93, 0.56, 0.46], sun: [1, 0.64, 0.42], sunV: 0.5, shade: [0.09, 0.09, 0.16], cloud: [0.82, 0.5, 0.53] },
  { zenith: [0.56, 0.68, 0.76], horizon: [0.94, 0.89, 0.8], sun: [1, 0.95, 0.82], sunV: 0.3, shade: [0.2, 0.28, 0.3], cloud: [0.97, 0.94, 0.9] },
  { zenith: [0.56, 0.63, 0.69], horizon: [0.84, 0.87, 0.88], sun: [0.95, 0.96, 0.96], sunV: 0.15, shade: [0.17, 0.22, 0.22], cloud: [0.9, 0.91, 0.92] },
];

const mix = (a: Colour, b: Colour, part: number): Colour => {
  const t = Math.min(1, Math.max(0, part));
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
};
const lit = (a: Colour, by: number): Colour => [a[0] * by, a[1] * by, a[2] * by];
const plus = (a: Colour, b: Colour, part = 1): Colour => [a[0] + b[0] * part, a[1] + b[1] * part, a[2] + b[2] * part];
const step = (from: number, to: number, value: number) => {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
};

/** A number from 0 to 1 that looks like chance and is always the same. */
function chance(x: number, y: number): number {
  let bits = Math.imul(x | 0, 374761393) + Math.imul(y | 0, 668265263);
  bits = Math.imul(bits ^ (bits >>> 13), 1274126177);
  return ((bits ^ (bits >>> 16)) >>> 0) / 4294967296;
}

/** Chance made smooth: 0 to 1. */
function noise(x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [dx, dy] = [x - left, y - top];
  const [sx, sy] = [dx * dx * (3 - 2 * dx), dy * dy * (3 - 2 * dy)];
  const above = chance(left, top) + (chance(left + 1, top) - chance(left, top)) * sx;
  const below = chance(left, top + 1) + (chance(left + 1, top + 1) - chance(left, top + 1)) * sx;
  return above + (below - above) * sy;
}

/** Chance at many scales, as in clouds and stone: 0 to 1, mostly about one half. */
function cloudy(x: number, y: number, octaves: number): number {
  let [sum, part, px, py] = [0, 0.5, x, y];
  for (let octave = 0; octave < octaves; octave += 1) {
    sum += noise(px, py) * part;
    [px, py] = [px * 1.62 - py * 1.18 + 7.3, px * 1.18 + py * 1.62 + 3.1];
    part *= 0.5;
  }
  return sum / (1 - part * 2);
}

/** Sharp crests. */
function crests(x: number, y: number, octaves: number): number {
  let [sum, part, px, py] = [0, 0.5, x, y];
  for (let octave = 0; octave < octaves; octave += 1) {
    sum += (1 - Math.abs(noise(px, py) * 2 - 1)) * part;
    [px, py, part] = [px * 2.03 + 11, py * 2.03 + 5, part * 0.46];
  }
  return sum;
}

/** Sky with clouds; the sun stands over `sunU`. */
function sky(hour: Hour, seed: number, sunU: number, end: number): Shader {
  const veil = chance(seed, 3);
  return (u, v) => {
    const down = Math.min(1, Math.max(0, v / end));
    const plain = mix(hour.zenith, hour.horizon, down ** 1.25);
    const away = Math.hypot(u - sunU, (v - hour.sunV) * 1.15);
    const glow = Math.exp(-away * 3.2) * 0.55 + Math.exp(-away * 14) * 0.5;
    const bright = mix(plain, hour.sun, glow);
    const far = 1.1 - down * 0.85;
    const [x, y] = [u * 1.6 / far + seed * 3.7, v * 4.4 / far + seed];
    const body = cloudy(x + cloudy(x * 2, y * 2, 3) * 0.5, y, 6);
    const thick = step(0.6 - veil * 0.16, 0.84 - veil * 0.1, body) * step(0, 0.25, 1.05 - down);
    const edge = mix(lit(hour.cloud, 0.8), hour.cloud, step(0.05, -0.1, body - cloudy(x - 0.1, y - 0.16, 4)));
    const disc = step(0.034, 0.026, away) * step(0.25, 0.3, hour.sunV);
    return mix(mix(bright, plus(edge, hour.sun, glow * 0.3), thick * 0.8), plus(hour.sun, [0.2, 0.2, 0.2]), disc * (1 - thick * 0.7));
  };
}

/** Ridges behind each other; the farther, the more air lies before them. */
function ridges(hour: Hour, seed: number, first: number, last: number, near: Colour, count: number, isHigh: boolean, behind: Shader): Shader {
  return (u, v) => {
    for (let layer = count - 1; layer >= 0; layer -= 1) {
      const depth = 1 - layer / Math.max(1, count - 1);
      const base = first + (last - first) * (1 - depth) ** 1.15;
      const rough = isHigh && depth > 0.4 ? crests(u * 1.15 + seed * 9.1 + layer * 31, layer, 7) : cloudy(u * (1.2 + layer * 0.5) + seed * 5 + layer * 17, layer * 9, 6);
      const line = base - (rough - 0.45) * (isHigh ? 0.66 - layer * 0.06 : 0.22);
      if (v < line) continue;
      const under = v - line;
      const [x, y] = [u * 7 + layer * 40, v * 10 + seed];
      const slope = isHigh && depth > 0.4
        ? (crests(x * 0.7 + under * 5, y * 0.3, 6) - crests(x * 0.7 + under * 5 + 0.05, y * 0.3, 6)) * 1.2
        : cloudy(x, y, 6) - cloudy(x + 0.14, y + 0.1, 6);
      let ground = lit(mix(near, hour.shade, 0.25 + cloudy(u * 30, v * 50 + layer, 4) * 0.5), 0.95 + slope * 2.6);
      if (isHigh && depth > 0.4) {
        const snow = step(0.2, 0.06, under + (cloudy(u * 9, v * 5, 5) - 0.5) * 0.34 - slope * 0.25);
        ground = mix(lit([0.42, 0.43, 0.47], 1 + slope * 3), lit(mix([0.95, 0.96, 0.99], hour.sun, 0.3), 0.95 + slope * 1.7), snow);
      }
      const air = mix(hour.horizon, hour.zenith, 0.18);
      return mix(ground, air, depth * 0.74 + under * depth * 0.5 + (1 - depth) * 0.04);
    }
    return behind(u, v);
  };
}

/** Still or moving water from `from` downwards: it mirrors what is above. */
function water(hour: Hour, seed: number, from: number, sunU: number, isStill: boolean, above: Shader): Shader {
  return (u, v) => {
    if (v <= from) return above(u, v);
    const far = 0.02 + v - from;
    const [x, y] = [(u - 0.7) * 1.6 / far, 1.4 / far];
    const wave = cloudy(x * 0.7 + seed, y * 3.2, 5) - 0.5;
    const sway = wave * (isStill ? 0.05 : 0.12) * Math.min(1, far * 5);
    const mirrored = above(u + sway * 0.25, Math.max(0, from - (v - from) * 0.92 + sway));
    const deep = mix(hour.shade, [0.1, 0.3, 0.36], 0.55);
    const seen = mix(deep, mirrored, (isStill ? 0.82 : 0.62) - far * (isStill ? 0.3 : 0.42) + wave * 0.5);
    const path = Math.exp(-(((u - sunU) / (0.05 + far * 0.3)) ** 2));
    return plus(seen, hour.sun, path * step(0.04, 0.24, wave + 0.02) * (hour.sunV > 0.2 ? 0.75 : 0.3));
  };
}

/** Firs in rows; fog lies between. */
function firs(hour: Hour, seed: number, from: number, to: number, count: number, tone: Colour, behind: Shader): Shader {
  return (u, v) => {
    for (let layer = count - 1; layer >= 0; layer -= 1) {
      const near = layer / Math.max(1, count - 1);
      const wide = 0.03 + near * 0.075;
      const floor = from + (to - from) * near + (cloudy(u * 2 + layer * 7, seed, 3) - 0.5) * 0.14;
      const cell = Math.floor(u / wide);
      let isTree = v > floor;
      for (let other = cell - 1; other <= cell + 1 && !isTree; other += 1) {
        const [tall, aside] = [chance(other + seed * 77, layer), chance(other, layer + seed * 31)];
        if (tall < 0.14) continue;
        const middle = (other + 0.2 + aside * 0.6) * wide;
        const top = floor - wide * (1.2 + tall * 2.6);
        const down = v - top;
        const bough = 0.55 + 0.45 * (((down / wide) * 5.5 + aside) % 1) + (noise(u * 900, v * 500) - 0.5) * 0.5;
        isTree = down > 0 && Math.abs(u - middle) < (down * 0.2 + 0.0012) * bough;
      }
      if (!isTree) continue;
      const leaf = lit(mix(hour.shade, tone, 0.35 + cloudy(u * 60, v * 70, 3) * 0.75), 0.62 + noise(u * 260, v * 300) * 0.6);
      const fog = (1 - near) * 0.72 + step(0, 0.3, v - floor + 0.1) * (1 - near) * 0.3;
      return mix(leaf, hour.horizon, Math.min(0.94, fog));
    }
    return behind(u, v);
  };
}

/** Sand with a line of foam, below the sea. */
function beach(hour: Hour, seed: number, from: number, behind: Shader): Shader {
  return (u, v) => {
    const line = from + u * 0.06 + (cloudy(u * 2.4 + seed, seed, 4) - 0.5) * 0.12;
    if (v < line - 0.05) return behind(u, v);
    const [inland, grain] = [v - line, cloudy(u * 90, v * 160, 4)];
    const ripple = cloudy(u * 6 + v * 3, v * 34, 4);
    const dry = lit(mix([0.86, 0.77, 0.62], hour.sun, 0.25), 0.62 + ripple * 0.3 + grain * 0.28);
    const sand = mix(mix(lit(dry, 0.62), hour.horizon, 0.25), dry, step(0.02, 0.16, inland + (ripple - 0.5) * 0.05));
    const foam = step(0.05, 0, Math.abs(inland + 0.015)) * step(0.36, 0.6, cloudy(u * 16, v * 26 + seed, 5));
    return mix(mix(behind(u, v), sand, step(-0.02, 0.015, inland)), [0.97, 0.98, 0.98], foam * 0.85);
  };
}

/** Rows of blossoms that meet at the horizon. */
function field(hour: Hour, seed: number, from: number, bloom: Colour, behind: Shader): Shader {
  const meet = 0.35 + chance(seed, 8) * 0.8;
  return (u, v) => {
    const far = v - from - (cloudy(u * 1.5 + seed, 2, 4) - 0.5) * 0.03;
    if (far < 0) return behind(u, v);
    const row = (u - meet) / (far + 0.05) * 2.6;
    const crown = Math.cos(row * Math.PI * 2) * 0.5 + 0.5 + (cloudy(u * 70 / (0.3 + far), v * 70 / (0.3 + far), 3) - 0.5) * 0.8;
    const speck = noise(u * 420 / (0.5 + far), v * 420 / (0.5 + far));
    const flower = lit(mix(bloom, hour.sun, speck ** 4 * 0.6), 0.55 + crown * 0.4 + speck * 0.2);
    const leaf = lit(mix(hour.shade, [0.32, 0.42, 0.2], 0.7), 0.6 + speck * 0.7);
    return mix(mix(leaf, flower, step(0.3, 0.62, crown)), hour.horizon, Math.exp(-far * 9) * 0.62);
  };
}

/** One tree that stands alone. */
function tree(hour: Hour, seed: number, at: number, floor: number, tall: number, leaves: Colour, behind: Shader): Shader {
  return (u, v) => {
    const [x, y] = [(u - at) / tall, (floor - v) / tall];
    if (Math.abs(x) > 0.75 || y < -0.05 || y > 1.2) return behind(u, v);
    const trunk = Math.abs(x + Math.sin(y * 5 + seed) * 0.015) < 0.035 * (1.25 - y) && y < 0.62 && y > 0;
    const shape = Math.hypot(x / 0.52, (y - 0.66) / 0.4) + (cloudy(x * 5 + seed * 3, y * 5, 6) - 0.5) * 1.15;
    const isLeaf = shape < 0.93 + (noise(u * 420, v * 420) - 0.5) * 0.3;
    if (isLeaf) {
      const light = 0.5 + step(-0.5, 0.6, y - 0.55 + (hour.sunV > 0.3 ? 0.2 : -0.05) + (cloudy(x * 9, y * 9 + 4, 5) - 0.5) * 1.6) * 0.65;
      return lit(mix(leaves, hour.sun, noise(u * 300, v * 300) * 0.22), light * (0.75 + noise(u * 200, v * 230) * 0.4));
    }
    return trunk ? lit([0.24, 0.18, 0.14], 0.7 + noise(u * 200, v * 40) * 0.6) : behind(u, v);
  };
}

/** A flower up close; everything behind it melts into discs of light. */
function blossom(seed: number): Shader {
  const tones: readonly [Colour, Colour][] = [
    [[0.93, 0.42, 0.36], [0.97, 0.78, 0.3]],
    [[0.97, 0.95, 0.9], [0.95, 0.73, 0.16]],
    [[0.62, 0.48, 0.82], [0.97, 0.83, 0.42]],
    [[0.97, 0.78, 0.22], [0.45, 0.27, 0.12]],
    [[0.92, 0.6, 0.72], [0.98, 0.88, 0.52]],
  ];
  const [petal, heart] = tones[seed % tones.length] ?? [[1, 1, 1], [1, 1, 0]];
  const [x0, y0, size] = [0.52 + chance(seed, 1) * 0.35, 0.42 + chance(seed, 2) * 0.12, 0.3 + chance(seed, 3) * 0.1];
  const count = 8 + Math.floor(chance(seed, 4) * 14);
  const ground: Colour = [0.2 + chance(seed, 5) * 0.14, 0.32 + chance(seed, 6) * 0.1, 0.2];
  const discs = Array.from({ length: 26 }, (_, at) => ({
    u: chance(at, seed + 50) * 1.6, v: chance(at, seed + 51), r: 0.04 + chance(at, seed + 52) * 0.07, light: chance(at, seed + 53) * 0.3,
  }));
  return (u, v) => {
    let behind = mix(ground, [0.66, 0.72, 0.44], step(1.1, -0.2, v + (cloudy(u * 1.6, v * 1.6 + seed, 2) - 0.5) * 1.1) * 0.8);
    for (const { u: du, v: dv, r, light } of discs) {
      behind = plus(behind, [0.95, 0.95, 0.66], step(r, r * 0.86, Math.hypot(u - du, v - dv)) * light * 0.55);
    }
    if (v > y0 && Math.abs(u - x0 - (v - y0) ** 2 * 0.16) < 0.013) behind = lit([0.36, 0.48, 0.22], 0.8 + (u - x0) * 12);
    const [x, y] = [u - x0, (v - y0) * 1.16];
    const [away, turn] = [Math.hypot(x, y) / size, Math.atan2(y, x)];
    const disc = 0.27 + (noise(u * 120, v * 120) - 0.5) * 0.03;
    if (away < disc) {
      const seedling = noise(u * 240, v * 240);
      return lit(heart, 0.55 + seedling * 0.45 + (0.27 - away) * 0.9 - step(0.1, 0.27, away) * 0.1 + y * -0.6);
    }
    for (const layer of [0.5, 0]) {
      const part = (turn / (Math.PI * 2)) * count + layer + (noise(turn * 2, seed) - 0.5) * 0.3;
      const across = Math.abs(((part % 1) + 1) % 1 - 0.5) * 2;
      const reach = 0.94 + (chance(Math.floor(part), seed + layer * 9) - 0.5) * 0.2;
      if (away / reach > 1 - across ** 2.4 * 0.4 || across > 0.97) continue;
      const vein = noise(part * 26, away * 3) * 0.1;
      const light = 0.72 + away * 0.3 - across ** 3 * 0.3 + vein - (layer === 0.5 ? 0 : 0.16) - step(0.42, 0.26, away) * 0.25;
      return lit(mix(petal, heart, step(0.5, 0.2, away) * 0.35), light);
    }
    return behind;
  };
}

/** Stars over black hills, and a house in which somebody is up. */
function night(seed: number): Shader {
  const at = 0.3 + chance(seed, 2) * 0.9;
  return (u, v) => {
    const floor = 0.78 - (cloudy(u * 1.6 + seed * 3, seed, 6) - 0.5) * 0.34;
    const [x, y] = [u - at, v - 0.845];
    if (Math.abs(x) < 0.045 && y > -0.02 && y < 0.03) {
      const isWindow = Math.abs(Math.abs(x) - 0.02) < 0.009 && Math.abs(y - 0.004) < 0.01;
      return isWindow ? [1, 0.8, 0.42] : [0.06, 0.055, 0.06];
    }
    if (y <= -0.02 && y > -0.06 && Math.abs(x) < 0.056 * (1 + (y + 0.02) / 0.04)) return [0.035, 0.035, 0.05];
    const warm = Math.exp(-Math.hypot(x * 1.2, y) * 14) * 0.3;
    if (v > floor) return plus(lit([0.035, 0.045, 0.06], 0.7 + cloudy(u * 30, v * 40, 4) * 0.7), [1, 0.6, 0.25], warm);
    const far = mix([0.03, 0.05, 0.13], [0.16, 0.22, 0.34], step(0, 0.85, v) ** 1.5);
    const band = Math.exp(-(((u * 0.75 - v - 0.16 + (cloudy(u * 2, v * 2 + seed, 4) - 0.5) * 0.3) / 0.2) ** 2));
    const milk = plus(far, [0.42, 0.4, 0.5], band * (0.18 + cloudy(u * 7, v * 7 + seed, 6) * 0.75) * 0.75);
    const [cx, cy] = [Math.floor(u * 130), Math.floor(v * 130)];
    const luck = chance(cx, cy + seed);
    const spot = Math.hypot(u * 130 - cx - 0.5, v * 130 - cy - 0.5);
    const star = luck > 0.86 - band * 0.16 ? step(0.12 + luck ** 30 * 0.3, 0, spot) * chance(cy, cx) ** 2 : 0;
    return plus(plus(milk, [0.95, 0.96, 1], star * 1.1), [1, 0.6, 0.25], warm * 0.2);
  };
}

/** A town across the water when the lights go on. */
function town(hour: Hour, seed: number): Shader {
  const above = sky(hour, seed, 1, 0.6);
  const houses: Shader = (u, v) => {
    for (const layer of [1, 0]) {
      const wide = layer === 0 ? 0.055 : 0.085;
      const cell = Math.floor(u / wide + layer * 0.4);
      const tall = 0.06 + chance(cell, seed + layer * 5) ** 1.6 * (layer === 0 ? 0.34 : 0.16);
      if (v < 0.6 - tall) continue;
      const inside = u / wide + layer * 0.4 - cell;
      const [wx, wy] = [inside * 7, v * (layer === 0 ? 95 : 75)];
      const isOn = chance(Math.floor(wx) + cell * 9, Math.floor(wy) + seed) > 0.62;
      const isPane = wx % 1 > 0.3 && wy % 1 > 0.45 && inside > 0.1 && inside < 0.92;
      const wall = mix(lit(mix([0.34, 0.3, 0.33], [0.52, 0.4, 0.36], chance(cell, 4)), 0.5 + inside * 0.25), hour.horizon, layer === 0 ? 0.32 : 0.1);
      return isPane && isOn ? mix(wall, [1, 0.82, 0.5], 0.85) : isPane ? lit(wall, 0.8) : wall;
    }
    return above(u, v);
  };
  return water(hour, seed, 0.6, 0.9, false, houses);
}

/** Balloons over the hills in the first light. */
function balloons(seed: number, behind: Shader): Shader {
  const all = Array.from({ length: 7 }, (_, at) => ({
    u: 0.1 + chance(at, seed + 20) * 1.25, v: 0.12 + chance(at, seed + 21) * 0.4, r: 0.025 + chance(at, seed + 22) ** 2 * 0.095, hue: at,
  })).sort((a, b) => b.r - a.r);
  const cloths: readonly Colour[] = [[0.8, 0.26, 0.2], [0.93, 0.72, 0.28], [0.2, 0.38, 0.56], [0.86, 0.5, 0.26], [0.36, 0.5, 0.42]];
  return (u, v) => {
    for (const { u: at, v: up, r, hue } of all) {
      const [x, y] = [(u - at) / r, (v - up) / r];
      if (Math.abs(x) < 0.16 && y > 1.5 && y < 1.75) return [0.3, 0.2, 0.13];
      const round = y > 0 ? Math.hypot(x / (1 - y * y * 0.25), y / 1.32) : Math.hypot(x, y);
      if (round > 1) continue;
      const gore = Math.asin(Math.max(-1, Math.min(1, x / Math.sqrt(Math.max(0.04, 1 - y * y * 0.55))))) * 3.2;
      const cloth = cloths[(hue + (Math.floor(gore + 20) % 2)) % cloths.length] ?? [1, 1, 1];
      const light = 1.08 - step(-0.9, 1, x + y * 0.3) * 0.55 + Math.cos(gore * Math.PI * 2) * 0.03;
      return mix(lit(cloth, light), [0.93, 0.87, 0.78], (0.1 - r) * 3.4);
    }
    return behind(u, v);
  };
}

/** A white sail far out. */
function sail(at: number, floor: number, tall: number, behind: Shader): Shader {
  return (u, v) => {
    const [x, y] = [(u - at) / tall, (floor - v) / tall];
    if (y > 0.12 && y < 1 && x > 0.01 && x < (1 - y) * 0.46) return [0.97, 0.96, 0.93];
    if (y > 0.12 && y < 0.86 && x < -0.01 && x > (y - 0.86) * 0.36) return [0.88, 0.87, 0.86];
    if (y > 0 && y < 0.1 && Math.abs(x) < 0.42 - (0.1 - y) * 1.2) return [0.2, 0.21, 0.26];
    return behind(u, v);
  };
}

const BLOOMS: readonly Colour[] = [[0.53, 0.42, 0.72], [0.86, 0.66, 0.24], [0.78, 0.27, 0.22], [0.85, 0.76, 0.42]];
const LEAVES: readonly Colour[] = [[0.3, 0.42, 0.16], [0.8, 0.44, 0.14], [0.36, 0.46, 0.24], [0.76, 0.3, 0.16]];
const GRASS: readonly Colour[] = [[0.34, 0.46, 0.22], [0.52, 0.5, 0.26], [0.26, 0.42, 0.26], [0.56, 0.42, 0.24]];

/** What is in the picture with a number. */
function sceneOf(seed: number): Shader {
  const pick = <T>(from: readonly T[], salt: number) => from[Math.floor(chance(seed, salt) * from.length)] as T;
  const hour = pick(HOURS, 11);
  const sunU = 0.25 + chance(seed, 12) * 0.9;
  const up = sky(hour, seed, sunU, 0.62);
  const kinds: readonly (() => Shader)[] = [
    () => ridges(hour, seed, 0.44, 0.92, pick(GRASS, 13), 6, false, up),
    () => beach(hour, seed, 0.8, sail(0.4 + chance(seed, 4) * 0.6, 0.512, 0.05 + chance(seed, 5) * 0.06, water(hour, seed, 0.5, sunU, false, up))),
    () => firs(hour, seed, 0.52, 0.95, 5, [0.2, 0.3, 0.2], ridges(hour, seed, 0.4, 0.6, pick(GRASS, 13), 3, false, up)),
    () => blossom(seed),
    () => water(hour, seed, 0.62, sunU, true, firs(hour, seed, 0.57, 0.6, 2, [0.24, 0.34, 0.2], ridges(hour, seed, 0.46, 0.62, pick(GRASS, 13), 4, true, up))),
    () => tree(hour, seed, 0.4 + chance(seed, 6) * 0.6, 0.66, 0.42 + chance(seed, 7) * 0.14, pick(LEAVES, 14), field(hour, seed, 0.6, pick(BLOOMS, 15), ridges(hour, seed, 0.52, 0.66, pick(GRASS, 13), 3, false, up))),
    () => night(seed),
    () => field(hour, seed, 0.5, pick(BLOOMS, 15), ridges(hour, seed, 0.42, 0.56, pick(GRASS, 13), 3, true, up)),
    () => town(HOURS[2 + (seed % 2)] ?? hour, seed),
    () => balloons(seed, ridges(HOURS[4] ?? hour, seed, 0.6, 0.98, pick(GRASS, 13), 5, false, sky(HOURS[4] ?? hour, seed, sunU, 0.62))),
    () => ridges(hour, seed, 0.5, 0.9, pick(GRASS, 13), 5, true, up),
  ];
  return (kinds[seed % kinds.length] ?? night)(seed);
}

/** The points of a picture, three bytes each: with the grain and the darker corners that a lens makes. */
function render(width: number, height: number, seed: number): Buffer {
  const [shade, points] = [sceneOf(seed), Buffer.alloc(width * height * 3)];
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const corner = 1 - 0.26 * (((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * 2) ** 1.5;
      const grain = (chance(x + seed * 7919, y) - 0.5) * 0.035;
      for (const light of shade((x / height), y / height)) {
        points[at] = Math.min(255, Math.max(0, (light * corner + grain) * 255));
        at += 1;
      }
    }
  }
  return points;
}

/** Smaller pictures are drawn larger and made small, as cameras do: each point of a scene alone is no mean. */
const DRAWN_SMALL_PX = 400;
const ENLARGED = 3;

/** The picture with a number as a JPEG, encoded by the browser. */
export async function scene(page: Page, width: number, height: number, seed: number, quality = 0.85): Promise<Buffer> {
  const by = Math.max(width, height) < DRAWN_SMALL_PX ? ENLARGED : 1;
  const text = await page.evaluate(
    async ([points, wide, high, by, good]) => {
      const bytes = Uint8Array.from(atob(points), (one) => one.charCodeAt(0));
      const image = new ImageData(wide, high);
      for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
        image.data.set(bytes.subarray(from, from + 3), to);
        image.data[to + 3] = 255;
      }
      const whole = new OffscreenCanvas(wide, high);
      whole.getContext("2d")?.putImageData(image, 0, 0);
      const canvas = new OffscreenCanvas(wide / by, high / by);
      const pen = canvas.getContext("2d");
      if (!pen) throw new Error("no canvas");
      pen.imageSmoothingQuality = "high";
      pen.drawImage(whole, 0, 0, canvas.width, canvas.height);
      const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: good });
      return await new Promise<string>((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(String(reader.result).replace(/^.*,/, ""));
        reader.readAsDataURL(blob);
      });
    },
    [render(width * by, height * by, seed).toString("base64"), width * by, height * by, by, quality] as const,
  );
  return Buffer.from(text, "base64");
}
