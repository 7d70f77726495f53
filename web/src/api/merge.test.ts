import { describe, expect, it } from "vitest";
import { mergeNewest } from "./merge";
import type { WorklistPages } from "./queries";
import type { Worklist, WorklistRow } from "./types";

const row = (id: string, status: "filed" | "held" = "filed") => ({ recording_id: id, status }) as WorklistRow;
const page = (ids: string, next: string | null = null): Worklist => ({
  rows: [...ids].map((id) => row(id)),
  next_cursor: next,
  counts: { total: ids.length, alert: 0, borderline: 0, info: 0, held: 0 },
  truncated: false,
});
const shown = (...pages: Worklist[]): WorklistPages => ({ pages, pageParams: pages.map(() => undefined) });
const ids = (pages: WorklistPages) =>
  pages.pages.map((each) => each.rows.map((r) => r.recording_id).join("")).join("|");

describe("new rows in a list that is being read", () => {
  it.each([
    ["one on top", shown(page("cba")), page("dcba"), "dcba", 1],
    ["several on top of two pages", shown(page("dc", "x"), page("ba")), page("fed", "y"), "fedc|ba", 2],
    ["none", shown(page("cba")), page("cba"), "cba", 0],
    ["the first ever", shown(page("")), page("a"), "a", 1],
  ] as const)("%s", (_, before, newest, after, added) => {
    const merged = mergeNewest(before, newest);
    if (merged.kind !== "merged") throw new Error("not merged");
    expect(ids(merged.pages)).toBe(after);
    expect(merged.added).toBe(added);
    expect(merged.pages.pages[0]?.counts).toEqual(newest.counts);
  });

  it("never show a recording twice", () => {
    const merged = mergeNewest(shown(page("cb", "x"), page("a")), page("dcba"));
    expect(merged.kind === "merged" && ids(merged.pages)).toBe("dcb|a");
  });

  it("bring changed rows up to date where they stand", () => {
    const merged = mergeNewest(shown(page("ba")), { ...page(""), rows: [row("b", "held"), row("a")] });
    expect(merged.kind === "merged" && merged.pages.pages[0]?.rows.map((r) => r.status)).toEqual([
      "held",
      "filed",
    ]);
  });

  it("that do not reach what is shown mean reading the list again, never a silent hole", () => {
    expect(mergeNewest(shown(page("cba")), page("zyx", "more")).kind).toBe("too-far");
    expect(mergeNewest({ pages: [], pageParams: [] }, page("a")).kind).toBe("too-far");
  });
});
