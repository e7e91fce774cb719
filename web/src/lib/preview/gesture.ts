// What fingers on a picture mean. Numbers only: ways in px from where the finger came down, speeds in px/ms.

/** A finger that moved less may still be a tap. */
export const SLOP_PX = 8;
/** Two taps within this time and distance are a double tap. */
export const DOUBLE_TAP_MS = 300;
const DOUBLE_TAP_PX = 32;
/** This much of the width turns the page, however slowly. */
const TURN_SHARE = 0.3;
/** A flick: faster than this, and at least so far. */
const FLICK_SPEED = 0.4;
const FLICK_PX = 32;
/** So far down closes, however slowly. */
const CLOSE_PX = 120;
/** How much of a way is followed where nothing is beyond. */
const RESISTANCE = 0.28;
/** Where a finger has rested this long, it has no speed any more (ms). */
const REST_MS = 80;

export interface Point {
  x: number;
  y: number;
}

/** Where a finger was, and when (ms). */
export interface Mark extends Point {
  t: number;
}

/** The way a finger goes, once that can be told. */
export function axisOf(dx: number, dy: number): "x" | "y" | undefined {
  if (Math.hypot(dx, dy) < SLOP_PX) return undefined;
  return Math.abs(dx) >= Math.abs(dy) ? "x" : "y";
}

/** How far the picture follows a finger: less where there is no neighbour to come to. */
export function follow(dx: number, hasPrevious: boolean, hasNext: boolean): number {
  const isFree = dx > 0 ? hasPrevious : hasNext;
  return isFree ? dx : dx * RESISTANCE;
}

/** Which neighbour a finger that went sideways has brought: -1, 0 (none), 1. */
export function turnOf(dx: number, speed: number, width: number): -1 | 0 | 1 {
  const isFlick = Math.abs(speed) > FLICK_SPEED && Math.abs(dx) > FLICK_PX && Math.sign(speed) === Math.sign(dx);
  if (!isFlick && Math.abs(dx) < width * TURN_SHARE) return 0;
  // Back again before it was lifted: it thought better of it.
  if (Math.abs(speed) > FLICK_SPEED && Math.sign(speed) !== Math.sign(dx)) return 0;
  return dx < 0 ? 1 : -1;
}

/** Whether a finger that went down closes. */
export function isClosing(dy: number, speed: number): boolean {
  if (dy <= 0 || speed < -FLICK_SPEED) return false;
  return dy > CLOSE_PX || (speed > FLICK_SPEED && dy > FLICK_PX);
}

/** Whether a tap is the second of two. */
export function isDouble(first: Mark | undefined, second: Mark): boolean {
  if (!first || second.t - first.t > DOUBLE_TAP_MS) return false;
  return Math.hypot(second.x - first.x, second.y - first.y) <= DOUBLE_TAP_PX;
}

/** How fast a finger went when it was lifted, from where it was of late. */
export function speedOf(marks: readonly Mark[], now: number): Point {
  const last = marks.at(-1);
  if (!last || now - last.t > REST_MS) return { x: 0, y: 0 };
  const first = marks.find((mark) => now - mark.t <= REST_MS) ?? last;
  const ms = last.t - first.t;
  if (ms <= 0) return { x: 0, y: 0 };
  return { x: (last.x - first.x) / ms, y: (last.y - first.y) / ms };
}

/** The size of a picture as it is shown: whole on the stage, and never larger than `most`. */
export function fitted(natural: Size, stage: Size, isBounded: boolean): Size {
  if (natural.width <= 0 || natural.height <= 0) return { width: 0, height: 0 };
  const scale = Math.min(stage.width / natural.width, stage.height / natural.height, isBounded ? 1 : Infinity);
  return { width: natural.width * scale, height: natural.height * scale };
}

export interface Size {
  width: number;
  height: number;
}
