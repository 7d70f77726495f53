// The device's own filters, in the words of the printed sheet.

export interface Filters {
  readonly low_hz?: number | null;
  readonly high_hz?: number | null;
  /** 0 is a declared "no notch". */
  readonly notch_hz?: number | null;
}

/** What the file declares for all leads; never what we assume. */
export function filtersText(all: readonly Filters[]): string {
  const [first, ...others] = all;
  if (first === undefined) return "no lead";
  const same = ({ low_hz, high_hz, notch_hz }: Filters) =>
    (low_hz ?? null) === (first.low_hz ?? null) &&
    (high_hz ?? null) === (first.high_hz ?? null) &&
    (notch_hz ?? null) === (first.notch_hz ?? null);
  if (!others.every(same)) return "filters differ by lead";
  const { low_hz: low, high_hz: high, notch_hz: notch } = first;
  const band =
    low != null && high != null
      ? `${hertz(low)} to ${hertz(high)} Hz`
      : low != null
        ? `from ${hertz(low)} Hz`
        : high != null
          ? `to ${hertz(high)} Hz`
          : "filters not stated";
  if (notch == null) return band;
  return notch > 0 ? `${band}, notch ${hertz(notch)} Hz` : `${band}, no notch`;
}

const hertz = (hz: number): string => String(Number(hz.toFixed(3)));
