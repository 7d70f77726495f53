// Units of the ECG paper as types of their own, so that mixing them does not compile.
// Arithmetic on two of a kind gives a plain number; the function that knows what it means names it again.

export type Seconds = number & { readonly unit: "s" };
export type Hertz = number & { readonly unit: "Hz" };
export type Millivolts = number & { readonly unit: "mV" };
export type Millimeters = number & { readonly unit: "mm" };
/** CSS pixels. */
export type Pixels = number & { readonly unit: "px" };
export type PixelsPerMillimeter = number & { readonly unit: "px/mm" };

/** Paper speed in mm/s. */
export const SPEEDS = [25, 50] as const;
export type Speed = (typeof SPEEDS)[number];

/** Gain in mm/mV. */
export const GAINS = [5, 10, 20] as const;
export type Gain = (typeof GAINS)[number];

export const s = (value: number): Seconds => value as Seconds;
export const hz = (value: number): Hertz => value as Hertz;
export const mv = (value: number): Millivolts => value as Millivolts;
export const mm = (value: number): Millimeters => value as Millimeters;
export const px = (value: number): Pixels => value as Pixels;
export const pxPerMm = (value: number): PixelsPerMillimeter => value as PixelsPerMillimeter;

/** CSS defines 96 px to the inch; a screen keeps to that only by chance, hence the ruler check. */
export const NOMINAL_SCALE = pxPerMm(96 / 25.4);
