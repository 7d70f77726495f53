import { describe, expect, it } from "vitest";
import { ApiFailure, failureOf, kindOf, sayFailure, sentence } from "./failure";

it.each([
  [401, "signed-out"],
  [403, "forbidden"],
  [404, "missing"],
  [409, "refused"],
  [413, "refused"],
  [500, "broken"],
  [503, "broken"],
] as const)("status %d is %s", (status, kind) => expect(kindOf(status)).toBe(kind));

describe("a failure", () => {
  const problem = {
    type: "about:blank",
    title: "too large",
    status: 413,
    detail: "9 MB declared, the limit is 4 MB",
    code: "too_large",
    request_id: "r1",
    hint: "send one recording a file",
  };

  it("is said in sentences with its hint", () => {
    expect(sayFailure(failureOf(413, problem))).toBe(
      "9 MB declared, the limit is 4 MB. Send one recording a file.",
    );
  });

  it("without a body still says what to do", () => {
    expect(sayFailure(failureOf(502, "<html>"))).toContain("try again");
    expect(sayFailure(new ApiFailure("offline"))).toContain("did not answer");
    expect(sayFailure(new TypeError("x"))).toContain("Reload");
  });

  it("keeps the support id and the time to wait", () => {
    const failure = failureOf(429, { ...problem, status: 429 }, new Headers({ "retry-after": "30" }));
    expect(failure.problem?.request_id).toBe("r1");
    expect(failure.retryAfterS).toBe(30);
  });
});

it.each([
  ["no known ECG format", "No known ECG format."],
  ["Already a sentence.", "Already a sentence."],
  ["", ""],
])("the fact %o reads %o", (fact, text) => expect(sentence(fact)).toBe(text));
