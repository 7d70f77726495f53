import { describe, expect, it } from "vitest";
import { idlePhase } from "./idle";

const at = (idleS: number, timeoutS = 900) => idlePhase(1_000_000 + idleS * 1000, 1_000_000, timeoutS);

describe("an unattended screen", () => {
  it.each([
    [0, { kind: "active" }],
    [839, { kind: "active" }],
    [840, { kind: "warning", secondsLeft: 60 }],
    [899.5, { kind: "warning", secondsLeft: 1 }],
    [900, { kind: "expired" }],
    [90_000, { kind: "expired" }],
  ] as const)("after %d s of 900 s is %o", (idle, phase) => {
    expect(at(idle)).toEqual(phase);
  });

  it("warns for a third of a short time-out", () => {
    expect(at(19, 30)).toEqual({ kind: "active" });
    expect(at(20, 30)).toEqual({ kind: "warning", secondsLeft: 10 });
  });

  it("is not signed out by a clock that was set back", () => {
    expect(at(-5000)).toEqual({ kind: "active" });
  });
});
