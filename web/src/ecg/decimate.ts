// From samples to what a pixel column can show. Each sample belongs to exactly one column, and a
// column keeps its smallest and largest, so a spike of one sample is drawn at any zoom.
// Nothing is smoothed and nothing is invented: a gap (NaN) ends the line.

/** Receives a path; a canvas context and a Path2D are both one. */
export interface PathSink {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

export interface Run {
  readonly samples: Float32Array;
  /** First and one past the last sample to draw. */
  readonly from: number;
  readonly to: number;
  /** Position of sample `from`, and distance between samples. */
  readonly x: number;
  readonly step: number;
  /** Position of zero, and height of one unit of the samples (negative draws upwards). */
  readonly y: number;
  readonly unit: number;
  /** Width of a column: one device pixel. */
  readonly column: number;
}

/** Adds the trace of `run` to `sink`. Returns the number of points given, for the tests' sake. */
export function trace(run: Run, sink: PathSink): number {
  return run.step >= run.column ? everySample(run, sink) : everyColumn(run, sink);
}

function everySample({ samples, from, to, x, step, y, unit }: Run, sink: PathSink): number {
  let points = 0;
  let down = false;
  for (let i = from; i < to; i++) {
    const value = samples[i] ?? Number.NaN;
    if (Number.isNaN(value)) {
      down = false;
      continue;
    }
    const px = x + (i - from) * step;
    const py = y + value * unit;
    if (down) {
      sink.lineTo(px, py);
    } else {
      sink.moveTo(px, py);
      // A sample alone between two gaps is still a reading.
      const next = samples[i + 1];
      if (i + 1 >= to || next === undefined || Number.isNaN(next)) sink.lineTo(px + step / 2, py);
    }
    points++;
    down = true;
  }
  return points;
}

function everyColumn({ samples, from, to, x, step, y, unit, column }: Run, sink: PathSink): number {
  let points = 0;
  let down = false;
  let i = from;
  while (i < to) {
    const index = Math.floor(((i - from) * step) / column);
    // The column's end in samples; at least one, so that the loop always moves on.
    const end = Math.min(to, Math.max(i + 1, from + Math.ceil(((index + 1) * column) / step)));
    const px = x + index * column;
    let first = Number.NaN;
    let last = Number.NaN;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (; i < end; i++) {
      const value = samples[i] ?? Number.NaN;
      if (Number.isNaN(value)) {
        if (!Number.isNaN(last)) {
          points += stroke(sink, px, down, y, unit, first, last, low, high);
          first = last = Number.NaN;
          low = Number.POSITIVE_INFINITY;
          high = Number.NEGATIVE_INFINITY;
        }
        down = false;
        continue;
      }
      if (Number.isNaN(first)) first = value;
      last = value;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (!Number.isNaN(last)) {
      points += stroke(sink, px, down, y, unit, first, last, low, high);
      down = true;
    }
  }
  return points;
}

/** One column: in at its first sample, over both extremes, out at its last. */
function stroke(
  sink: PathSink,
  px: number,
  down: boolean,
  y: number,
  unit: number,
  first: number,
  last: number,
  low: number,
  high: number,
): number {
  if (down) sink.lineTo(px, y + first * unit);
  else sink.moveTo(px, y + first * unit);
  sink.lineTo(px, y + low * unit);
  sink.lineTo(px, y + high * unit);
  sink.lineTo(px, y + last * unit);
  return 4;
}
