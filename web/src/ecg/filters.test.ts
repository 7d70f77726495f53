import { describe, expect, it } from "vitest";
import { type Filters, filtersText } from "./filters";

describe("the filters of the device", () => {
  it.each<[string, Filters[]]>([
    [
      "0.05 to 150 Hz",
      [
        { low_hz: 0.05, high_hz: 150, notch_hz: null },
        { low_hz: 0.05, high_hz: 150 },
      ],
    ],
    ["0.05 to 150 Hz, notch 50 Hz", [{ low_hz: 0.05, high_hz: 150, notch_hz: 50 }]],
    ["to 40 Hz, no notch", [{ high_hz: 40, notch_hz: 0 }]],
    ["from 0.5 Hz", [{ low_hz: 0.5 }]],
    ["filters not stated", [{}, { low_hz: null }]],
    ["filters differ by lead", [{ low_hz: 0.05 }, { low_hz: 0.5 }]],
    ["filters differ by lead", [{ low_hz: 0.05 }, {}]],
    ["no lead", []],
  ])("%s", (text, all) => {
    expect(filtersText(all)).toBe(text);
  });
});
