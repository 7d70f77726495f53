// What lies between two points of the paper, in the units a reader thinks in.
import { timeOf, voltageOf } from "./geometry";
import { type Gain, type Millimeters, mm, type Speed } from "./units";

export interface PaperPoint {
  readonly x: Millimeters;
  readonly y: Millimeters;
}

export interface Span {
  readonly ms: number;
  readonly mv: number;
  /** As if the span were one RR interval; undefined where that means nothing. */
  readonly perMinute: number | undefined;
}

export function spanOf(from: PaperPoint, to: PaperPoint, speed: Speed, gain: Gain): Span {
  const ms = Math.abs(timeOf(mm(to.x - from.x), speed)) * 1000;
  return {
    ms,
    mv: voltageOf(mm(from.y - to.y), gain),
    perMinute: ms >= 200 && ms <= 3000 ? 60_000 / ms : undefined,
  };
}

/** `640 ms · 94 /min · +0.52 mV`. A pixel is the honest limit, so milliseconds carry no decimals. */
export function spanText(span: Span): string {
  const rate = span.perMinute === undefined ? [] : [`${Math.round(span.perMinute)} /min`];
  const sign = span.mv < 0 ? "−" : "+";
  return [`${Math.round(span.ms)} ms`, ...rate, `${sign}${Math.abs(span.mv).toFixed(2)} mV`].join(" · ");
}
