// How many CSS pixels a millimeter of this screen has. The only thing that the workspace keeps in the
// browser: one number, which says nothing of anybody.
import { useSyncExternalStore } from "react";
import { NOMINAL_SCALE, type PixelsPerMillimeter, pxPerMm } from "../ecg/units";

const KEY = "precordia.px_per_mm";
const [LOW, HIGH] = [1.5, 20];

export interface Ruler {
  readonly scale: PixelsPerMillimeter;
  readonly checked: boolean;
}

const nominal: Ruler = { scale: NOMINAL_SCALE, checked: false };

export function parseRuler(text: string | null): Ruler {
  const value = text === null || text.trim() === "" ? Number.NaN : Number(text);
  return value >= LOW && value <= HIGH ? { scale: pxPerMm(value), checked: true } : nominal;
}

let ruler: Ruler | undefined;
const watchers = new Set<() => void>();

const read = (): Ruler => {
  if (ruler === undefined) {
    try {
      ruler = parseRuler(localStorage.getItem(KEY));
    } catch {
      // A browser that keeps nothing: the check lasts as long as the page.
      ruler = nominal;
    }
  }
  return ruler;
};

export function keepRuler(scale: PixelsPerMillimeter | undefined): void {
  ruler = scale === undefined ? nominal : parseRuler(String(scale));
  try {
    if (ruler.checked) localStorage.setItem(KEY, ruler.scale.toFixed(4));
    else localStorage.removeItem(KEY);
  } catch {
    // As above.
  }
  for (const watcher of watchers) watcher();
}

const watch = (watcher: () => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};

export const useRuler = (): Ruler => useSyncExternalStore(watch, read);
