// Where time and voltage lie on the paper, and where the paper lies on the screen.
// Pure arithmetic; nothing here draws or remembers.
import {
  type Gain,
  type Millimeters,
  type Millivolts,
  mm,
  mv,
  type Pixels,
  type PixelsPerMillimeter,
  px,
  pxPerMm,
  type Seconds,
  type Speed,
  s,
} from "./units";

/** Paper length of a time. */
export const lengthOf = (time: Seconds, speed: Speed): Millimeters => mm(time * speed);
/** Time of a paper length. */
export const timeOf = (length: Millimeters, speed: Speed): Seconds => s(length / speed);
/** Paper height of a voltage; up is positive, as the paper reads. */
export const heightOf = (voltage: Millivolts, gain: Gain): Millimeters => mm(voltage * gain);
export const voltageOf = (height: Millimeters, gain: Gain): Millivolts => mv(height / gain);

/** The part of the paper that the screen shows: `left` and `top` are the paper's corner at (0, 0). */
export interface Camera {
  readonly scale: PixelsPerMillimeter;
  readonly left: Millimeters;
  readonly top: Millimeters;
}

export interface Size {
  readonly width: Pixels;
  readonly height: Pixels;
}

export interface PaperSize {
  readonly width: Millimeters;
  readonly height: Millimeters;
}

export const xOf = (x: Millimeters, camera: Camera): Pixels => px((x - camera.left) * camera.scale);
export const yOf = (y: Millimeters, camera: Camera): Pixels => px((y - camera.top) * camera.scale);
export const paperX = (x: Pixels, camera: Camera): Millimeters => mm(x / camera.scale + camera.left);
export const paperY = (y: Pixels, camera: Camera): Millimeters => mm(y / camera.scale + camera.top);

export const SCALE_MIN = pxPerMm(0.8);
export const SCALE_MAX = pxPerMm(40);

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** The whole width (and, where asked, the whole height) of a piece of paper in the window. */
export function fitSheet(paper: PaperSize, window: Size, whole: "width" | "page" = "page"): Camera {
  const byWidth = window.width / paper.width;
  const byHeight = window.height / paper.height;
  const scale = pxPerMm(
    clamp(whole === "width" ? byWidth : Math.min(byWidth, byHeight), SCALE_MIN, SCALE_MAX),
  );
  return settle({ scale, left: mm(0), top: mm(0) }, paper, window);
}

/** Changes the scale and keeps the paper point under `at` where it is. */
export function zoomAt(camera: Camera, factor: number, at: { x: Pixels; y: Pixels }): Camera {
  const scale = pxPerMm(clamp(camera.scale * factor, SCALE_MIN, SCALE_MAX));
  return {
    scale,
    left: mm(paperX(at.x, camera) - at.x / scale),
    top: mm(paperY(at.y, camera) - at.y / scale),
  };
}

export function panBy(camera: Camera, dx: Pixels, dy: Pixels): Camera {
  return {
    scale: camera.scale,
    left: mm(camera.left - dx / camera.scale),
    top: mm(camera.top - dy / camera.scale),
  };
}

/** Keeps the sheet in reach: an edge never comes further in than the window's, a small sheet is centered. */
export function settle(camera: Camera, paper: PaperSize, window: Size): Camera {
  const along = (at: number, paperLength: number, windowPx: number) => {
    const shown = windowPx / camera.scale;
    return shown >= paperLength ? (paperLength - shown) / 2 : clamp(at, 0, paperLength - shown);
  };
  return {
    scale: camera.scale,
    left: mm(along(camera.left, paper.width, window.width)),
    top: mm(along(camera.top, paper.height, window.height)),
  };
}
