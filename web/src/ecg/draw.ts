// Puts paper, evidence and traces on canvases. Works in device pixels, so that grid lines are crisp
// and a spike has its own column; the arithmetic is in geometry.ts and decimate.ts.

import { trace } from "./decimate";
import { filtersText } from "./filters";
import { type Camera, heightOf, xOf, yOf } from "./geometry";
import type { Lit } from "./highlight";
import { pulseWidth, type Sheet, type Strip } from "./sheet";
import { type Gain, type Millimeters, mm, mv, type Speed } from "./units";
import type { Signals } from "./waveform";

export interface Ink {
  readonly paper: string;
  readonly fine: string;
  readonly thick: string;
  readonly trace: string;
  readonly label: string;
  readonly faint: string;
  readonly lit: string;
}

export interface Surface {
  readonly context: CanvasRenderingContext2D;
  /** Size in device pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels to the CSS pixel. */
  readonly ratio: number;
}

// Below this the 1 mm lines would be a gray haze.
const FINE_FROM_PX = 2.2;

export function drawPaper(surface: Surface, camera: Camera, ink: Ink, lit: readonly Lit[]): void {
  const { context: c, width, height, ratio } = surface;
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.fillStyle = ink.paper;
  c.fillRect(0, 0, width, height);
  const line = Math.max(1, Math.round(ratio));
  const scale = camera.scale * ratio;
  const lines = (everyMm: number, color: string) => {
    c.fillStyle = color;
    const first = (at: number) => Math.ceil(at / everyMm) * everyMm;
    for (let x = first(camera.left); (x - camera.left) * scale < width; x += everyMm) {
      c.fillRect(Math.round((x - camera.left) * scale), 0, line, height);
    }
    for (let y = first(camera.top); (y - camera.top) * scale < height; y += everyMm) {
      c.fillRect(0, Math.round((y - camera.top) * scale), width, line);
    }
  };
  if (camera.scale >= FINE_FROM_PX) lines(1, ink.fine);
  lines(5, ink.thick);
  c.fillStyle = ink.lit;
  for (const stretch of lit) {
    c.fillRect(
      xOf(stretch.x, camera) * ratio,
      yOf(stretch.top, camera) * ratio,
      stretch.width * scale,
      stretch.height * scale,
    );
  }
}

export interface Scene {
  readonly sheet: Sheet;
  readonly signals: Signals;
  readonly speed: Speed;
  readonly gain: Gain;
}

export function drawTraces(surface: Surface, camera: Camera, ink: Ink, scene: Scene): void {
  const { context: c, width, height, ratio } = surface;
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.clearRect(0, 0, width, height);
  c.lineJoin = "round";
  c.lineCap = "round";
  c.lineWidth = Math.max(1, Math.min(2.2, 0.26 * camera.scale)) * ratio;
  c.strokeStyle = ink.trace;
  c.beginPath();
  for (const strip of scene.sheet.strips) addTrace(surface, camera, scene, strip);
  for (const row of scene.sheet.rows) addPulse(surface, camera, scene, row);
  c.stroke();
  addSeparators(surface, camera, ink, scene);
  addLabels(surface, camera, ink, scene);
}

function addTrace({ context: c, width, ratio }: Surface, camera: Camera, scene: Scene, strip: Strip): void {
  const signal = strip.place.index === undefined ? undefined : scene.signals.leads[strip.place.index];
  if (signal === undefined) return;
  const { rate } = scene.signals;
  const x = xOf(strip.x, camera) * ratio;
  const step = (scene.speed * camera.scale * ratio) / rate;
  const first = Math.round(strip.start * rate);
  const end = Math.min(signal.samplesUv.length, Math.round((strip.start + strip.duration) * rate));
  // Only what is in the window, and one sample more on each side so that the line enters and leaves.
  const from = Math.max(first, first + Math.floor(-x / step) - 1);
  const to = Math.min(end, first + Math.ceil((width - x) / step) + 2);
  if (to <= from) return;
  trace(
    {
      samples: signal.samplesUv,
      from,
      to,
      x: x + (from - first) * step,
      step,
      y: yOf(strip.baseline, camera) * ratio,
      unit: (strip.place.inverted ? 1 : -1) * heightOf(mv(0.001), scene.gain) * camera.scale * ratio,
      column: 1,
    },
    c,
  );
}

