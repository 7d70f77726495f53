// The samples as the server sends them: little-endian 32-bit floats in microvolts, NaN where the
// device recorded nothing.
import type { Filters } from "./filters";
import { type Hertz, hz, type Seconds, s } from "./units";

export interface Signal {
  readonly name: string;
  readonly derivedFrom: readonly string[] | undefined;
  readonly filters: Filters;
  readonly samplesUv: Float32Array;
}

export interface Signals {
  readonly rate: Hertz;
  readonly duration: Seconds;
  readonly leads: readonly Signal[];
}

interface WaveformAnswer {
  readonly sampling_hz: number;
  readonly leads: readonly {
    readonly name: string;
    readonly derived_from?: readonly string[] | null;
    readonly filters: Filters;
    readonly samples_uv_base64: string;
  }[];
}

export class WaveformError extends Error {}

export function signalsOf(answer: WaveformAnswer): Signals {
  if (!(answer.sampling_hz > 0)) throw new WaveformError(`the sampling rate is ${answer.sampling_hz} Hz`);
  const leads = answer.leads.map((lead) => ({
    name: lead.name,
    derivedFrom: lead.derived_from ?? undefined,
    filters: lead.filters,
    samplesUv: floatsOf(lead.samples_uv_base64),
  }));
  const longest = Math.max(0, ...leads.map((lead) => lead.samplesUv.length));
  return { rate: hz(answer.sampling_hz), duration: s(longest / answer.sampling_hz), leads };
}

export function floatsOf(base64: string): Float32Array {
  const text = atob(base64);
  if (text.length % 4 !== 0) throw new WaveformError(`${text.length} bytes are not whole 32-bit samples`);
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const floats = new Float32Array(bytes.length / 4);
  for (let i = 0; i < floats.length; i++) floats[i] = view.getFloat32(i * 4, true);
  return floats;
}
