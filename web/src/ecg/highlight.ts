// The evidence of a flag on the paper: which stretches of which strips to light.
import { lengthOf } from "./geometry";
import type { Sheet } from "./sheet";
import { type Hertz, type Millimeters, mm, type Seconds, type Speed, s } from "./units";

export interface Evidence {
  /** Lead names; none means every lead. */
  readonly leads: readonly string[];
  /** R peaks in samples; none means the whole strip. */
  readonly beats: readonly number[];
}

/** How far a beat reaches before and after its R peak. */
export interface BeatSpan {
  readonly before: Seconds;
  readonly after: Seconds;
}

export interface Lit {
  readonly x: Millimeters;
  readonly width: Millimeters;
  readonly top: Millimeters;
  readonly height: Millimeters;
}

interface Fiducials {
  readonly p_onset?: number | null;
  readonly qrs_onset?: number | null;
  readonly t_offset?: number | null;
}

// Where a wave was not found: a P and a T at their usual distance, only to know how much to light.
const USUAL: BeatSpan = { before: s(0.25), after: s(0.45) };

export function beatSpan(fiducials: Fiducials, rate: Hertz): BeatSpan {
  const onset = fiducials.p_onset ?? fiducials.qrs_onset;
  return {
    before: onset == null ? USUAL.before : s(Math.abs(onset) / rate),
    after: fiducials.t_offset == null ? USUAL.after : s(Math.abs(fiducials.t_offset) / rate),
  };
}

export function litStretches(
  sheet: Sheet,
  evidence: Evidence,
  span: BeatSpan,
  rate: Hertz,
  speed: Speed,
): Lit[] {
  if (evidence.leads.length === 0 && evidence.beats.length === 0) return [];
  return sheet.strips.flatMap((strip) => {
    const name = strip.place.label.replace("−", "");
    if (evidence.leads.length > 0 && !evidence.leads.includes(name)) return [];
    const whole: Lit = { x: strip.x, width: strip.width, top: strip.top, height: strip.height };
    if (evidence.beats.length === 0) return [whole];
    return evidence.beats.flatMap((beat): Lit[] => {
      const from = Math.max(0, beat / rate - span.before - strip.start);
      const to = Math.min(strip.duration, beat / rate + span.after - strip.start);
      if (to <= from) return [];
      return [{ ...whole, x: mm(strip.x + lengthOf(s(from), speed)), width: lengthOf(s(to - from), speed) }];
    });
  });
}