/** 1 mV for 0.2 s: what makes the gain believable without a number. */
function addPulse(
  { context: c, ratio }: Surface,
  camera: Camera,
  scene: Scene,
  row: { baseline: Millimeters; x: Millimeters },
): void {
  const at = (x: number, y: number): [number, number] => [
    xOf(mm(x), camera) * ratio,
    yOf(mm(y), camera) * ratio,
  ];
  const wide = pulseWidth(scene.speed);
  const top = row.baseline - heightOf(mv(1), scene.gain);
  c.moveTo(...at(row.x - 1, row.baseline));
  c.lineTo(...at(row.x, row.baseline));
  c.lineTo(...at(row.x, top));
  c.lineTo(...at(row.x + wide, top));
  c.lineTo(...at(row.x + wide, row.baseline));
  c.lineTo(...at(row.x + wide + 1, row.baseline));
}

function addSeparators({ context: c, ratio }: Surface, camera: Camera, ink: Ink, scene: Scene): void {
  c.lineWidth = 1.5 * ratio;
  c.strokeStyle = ink.label;
  c.beginPath();
  for (const strip of scene.sheet.strips) {
    if (!strip.separated) continue;
    const x = xOf(strip.x, camera) * ratio;
    c.moveTo(x, yOf(mm(strip.baseline - 4), camera) * ratio);
    c.lineTo(x, yOf(mm(strip.baseline - 1.5), camera) * ratio);
    c.moveTo(x, yOf(mm(strip.baseline + 1.5), camera) * ratio);
    c.lineTo(x, yOf(mm(strip.baseline + 4), camera) * ratio);
  }
  c.stroke();
}

const FONT = '"Inter Variable", system-ui, sans-serif';

function addLabels(
  { context: c, ratio, width, height }: Surface,
  camera: Camera,
  ink: Ink,
  scene: Scene,
): void {
  const size = Math.max(10, Math.min(15, 3.4 * camera.scale)) * ratio;
  const small = Math.max(9, size / ratio - 3) * ratio;
  c.textBaseline = "alphabetic";
  const text = (words: string, x: number, y: number, font: string, color: string) => {
    c.font = font;
    // A halo of paper keeps the word readable where a trace passes behind it.
    c.lineWidth = 3 * ratio;
    c.strokeStyle = ink.paper;
    c.strokeText(words, x, y);
    c.fillStyle = color;
    c.fillText(words, x, y);
    return c.measureText(words).width;
  };
  for (const strip of scene.sheet.strips) {
    const x = xOf(mm(strip.x + 1), camera) * ratio;
    const y = yOf(mm(Math.max(strip.top + 4, strip.baseline - 10)), camera) * ratio;
    if (x > width || x < -200 * ratio || y > height + size || y < -size) continue;
    const recorded = strip.place.index === undefined ? undefined : scene.signals.leads[strip.place.index];
    const wide = text(strip.place.label, x, y, `600 ${size}px ${FONT}`, ink.label);
    const remark = [
      recorded === undefined ? "not recorded" : recorded.derivedFrom === undefined ? "" : "derived",
      strip.continued ? `from ${strip.start} s` : "",
    ]
      .filter((part) => part !== "")
      .join(", ");
    if (remark !== "") text(remark, x + wide + 5 * ratio, y, `400 ${small}px ${FONT}`, ink.faint);
  }
  const drawn = new Set(
    scene.sheet.strips.flatMap(({ place }) => scene.signals.leads[place.index ?? -1] ?? []),
  );
  const filters = filtersText([...drawn].map((lead) => lead.filters));
  const foot = `${scene.speed} mm/s   ${scene.gain} mm/mV   ${filters}`;
  text(
    foot,
    xOf(mm(5), camera) * ratio,
    yOf(mm(scene.sheet.height - 3), camera) * ratio,
    `400 ${small}px ${FONT}`,
    ink.faint,
  );
}

export function drawCaliper(
  { context: c, width, height, ratio }: Surface,
  camera: Camera,
  color: string,
  from: { x: Millimeters; y: Millimeters },
  to: { x: Millimeters; y: Millimeters },
): void {
  const [x1, y1] = [xOf(from.x, camera) * ratio, yOf(from.y, camera) * ratio];
  const [x2, y2] = [xOf(to.x, camera) * ratio, yOf(to.y, camera) * ratio];
  c.strokeStyle = color;
  c.lineWidth = 1.5 * ratio;
  c.setLineDash([]);
  c.beginPath();
  for (const x of [x1, x2]) {
    c.moveTo(x, 0);
    c.lineTo(x, height);
  }
  c.stroke();
  c.setLineDash([4 * ratio, 4 * ratio]);
  c.beginPath();
  for (const y of [y1, y2]) {
    c.moveTo(0, y);
    c.lineTo(width, y);
  }
  c.stroke();
  c.setLineDash([]);
}
