import { describe, expect, it } from "vitest";
import { spanOf, spanText } from "./caliper";
import { beatSpan, litStretches } from "./highlight";
import { TWELVE } from "./leads";
import { type SheetOptions, sheetOf } from "./sheet";
import { hz, mm, s } from "./units";

const options: SheetOptions = {
  layout: "3x4",
  leads: TWELVE,
  order: "standard",
  duration: s(10),
  start: s(0),
  speed: 25,
  gain: 10,
  lead: "II",
  line: s(10),
  room: mm(120),
};

const row = (sheet: ReturnType<typeof sheetOf>, index: number) =>
  sheet.strips.filter((strip) => strip.baseline === sheet.rows[index]?.baseline);

describe("the 3x4 sheet", () => {
  const sheet = sheetOf(options);

  it("has the leads in columns and a rhythm strip below", () => {
    const rows = sheet.rows.map((_, index) => row(sheet, index).map((strip) => strip.place.label));
    expect(rows).toEqual([
      ["I", "aVR", "V1", "V4"],
      ["II", "aVL", "V2", "V5"],
      ["III", "aVF", "V3", "V6"],
      ["II"],
    ]);
  });

  it("runs in time across the columns, as the rhythm strip does", () => {
    expect(row(sheet, 0).map((strip) => strip.start)).toEqual([0, 2.5, 5, 7.5]);
    expect(row(sheet, 0).map((strip) => strip.width)).toEqual([62.5, 62.5, 62.5, 62.5]);
    expect(row(sheet, 3).map((strip) => [strip.start, strip.width])).toEqual([[0, 250]]);
    for (const strip of sheet.strips) {
      expect(strip.x - (row(sheet, 3)[0]?.x ?? 0)).toBeCloseTo(strip.start * 25, 9);
    }
  });

  it("starts every trace and every baseline on a thick line", () => {
    for (const at of sheet.rows) expect(at.baseline % 5).toBe(0);
    for (const strip of row(sheet, 3)) expect(strip.x % 5).toBe(0);
  });

  it("keeps the place of a lead that was not recorded", () => {
    const eleven = sheetOf({ ...options, leads: TWELVE.filter((lead) => lead !== "V2") });
    expect(
      eleven.strips.filter((strip) => strip.place.index === undefined).map((strip) => strip.place.label),
    ).toEqual(["V2"]);
    expect(eleven.strips).toHaveLength(13);
  });

  it("in the Cabrera order starts with aVL and turns aVR over", () => {
    const cabrera = sheetOf({ ...options, order: "cabrera" });
    expect(row(cabrera, 2).map((strip) => strip.place.label)).toEqual(["−aVR", "III", "V3", "V6"]);
    expect(cabrera.strips.filter((strip) => strip.place.inverted).map((strip) => strip.place.index)).toEqual([
      3,
    ]);
  });
});

describe("other sheets", () => {
  it("6x2 gives each lead half the page", () => {
    const sheet = sheetOf({ ...options, layout: "6x2" });
    expect(sheet.rows).toHaveLength(6);
    expect(row(sheet, 0).map((strip) => [strip.place.label, strip.start, strip.duration])).toEqual([
      ["I", 0, 5],
      ["V1", 5, 5],
    ]);
  });

  it("12x1 shows leads beyond the twelve as well", () => {
    const sheet = sheetOf({ ...options, layout: "12x1", leads: [...TWELVE, "V4R"] });
    expect(sheet.strips).toHaveLength(13);
    expect(sheet.strips.at(-1)?.place.label).toBe("V4R");
  });

  it("a recording of two leads has two rows and no holes", () => {
    const sheet = sheetOf({ ...options, layout: "12x1", leads: ["II", "V1"] });
    expect(sheet.strips.map((strip) => strip.place.label)).toEqual(["II", "V1"]);
  });

  it("a single lead is broken into lines without losing a moment", () => {
    const sheet = sheetOf({ ...options, layout: "single", line: s(3) });
    expect(sheet.strips.map((strip) => [strip.start, strip.duration])).toEqual([
      [0, 3],
      [3, 3],
      [6, 3],
      [9, 1],
    ]);
  });

  it("twice the speed is twice the width of the traces", () => {
    const [slow, fast] = [sheetOf(options), sheetOf({ ...options, speed: 50 })];
    const wide = (sheet: typeof slow) => sheet.strips.reduce((sum, strip) => sum + strip.width, 0);
    expect(wide(fast)).toBeCloseTo(2 * wide(slow), 9);
  });

  it("an average beat is shown whole in every lead, at the same time in each column", () => {
    const sheet = sheetOf({ ...options, duration: s(1.2), simultaneous: true });
    expect(sheet.strips).toHaveLength(12);
    for (const strip of sheet.strips) expect([strip.start, strip.duration]).toEqual([0, 1.2]);
    expect(sheet.width).toBeGreaterThan(4 * 1.2 * 25);
  });

  it("opens its rows to use the room, in steps of the grid and within bounds", () => {
    const pitch = (room: number) => {
      const [first, second] = sheetOf({ ...options, room: mm(room) }).rows;
      return (second?.baseline ?? 0) - (first?.baseline ?? 0);
    };
    expect([pitch(10), pitch(118), pitch(141), pitch(1000)]).toEqual([20, 25, 30, 40]);
  });

  it("shows the last page of a long recording only as far as it goes", () => {
    const sheet = sheetOf({ ...options, duration: s(14), start: s(10) });
    expect(sheet.strips.at(-1)).toMatchObject({ start: 10, duration: 4, width: 100 });
  });
});

describe("the evidence of a flag", () => {
  const sheet = sheetOf(options);
  const span = beatSpan({ qrs_onset: -20, t_offset: 180 }, hz(500));

  it("lights its leads from end to end when no beat is named", () => {
    const lit = litStretches(sheet, { leads: ["V2", "V3"], beats: [] }, span, hz(500), 25);
    expect(lit.map((stretch) => stretch.width)).toEqual([62.5, 62.5]);
  });

  it("lights its beats only where the lead shows them", () => {
    // 1 s lies in the first column (0 to 2.5 s) and in the rhythm strip.
    const lit = litStretches(sheet, { leads: ["II", "V1"], beats: [500] }, span, hz(500), 25);
    expect(lit).toHaveLength(2);
    for (const stretch of lit) expect(stretch.width).toBeCloseTo((0.04 + 0.36) * 25, 9);
  });

  it("without leads and beats lights nothing", () => {
    expect(litStretches(sheet, { leads: [], beats: [] }, span, hz(500), 25)).toEqual([]);
  });
});

describe("the caliper", () => {
  it("reads time, rate and voltage off the paper", () => {
    const span = spanOf({ x: mm(0), y: mm(20) }, { x: mm(20), y: mm(15) }, 25, 10);
    expect(span).toEqual({ ms: 800, mv: 0.5, perMinute: 75 });
    expect(spanText(span)).toBe("800 ms · 75 /min · +0.50 mV");
  });
});
