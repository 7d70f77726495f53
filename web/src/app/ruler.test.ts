import { expect, it } from "vitest";
import { NOMINAL_SCALE } from "../ecg/units";
import { parseRuler } from "./ruler";

it.each([
  ["3.7795", 3.7795],
  ["5", 5],
])("the kept number %s is believed", (text, scale) => {
  expect(parseRuler(text)).toEqual({ scale, checked: true });
});

it.each([null, "", " ", "0", "-4", "1e9", "NaN", "{}", "4px"])("the kept text %o is not believed", (text) => {
  expect(parseRuler(text)).toEqual({ scale: NOMINAL_SCALE, checked: false });
});
