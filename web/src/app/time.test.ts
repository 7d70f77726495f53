import { describe, expect, it } from "vitest";
import { agoText, deviceText, instantText, offsetText } from "./time";
import { numberText, patientName, withUnit } from "./words";

describe("a time", () => {
  it("of the server is shown in the reader's zone with UTC beside it", () => {
    expect(instantText("2024-05-17T22:30:15.250Z", 120)).toEqual({
      local: "2024-05-18 00:30:15",
      zone: "UTC+2",
      full: "2024-05-18 00:30:15 UTC+2, 2024-05-17 22:30:15 UTC",
    });
  });

  it("of a device with a zone keeps its own reading", () => {
    const text = deviceText({
      as_written: "20240517083015.250+0200",
      local: "2024-05-17T08:30:15.250",
      utc: "2024-05-17T06:30:15.250Z",
      zone: "known",
    });
    expect([text.local, text.zone]).toEqual(["2024-05-17 08:30:15", "UTC+2"]);
    expect(text.full).toContain("2024-05-17 06:30:15 UTC");
  });

  it("of a device without a zone says so and is not moved", () => {
    const text = deviceText({
      as_written: "20240517083015",
      local: "2024-05-17T08:30:15",
      utc: null,
      zone: "unknown",
    });
    expect([text.local, text.zone]).toEqual(["2024-05-17 08:30:15", "zone unknown"]);
    expect(text.full).not.toContain("UTC");
  });

  it("that is no date is shown as the device wrote it", () => {
    expect(deviceText({ as_written: "yesterday", local: null, utc: null, zone: "unknown" }).local).toBe(
      "yesterday",
    );
    expect(deviceText(null).local).toBe("Time not recorded");
  });

  it.each([
    [0, "UTC"],
    [330, "UTC+5:30"],
    [-210, "UTC−3:30"],
    [60, "UTC+1"],
  ])("%d minutes from UTC is %s", (minutes, text) => expect(offsetText(minutes)).toBe(text));

  it.each([
    [-1, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_599_999, "59 min"],
    [86_400_000, "1 d"],
  ])("%d ms is an age of %s", (ms, text) => expect(agoText(ms)).toBe(text));
});

describe("a number", () => {
  it.each([
    [72, "/min", "72 /min"],
    [-30, "deg", "−30°"],
    [123.456, "uV", "123.46 µV"],
    [0, "ms", "0 ms"],
  ])("%d %s reads %s", (value, unit, text) => expect(withUnit(value, unit)).toBe(text));

  it("has no trailing zeros and a real minus", () => expect(numberText(-1.5)).toBe("−1.5"));
});

it.each([
  [{ family: "Weiss", given: ["Anna", "M."] }, "Weiss, Anna M."],
  [{ family: null, given: ["Anna"] }, "Anna"],
  [{ family: "Weiss", given: [] }, "Weiss"],
  [{ family: null, given: [] }, "Name not known"],
])("the name of %o reads %s", (patient, text) => expect(patientName(patient)).toBe(text));
