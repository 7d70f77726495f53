import { describe, expect, it } from "vitest";
import { agreement, nameParts, newPatientOf } from "./identity";

describe("two identities", () => {
  it.each([
    ["1961-04-30", "1961-04-30", "same"],
    ["1961-04-30", "1961-04-03", "differs"],
    [null, "1961-04-30", "open"],
    ["", "female", "open"],
    ["FEMALE", "female", "same"],
  ] as const)("%o beside %o: %s", (said, known, result) => {
    expect(agreement(said, known)).toBe(result);
  });

  it.each([
    ["WEISS^ANNA", { family: "Weiss", given: ["Anna"] }, "same"],
    ["Anna Weiß", { family: "Weiß", given: ["Anna"] }, "same"],
    ["Muller, Zoe", { family: "Müller", given: ["Zoé"] }, "same"],
    ["Weiss^Anne", { family: "Weiss", given: ["Anna"] }, "differs"],
    ["", { family: "Weiss", given: [] }, "open"],
    ["Weiss", { family: null, given: [] }, "open"],
  ] as const)("the name %o beside %o: %s", (said, known, result) => {
    expect(agreement.ofName(said, { family: known.family, given: [...known.given] })).toBe(result);
  });

  it("an identifier is the same only to the letter", () => {
    expect(agreement.ofAny("00123", ["123"])).toBe("differs");
    expect(agreement.ofAny("123", ["9", "123"])).toBe("same");
    expect(agreement.ofAny("123", [])).toBe("open");
  });
});

it.each([
  ["WEISS^ANNA^M", { family: "WEISS", given: ["ANNA", "M"] }],
  ["Weiss, Anna Maria", { family: "Weiss", given: ["Anna", "Maria"] }],
  ["Weiss", { family: "Weiss", given: [] }],
  ["^ANNA", { family: undefined, given: ["ANNA"] }],
  [null, { family: undefined, given: [] }],
])("the parts of %o are %o", (name, parts) => expect(nameParts(name)).toEqual(parts));

it("a new patient starts with what the file says and guesses nothing", () => {
  expect(newPatientOf({ id: "77", name: "A^B", birth_date: "1961-04", sex: "X" })).toEqual({
    identifiers: [{ system: "", value: "77" }],
    family: "A",
    given: ["B"],
    birth_date: null,
    sex: "unknown",
  });
});
