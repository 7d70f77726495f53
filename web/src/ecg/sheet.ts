// The sheet: which lead lies where on the paper for how long. All lengths in millimeters of paper;
// what it looks like on a screen is the camera's affair.
import { lengthOf } from "./geometry";
import { type LeadOrder, type LeadPlace, leadPlaces } from "./leads";
import { type Gain, type Millimeters, mm, type Seconds, type Speed, s } from "./units";

export const LAYOUTS = ["3x4", "6x2", "12x1", "single"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** One page of a recording is ten seconds, as a standard tracing is. */
export const PAGE = s(10);

export interface Strip {
  readonly place: LeadPlace;
  /** From the recording's start. */
  readonly start: Seconds;
  readonly duration: Seconds;
  readonly x: Millimeters;
  readonly width: Millimeters;
  readonly baseline: Millimeters;
  readonly top: Millimeters;
  readonly height: Millimeters;
  /** The separator at its left, where another lead ends. */
  readonly separated: boolean;
  /** The line above goes on in this one. */
  readonly continued: boolean;
}

export interface Sheet {
  readonly width: Millimeters;
  readonly height: Millimeters;
  readonly strips: readonly Strip[];
  /** Baselines at which a row's calibration pulse stands. */
  readonly rows: readonly { readonly baseline: Millimeters; readonly x: Millimeters }[];
}

export interface SheetOptions {
  readonly layout: Layout;
  readonly leads: readonly string[];
  readonly order: LeadOrder;
  readonly duration: Seconds;
  /** Start of the page that is shown. */
  readonly start: Seconds;
  readonly speed: Speed;
  readonly gain: Gain;
  /** The lead of `single`, and of the rhythm strip of `3x4`. */
  readonly lead: string;
  /** Length of a line of `single`. */
  readonly line: Seconds;
  /** Paper height that the window has to give: rows open up to use it, within bounds. */
  readonly room: Millimeters;
  /** Every column shows the same time (an average beat), instead of one after the other (a rhythm). */
  readonly simultaneous?: boolean;
}

// Multiples of 5, so that a trace starts on a thick line of the grid.
const MARGIN = { before: mm(5), after: mm(5), top: mm(5), bottom: mm(10), end: mm(5) };
const ROW_MIN: Record<Gain, number> = { 5: 15, 10: 20, 20: 35 };
const ROW_MAX: Record<Gain, number> = { 5: 30, 10: 40, 20: 60 };

/** Width of the calibration pulse: 0.2 s of paper. */
export const pulseWidth = (speed: Speed): Millimeters => lengthOf(s(0.2), speed);

type Width = Pick<SheetOptions, "layout" | "duration" | "start" | "speed" | "line" | "simultaneous">;

/** Width of the sheet before anything else of it is known. */
export function widthOf(options: Width): Millimeters {
  const shown = shownOf(options);
  const longest =
    options.layout === "single"
      ? Math.min(options.line, Math.max(shown, 1))
      : Math.max(shown, 1) * (options.simultaneous ? columnsIn(options.layout) : 1);
  return mm(leftOf(options.speed) + lengthOf(s(longest), options.speed) + MARGIN.end);
}

const shownOf = ({ duration, start }: Pick<SheetOptions, "duration" | "start">): Seconds =>
  s(Math.max(0, Math.min(PAGE, duration - start)));
const leftOf = (speed: Speed) => MARGIN.before + pulseWidth(speed) + MARGIN.after;
const columnsIn = (layout: Layout) => ({ "3x4": 4, "6x2": 2, "12x1": 1, single: 1 })[layout];

export function sheetOf(options: SheetOptions): Sheet {
  const { twelve, others } = leadPlaces(options.leads, options.order);
  const shown = shownOf(options);
  const named = [...twelve, ...others].find((place) => place.label === options.lead) ?? twelve[1];
  const rows = ((): Row[] => {
    switch (options.layout) {
      case "3x4": {
        const rhythm = named?.index === undefined || options.simultaneous ? [] : [{ columns: [named] }];
        return [...columnsOf(twelve, 4), ...rhythm];
      }
      case "6x2":
        return columnsOf(twelve, 2);
      case "12x1":
        return allOf(twelve, others).map((place) => ({ columns: [place] }));
      case "single":
        return named === undefined ? [] : linesOf(named, shown, options.line);
    }
  })();
  return place(rows, shown, options);
}

/** A recording of a few leads is not a twelve-lead with holes. */
export const isTwelveLead = (leads: readonly string[]): boolean =>
  leadPlaces(leads, "standard").twelve.filter((place) => place.index !== undefined).length >= 6;

function allOf(twelve: readonly LeadPlace[], others: readonly LeadPlace[]): readonly LeadPlace[] {
  const recorded = twelve.filter((place) => place.index !== undefined);
  return [...(recorded.length >= 6 ? twelve : recorded), ...others];
}

interface Row {
  readonly columns: readonly LeadPlace[];
  /** Where the row starts and how long it is, when it is not the whole page. */
  readonly part?: { readonly from: Seconds; readonly length: Seconds };
}

function columnsOf(places: readonly LeadPlace[], columns: number): Row[] {
  const height = places.length / columns;
  return Array.from({ length: height }, (_, row) => ({
    columns: Array.from({ length: columns }, (_, column) => places[column * height + row]).filter(
      (place) => place !== undefined,
    ),
  }));
}

function linesOf(place: LeadPlace, shown: Seconds, line: Seconds): Row[] {
  const count = Math.max(1, Math.ceil(shown / line - 1e-9));
  return Array.from({ length: count }, (_, index) => ({
    columns: [place],
    part: { from: s(index * line), length: s(Math.min(line, shown - index * line)) },
  }));
}

function place(rows: readonly Row[], shown: Seconds, options: SheetOptions): Sheet {
  const { speed, gain } = options;
  const left = leftOf(speed);
  const wanted = (options.room - MARGIN.top - MARGIN.bottom) / Math.max(rows.length, 1);
  // Whole 5 mm, so that every baseline lies alike on the grid.
  const pitch = Math.max(ROW_MIN[gain], Math.min(ROW_MAX[gain], Math.floor(wanted / 5) * 5));
  const strips: Strip[] = [];
  const pulses: { baseline: Millimeters; x: Millimeters }[] = [];
  rows.forEach((row, index) => {
    const top = MARGIN.top + index * pitch;
    const baseline = mm(top + Math.floor(pitch / 10) * 5 + (pitch % 10 === 0 ? 0 : 5));
    pulses.push({ baseline, x: MARGIN.before });
    const length = row.part?.length ?? shown;
    const each = options.simultaneous ? length : length / row.columns.length;
    row.columns.forEach((lead, column) => {
      strips.push({
        place: lead,
        start: s(options.start + (row.part?.from ?? 0) + (options.simultaneous ? 0 : column * each)),
        duration: s(each),
        x: mm(left + lengthOf(s(column * each), speed)),
        width: lengthOf(s(each), speed),
        baseline,
        top: mm(top),
        height: mm(pitch),
        separated: column > 0,
        continued: (row.part?.from ?? 0) > 0,
      });
    });
  });
  return {
    width: widthOf(options),
    height: mm(MARGIN.top + rows.length * pitch + MARGIN.bottom),
    strips,
    rows: pulses,
  };
}
