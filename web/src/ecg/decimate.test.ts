import { describe, expect, it } from "vitest";
import { type PathSink, type Run, trace } from "./decimate";

type Op = ["move" | "line", number, number];

function drawn(run: Partial<Run> & { samples: Float32Array }): Op[] {
  const ops: Op[] = [];
  const sink: PathSink = {
    moveTo: (x, y) => ops.push(["move", x, y]),
    lineTo: (x, y) => ops.push(["line", x, y]),
  };
  trace({ from: 0, to: run.samples.length, x: 0, step: 1, y: 0, unit: 1, column: 1, ...run }, sink);
  return ops;
}

/** Deterministic noise; a spike must stand out of it, not be it. */
function noise(length: number): Float32Array {
  let seed = 7;
  return Float32Array.from({ length }, () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648 - 0.5;
  });
}

describe("a trace", () => {
  for (const per of [1.01, 1.7, 2, 3.3, 7, 40, 333.3, 5000]) {
    it(`shows a spike of one sample anywhere at ${per} samples a pixel`, () => {
      for (const at of [0, 1, 499, 500, 1234, 2500, 4998, 4999]) {
        for (const height of [100, -100]) {
          const samples = noise(5000);
          samples[at] = height;
          const reached = drawn({ samples, step: 1 / per }).some(([, , y]) => y === height);
          expect(reached, `sample ${at}, ${height}`).toBe(true);
        }
      }
    });

    it(`keeps the smallest and largest sample of each column at ${per} samples a pixel`, () => {
      const samples = noise(5000);
      const columns = new Map<number, number[]>();
      for (const [, x, y] of drawn({ samples, step: 1 / per })) {
        columns.set(Math.floor(x + 1e-9), [...(columns.get(Math.floor(x + 1e-9)) ?? []), y]);
      }
      const truth = new Map<number, number[]>();
      samples.forEach((value, i) => {
        const column = Math.floor(i * (1 / per));
        truth.set(column, [...(truth.get(column) ?? []), value]);
      });
      expect([...columns.keys()]).toEqual([...truth.keys()]);
      for (const [column, values] of truth) {
        const shown = columns.get(column) ?? [];
        expect(Math.min(...shown)).toBe(Math.min(...values));
        expect(Math.max(...shown)).toBe(Math.max(...values));
      }
    });
  }

  it("is the samples themselves when each has a pixel of its own", () => {
    expect(drawn({ samples: new Float32Array([1, 2, 3]), step: 4, x: 10 })).toEqual([
      ["move", 10, 1],
      ["line", 14, 2],
      ["line", 18, 3],
    ]);
  });

  it("ends at a gap and starts again after it, close up", () => {
    const samples = new Float32Array([1, 2, Number.NaN, 4, 5]);
    expect(drawn({ samples, step: 2 }).map(([kind]) => kind)).toEqual(["move", "line", "move", "line"]);
  });

  it("ends at a gap and starts again after it, from far", () => {
    const samples = Float32Array.from({ length: 1000 }, (_, i) => (i >= 400 && i < 600 ? Number.NaN : 1));
    const ops = drawn({ samples, step: 0.1 });
    const moves = ops.filter(([kind]) => kind === "move").map(([, x]) => x);
    expect(moves).toEqual([0, 60]);
    expect(ops.some(([, x]) => x >= 40 && x < 60)).toBe(false);
  });

  it("does not join what lies on both sides of a gap inside one pixel", () => {
    const samples = new Float32Array([0, 0, Number.NaN, 9, 9, 9]);
    const ops = drawn({ samples, step: 0.1 });
    expect(ops.filter(([kind]) => kind === "move")).toHaveLength(2);
  });

  it("shows a sample that stands alone between two gaps", () => {
    const samples = new Float32Array([Number.NaN, 5, Number.NaN]);
    expect(drawn({ samples, step: 2 })).toEqual([
      ["move", 2, 5],
      ["line", 3, 5],
    ]);
  });

  it("of nothing but gaps is nothing", () => {
    expect(drawn({ samples: new Float32Array(100).fill(Number.NaN), step: 0.1 })).toEqual([]);
    expect(drawn({ samples: new Float32Array(0) })).toEqual([]);
  });

  it("gives at most four points a pixel column, however long the recording", () => {
    expect(drawn({ samples: noise(500_000), step: 1000 / 500_000 }).length).toBeLessThanOrEqual(4004);
  });
});
