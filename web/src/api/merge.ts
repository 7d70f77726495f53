// New rows into a list that somebody is reading. Pure: the list before, the newest page, the list after.
import type { WorklistPages } from "./queries";
import type { Worklist } from "./types";

export type Merged =
  | { readonly kind: "merged"; readonly pages: WorklistPages; readonly added: number }
  /** The newest page does not reach what is shown; the list has to be read again. */
  | { readonly kind: "too-far" };

export function mergeNewest(shown: WorklistPages, newest: Worklist): Merged {
  const [first, ...rest] = shown.pages;
  if (first === undefined) return { kind: "too-far" };
  const known = new Set(shown.pages.flatMap((page) => page.rows.map((row) => row.recording_id)));
  const fresh = newest.rows.filter((row) => !known.has(row.recording_id));
  if (fresh.length === newest.rows.length && known.size > 0 && newest.next_cursor != null)
    return { kind: "too-far" };
  const byId = new Map(newest.rows.map((row) => [row.recording_id, row]));
  const renew = (page: Worklist): Worklist => ({
    ...page,
    rows: page.rows.map((row) => byId.get(row.recording_id) ?? row),
  });
  const head: Worklist = {
    ...newest,
    next_cursor: first.next_cursor,
    rows: [...fresh, ...renew(first).rows],
  };
  return {
    kind: "merged",
    pages: { pageParams: shown.pageParams, pages: [head, ...rest.map(renew)] },
    added: fresh.length,
  };
}
