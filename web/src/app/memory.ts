// What the screen remembers between pages, in memory only and gone at sign-out: it may hold a name
// that was searched for, and which recordings were open.
import { useSyncExternalStore } from "react";
import type { WorklistQuery } from "../api/types";
import type { LeadOrder } from "../ecg/leads";
import type { Layout } from "../ecg/sheet";
import type { Gain, Speed } from "../ecg/units";

export type WorklistFilter = Omit<WorklistQuery, "cursor" | "limit">;

export interface EcgView {
  readonly layout: Layout;
  readonly speed: Speed;
  readonly gain: Gain;
  readonly order: LeadOrder;
  readonly lead: string;
}

export interface Memory {
  readonly filter: WorklistFilter;
  /** The row that the keyboard stands on. */
  readonly selected: string | undefined;
  /** Undefined until a reader chooses: a phone starts with another sheet than a desk. */
  readonly ecg: Partial<EcgView>;
  readonly uploadSite: string | undefined;
  readonly singleKeys: boolean;
}

const BLANK: Memory = {
  filter: {},
  selected: undefined,
  ecg: {},
  uploadSite: undefined,
  singleKeys: true,
};

let memory = BLANK;
const watchers = new Set<() => void>();

export function remember(change: Partial<Memory>): void {
  memory = { ...memory, ...change };
  for (const watcher of watchers) watcher();
}

/** Where the worklist is scrolled to; nothing is drawn from it, so nobody watches it. */
export const worklistScroll = { top: 0 };

export const forget = (): void => {
  worklistScroll.top = 0;
  remember(BLANK);
};

const watch = (watcher: () => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};

export const recall = (): Memory => memory;
export const useMemory = (): Memory => useSyncExternalStore(watch, recall);
