import { describe, expect, it } from "vitest";
import {
  type Camera,
  fitSheet,
  heightOf,
  lengthOf,
  paperX,
  paperY,
  settle,
  timeOf,
  voltageOf,
  xOf,
  yOf,
  zoomAt,
} from "./geometry";
import { mm, mv, NOMINAL_SCALE, px, pxPerMm, s } from "./units";

const window = { width: px(1000), height: px(500) };
const paper = { width: mm(270), height: mm(115) };

describe("the paper", () => {
  it.each([
    [1, 25, 25],
    [0.2, 25, 5],
    [0.04, 25, 1],
    [1, 50, 50],
    [0.02, 50, 1],
  ] as const)("gives %d s at %d mm/s %d mm", (time, speed, length) => {
    expect(lengthOf(s(time), speed)).toBeCloseTo(length, 12);
    expect(timeOf(mm(length), speed)).toBeCloseTo(time, 12);
  });

  it.each([
    [1, 10, 10],
    [0.1, 10, 1],
    [1, 5, 5],
    [1, 20, 20],
    [-0.5, 20, -10],
  ] as const)("gives %d mV at %d mm/mV %d mm", (voltage, gain, height) => {
    expect(heightOf(mv(voltage), gain)).toBeCloseTo(height, 12);
    expect(voltageOf(mm(height), gain)).toBeCloseTo(voltage, 12);
  });

  it("is true to size at the nominal scale: 25.4 mm are 96 px", () => {
    const camera: Camera = { scale: NOMINAL_SCALE, left: mm(0), top: mm(0) };
    expect(xOf(mm(25.4), camera)).toBeCloseTo(96, 9);
    expect(yOf(mm(25.4), camera)).toBeCloseTo(96, 9);
  });
});

describe("the camera", () => {
  it("fits the whole sheet and centers what is left over", () => {
    const camera = fitSheet(paper, window);
    expect(camera.scale).toBeCloseTo(1000 / 270, 9);
    expect(xOf(mm(0), camera)).toBeCloseTo(0, 9);
    expect(xOf(paper.width, camera)).toBeCloseTo(1000, 9);
    expect(yOf(mm(0), camera)).toBeCloseTo(500 - yOf(paper.height, camera), 9);
  });

  it("zooms about the point under the pointer", () => {
    const before = fitSheet(paper, window);
    const at = { x: px(333), y: px(222) };
    const after = zoomAt(before, 2.5, at);
    expect(paperX(at.x, after)).toBeCloseTo(paperX(at.x, before), 9);
    expect(paperY(at.y, after)).toBeCloseTo(paperY(at.y, before), 9);
    expect(after.scale).toBeCloseTo(before.scale * 2.5, 9);
  });

  it("never loses the sheet, wherever it is pushed", () => {
    for (const scale of [1, 4, 20]) {
      for (const away of [-1e6, 1e6]) {
        const camera = settle({ scale: pxPerMm(scale), left: mm(away), top: mm(away) }, paper, window);
        expect(xOf(paper.width, camera)).toBeGreaterThanOrEqual(Math.min(1000, scale * 270) - 1e-6);
        expect(xOf(mm(0), camera)).toBeLessThanOrEqual(Math.max(0, (1000 - scale * 270) / 2) + 1e-6);
      }
    }
  });

  it("keeps scale within bounds however often it is zoomed", () => {
    let camera = fitSheet(paper, window);
    for (let i = 0; i < 100; i++) camera = zoomAt(camera, 2, { x: px(0), y: px(0) });
    expect(camera.scale).toBe(40);
    for (let i = 0; i < 100; i++) camera = zoomAt(camera, 0.5, { x: px(0), y: px(0) });
    expect(camera.scale).toBe(0.8);
  });
});
