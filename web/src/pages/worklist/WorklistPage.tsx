// The worklist: one dense table, newest first, live. New rows come in above without moving the row
// under the pointer; the list is virtual, so ten thousand rows cost what fifty do.
import { Button } from "@mantine/core";
import { type InfiniteData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { live, useLiveState } from "../../api/events";
import { mergeNewest } from "../../api/merge";
import { queries, type WorklistPages, worklistPage } from "../../api/queries";
import type { Worklist, WorklistRow } from "../../api/types";
import { remember, useMemory, type WorklistFilter, worklistScroll } from "../../app/memory";
import { useSession } from "../../app/session";
import { countText } from "../../app/words";
import { UpIcon } from "../../ui/icons";
import { useKeys } from "../../ui/keys";
import { Notice } from "../../ui/Notice";
import { useTitle } from "../../ui/Page";
import { SeverityShape } from "../../ui/Severity";
import { Empty, Failed, Loading } from "../../ui/States";
import { FilterBar } from "./FilterBar";
import { HeadRow, Row, useRowHeight } from "./Row";
import classes from "./Worklist.module.css";

export default function WorklistPage() {
  useTitle("Worklist");
  const { filter } = useMemory();
  const list = useInfiniteQuery(queries.worklist(filter));
  const rows = list.data?.pages.flatMap((page) => page.rows) ?? [];
  const counts = list.data?.pages[0]?.counts;
  const truncated = list.data?.pages[0]?.truncated === true;
  return (
    <div className={classes.page}>
      <h1 className="hidden">Worklist</h1>
      <FilterBar filter={filter} onChange={(next) => choose(next)} />
      <Counts counts={counts} filter={filter} />
      {truncated && (
        <Notice kind="note">
          The name fits too many patients to look at all of them: recordings of others may be missing, here
          and in the counts. Give more of the name, or an identifier.
        </Notice>
      )}
      {list.isPending ? (
        <Loading what="worklist" />
      ) : list.isError && rows.length === 0 ? (
        <Failed what="worklist" failure={list.error} retry={() => void list.refetch()} />
      ) : rows.length === 0 ? (
        <NothingFound filter={filter} />
      ) : (
        <Rows
          rows={rows}
          filter={filter}
          total={counts?.total ?? rows.length}
          stale={list.isPlaceholderData}
          more={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : undefined}
          moreFailed={list.isFetchNextPageError}
        />
      )}
    </div>
  );
}

function choose(filter: WorklistFilter): void {
  worklistScroll.top = 0;
  remember({ filter, selected: undefined });
}

const isFiltered = (filter: WorklistFilter) => Object.values(filter).some((value) => value !== undefined);

function NothingFound({ filter }: { filter: WorklistFilter }) {
  const { session } = useSession();
  if (isFiltered(filter)) {
    return (
      <Empty title="No recording fits">
        <p>Nothing in {session.organization.name} matches all of these filters.</p>
        <Button variant="default" onClick={() => choose({})}>
          Show all recordings
        </Button>
      </Empty>
    );
  }
  return (
    <Empty title="No recordings yet">
      <p>Drop ECG files anywhere on this page, or use Upload. They show here as they are read.</p>
    </Empty>
  );
}

function Counts({ counts, filter }: { counts: Worklist["counts"] | undefined; filter: WorklistFilter }) {
  const pick = (change: WorklistFilter) => choose({ ...filter, ...change });
  return (
    <div className={classes.counts} role="status" aria-label="Counts">
      {counts === undefined ? (
        <span>&nbsp;</span>
      ) : (
        <>
          <span>
            <strong>{counts.total.toLocaleString("en-US")}</strong>{" "}
            {counts.total === 1 ? "recording" : "recordings"}
          </span>
          <CountButton onClick={() => pick({ severity: "alert" })} label="with an alert" count={counts.alert}>
            <SeverityShape severity="alert" />
          </CountButton>
          <CountButton
            onClick={() => pick({ severity: "borderline" })}
            label="borderline"
            count={counts.borderline}
          >
            <SeverityShape severity="borderline" />
          </CountButton>
          <CountButton onClick={() => pick({ severity: "info" })} label="info" count={counts.info}>
            <SeverityShape severity="info" />
          </CountButton>
          <CountButton onClick={() => pick({ status: "held" })} label="held" count={counts.held} />
        </>
      )}
    </div>
  );
}

interface CountButtonProps {
  readonly count: number;
  readonly label: string;
  readonly onClick: () => void;
  readonly children?: ReactNode;
}

function CountButton({ count, label, onClick, children }: CountButtonProps) {
  return (
    <button type="button" className={classes.count} onClick={onClick} title={`Show only those ${label}`}>
      {children}
      <strong>{count.toLocaleString("en-US")}</strong> {label}
    </button>
  );
}

interface RowsProps {
  readonly rows: readonly WorklistRow[];
  readonly filter: WorklistFilter;
  readonly total: number;
  readonly stale: boolean;
  readonly more: (() => void) | undefined;
  readonly moreFailed: boolean;
}

function Rows({ rows, filter, total, stale, more, moreFailed }: RowsProps) {
  const { selected } = useMemory();
  const scroller = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    getItemKey: (index) => rows[index]?.recording_id ?? index,
    initialOffset: worklistScroll.top,
  });
  useEffect(() => {
    if (height > 0) virtual.measure();
  }, [height, virtual]);
  const { unseen, clear, room } = useNewest(filter, scroller, height, rows);

  const last = virtual.getVirtualItems().at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 15 && !moreFailed) more?.();
  }, [last, rows.length, more, moreFailed]);

  const step = (by: number) => {
    const at = rows.findIndex((row) => row.recording_id === selected);
    // Nobody stands anywhere yet: start with the first row in sight.
    const inSight = Math.ceil((virtual.scrollOffset ?? 0) / height);
    const next = Math.min(rows.length - 1, Math.max(0, at < 0 ? inSight : at + by));
    const row = rows[next];
    if (row === undefined) return;
    remember({ selected: row.recording_id });
    virtual.scrollToIndex(next, { align: "auto" });
    requestAnimationFrame(() =>
      document.getElementById(`row-${row.recording_id}`)?.focus({ preventScroll: true }),
    );
  };
  useKeys([
    { keys: ["j", "ArrowDown"], does: "Next row", run: () => step(1) },
    { keys: ["k", "ArrowUp"], does: "Previous row", run: () => step(-1) },
    {
      keys: ["Enter", "o"],
      does: "Open the row",
      run: () => document.getElementById(`row-${selected}`)?.click(),
    },
    {
      keys: ["g"],
      does: "Go to the newest",
      run: () => {
        clear();
        virtual.scrollToOffset(0);
      },
    },
  ]);

  return (
    <div className={classes.tableWrap} data-stale={stale || undefined}>
      {unseen > 0 && (
        <Button
          className={classes.unseen}
          size="compact-sm"
          leftSection={<UpIcon />}
          onClick={() => {
            clear();
            virtual.scrollToOffset(0);
          }}
        >
          {countText(unseen, "new recording")}
        </Button>
      )}
      <div
        ref={scroller}
        className={classes.table}
        role="table"
        aria-label="Recordings, newest first"
        aria-rowcount={total + 1}
        onScroll={(event) => {
          worklistScroll.top = event.currentTarget.scrollTop;
          if (event.currentTarget.scrollTop < 4) clear();
        }}
      >
        <HeadRow />
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <Row
                key={item.key}
                row={row}
                index={item.index}
                top={item.start}
                height={height}
                selected={row.recording_id === selected}
              />
            );
          })}
        </div>
        <div ref={room} aria-hidden="true" />
        {moreFailed && (
          <p className={classes.foot}>
            The next rows could not be loaded.{" "}
            <button type="button" className={classes.link} onClick={more}>
              Try again
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

/** Takes in what the event stream announces. Rows that come in above push the scroll position along. */
function useNewest(
  filter: WorklistFilter,
  scroller: React.RefObject<HTMLDivElement | null>,
  height: number,
  rows: readonly WorklistRow[],
) {
  const queryClient = useQueryClient();
  const { connected } = useLiveState();
  const [unseen, setUnseen] = useState(0);
  // Set when rows came in while somebody reads; the first row before them says how many.
  const still = useRef(false);
  const first = useRef<string | undefined>(undefined);
  const room = useRef<HTMLDivElement>(null);
  const clear = useCallback(() => {
    setUnseen(0);
    if (room.current !== null) room.current.style.height = "0";
  }, []);

  useEffect(() => {
    const { queryKey } = queries.worklist(filter);
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let again = false;
    const read = async () => {
      timer = undefined;
      const before = queryClient.getQueryData<InfiniteData<Worklist, string | undefined>>(queryKey);
      if (again || before === undefined) {
        again = false;
        await queryClient.invalidateQueries({ queryKey });
        return;
      }
      try {
        const newest = await worklistPage(filter, undefined, abort.signal);
        const shown = queryClient.getQueryData<WorklistPages>(queryKey);
        const merged = shown === undefined ? undefined : mergeNewest(shown, newest);
        if (merged?.kind !== "merged") {
          await queryClient.invalidateQueries({ queryKey });
          return;
        }
        if (merged.added > 0 && isBeingRead(scroller.current)) {
          still.current = true;
          setUnseen((count) => count + merged.added);
        }
        queryClient.setQueryData(queryKey, merged.pages);
      } catch {
        // The list stays as it was; the live mark says that it may be old.
      }
    };
    const stop = live.listen((event) => {
      if (event.kind === "item") return;
      const shown = queryClient.getQueryData<WorklistPages>(queryKey);
      const isShown =
        event.kind === "recording" &&
        shown?.pages.some((page) => page.rows.some((row) => row.recording_id === event.recordingId));
      // A row that is shown has changed: it may no longer fit the filter, so the list is read again.
      again ||= event.kind === "resumed" || isShown === true;
      timer ??= setTimeout(() => void read(), 150);
    });
    return () => {
      clearTimeout(timer);
      abort.abort();
      stop();
    };
  }, [filter, queryClient, scroller]);

  // Before the browser paints: the row under the pointer is where it was.
  useLayoutEffect(() => {
    const above = rows.findIndex((row) => row.recording_id === first.current);
    first.current = rows[0]?.recording_id;
    const table = scroller.current;
    if (above <= 0 || !still.current || table === null) return;
    still.current = false;
    const wanted = table.scrollTop + above * height;
    // A list that is shorter than its window could not scroll that far: it is given the room.
    if (room.current !== null) {
      const end =
        room.current.getBoundingClientRect().top - table.getBoundingClientRect().top + table.scrollTop;
      room.current.style.height = `${Math.max(0, wanted + table.clientHeight - end)}px`;
    }
    table.scrollTop = wanted;
  }, [rows, height, scroller]);

  // Without the stream the list is still asked for, only less often.
  useEffect(() => {
    if (connected) return;
    const timer = setInterval(
      () => void queryClient.invalidateQueries({ queryKey: queries.worklist(filter).queryKey }),
      30_000,
    );
    return () => clearInterval(timer);
  }, [connected, filter, queryClient]);

  return { unseen, clear, room };
}

/** Somebody's pointer or focus is on a row, or the list is scrolled: then nothing may move. */
function isBeingRead(table: HTMLElement | null): boolean {
  if (table === null) return false;
  return table.scrollTop > 4 || table.matches(":hover") || table.contains(document.activeElement);
}
