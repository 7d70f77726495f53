import { describe, expect, it } from "vitest";
import { floatsOf, signalsOf, WaveformError } from "./waveform";

const base64 = (values: number[]) => {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setFloat32(i * 4, value, true));
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
};

describe("the waveform", () => {
  it("is read as little-endian floats with gaps as they are", () => {
    expect(floatsOf(base64([0, 1.5, -250, Number.NaN]))).toEqual(
      new Float32Array([0, 1.5, -250, Number.NaN]),
    );
  });

  it("is refused when its bytes are not whole samples", () => {
    expect(() => floatsOf(btoa("abc"))).toThrow(WaveformError);
  });

  it("is refused without a sampling rate", () => {
    expect(() => signalsOf({ sampling_hz: 0, leads: [] })).toThrow(WaveformError);
  });

  it("lasts as long as its longest lead", () => {
    const signals = signalsOf({
      sampling_hz: 2,
      leads: [
        { name: "I", samples_uv_base64: base64([1, 2]), filters: {} },
        { name: "II", samples_uv_base64: base64([1, 2, 3]), derived_from: ["I", "III"], filters: {} },
      ],
    });
    expect(signals.duration).toBe(1.5);
    expect(signals.leads.map((lead) => lead.derivedFrom)).toEqual([undefined, ["I", "III"]]);
  });
});
