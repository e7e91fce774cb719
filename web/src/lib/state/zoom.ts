// How large a picture is shown and which part of it. Numbers only.

/** A scale (1 is as it fits) and a shift of the picture's middle (px). */
export interface Zoom {
  scale: number;
  x: number;
  y: number;
}

export const FITTING: Zoom = { scale: 1, x: 0, y: 0 };
const SCALE_MAX = 16;

/** Zooms so that what is under a point stays there; points are counted from the stage's middle. */
export function zoomAt(zoom: Zoom, factor: number, x: number, y: number): Zoom {
  const scale = Math.min(Math.max(zoom.scale * factor, 1), SCALE_MAX);
  if (scale === 1) return FITTING;
  const grown = scale / zoom.scale;
  return { scale, x: x - (x - zoom.x) * grown, y: y - (y - zoom.y) * grown };
}

/** Shifts, but never so far that the picture leaves the stage (half of either, px). */
export function shift(zoom: Zoom, dx: number, dy: number, picture: Size, stage: Size): Zoom {
  const room = (length: number, space: number) => Math.max(0, (length * zoom.scale - space) / 2);
  const bound = (value: number, most: number) => Math.min(Math.max(value, -most), most);
  return {
    scale: zoom.scale,
    x: bound(zoom.x + dx, room(picture.width, stage.width)),
    y: bound(zoom.y + dy, room(picture.height, stage.height)),
  };
}

export interface Size {
  width: number;
  height: number;
}

/** Whether a finger's way was a swipe to the side: far enough, and not up or down. */
export function swipeOf(dx: number, dy: number): "next" | "previous" | undefined {
  if (Math.abs(dx) < 56 || Math.abs(dx) < Math.abs(dy) * 1.5) return undefined;
  return dx < 0 ? "next" : "previous";
}
