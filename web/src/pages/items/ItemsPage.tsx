// Everything that came in and what became of it: nothing is lost, so everything is listed. What is held,
// quarantined or rejected says why and what to do.
import { Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { live } from "../../api/events";
import { sentence } from "../../api/failure";
import { queries } from "../../api/queries";
import type { Item, ItemState } from "../../api/types";
import { may } from "../../app/permissions";
import { useSession } from "../../app/session";
import { bytesText, capital, ITEM_WORDS } from "../../app/words";
import { Moment } from "../../ui/Moment";
import { Page, TableFrame } from "../../ui/Page";
import { Empty, Failed, Loading } from "../../ui/States";
import classes from "./Items.module.css";

const STATES: readonly ItemState[] = ["held", "quarantined", "rejected", "in-flight", "filed", "linked"];

export default function ItemsPage() {
  const [state, setState] = useState<ItemState | undefined>(undefined);
  const items = useInfiniteQuery(queries.items(state));
  const queryClient = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = live.listen((event) => {
      if (event.kind === "recording") return;
      timer ??= setTimeout(() => {
        timer = undefined;
        void queryClient.invalidateQueries({ queryKey: ["items"] });
      }, 300);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [queryClient]);
  const counts = items.data?.pages[0]?.counts;
  const rows = items.data?.pages.flatMap((page) => page.rows) ?? [];
  const count = (of: ItemState) => counts?.[of === "in-flight" ? "in_flight" : of];
  return (
    <Page
      title="Intake"
      about="Everything received is filed, seen before, held, quarantined, rejected or in flight."
    >
      <div className={classes.states}>
        <SegmentedControl
          aria-label="State"
          value={state ?? "all"}
          onChange={(value) => setState(value === "all" ? undefined : (value as ItemState))}
          data={[
            { value: "all", label: `All${counts === undefined ? "" : ` ${counts.received}`}` },
            ...STATES.map((of) => ({ value: of, label: `${ITEM_WORDS[of]} ${count(of) ?? ""}`.trim() })),
          ]}
        />
      </div>
      {items.isPending ? (
        <Loading what="items" />
      ) : items.isError && rows.length === 0 ? (
        <Failed what="items" failure={items.error} retry={() => void items.refetch()} />
      ) : rows.length === 0 ? (
        <Empty
          title={
            state === undefined ? "Nothing received yet" : `Nothing is ${ITEM_WORDS[state].toLowerCase()}`
          }
        >
          <p>Files show here from the moment the server acknowledges them.</p>
        </Empty>
      ) : (
        <>
          <TableFrame label="Items received">
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Received</th>
                <th scope="col">Why, and what to do</th>
                <th scope="col">Door</th>
                <th scope="col">Sender</th>
                <th scope="col" className="num">
                  Size
                </th>
                <th scope="col">Original</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((item) => (
                <ItemRow key={item.item_id} item={item} />
              ))}
            </tbody>
          </TableFrame>
          {items.hasNextPage && (
            <Button
              variant="default"
              loading={items.isFetchingNextPage}
              onClick={() => void items.fetchNextPage()}
            >
              Show more
            </Button>
          )}
        </>
      )}
    </Page>
  );
}

function ItemRow({ item }: { item: Item }) {
  const { session } = useSession();
  const open = item.recording_id != null && may(session, "read-clinical");
  const kept = item.state !== "rejected" && may(session, "export-original");
  return (
    <tr>
      <td>
        <span className={classes.state} data-state={item.state}>
          {ITEM_WORDS[item.state]}
        </span>
      </td>
      <td>
        <Moment at={item.received_at} />
      </td>
      <td className={classes.why}>
        {item.reason != null && (
          <>
            {sentence(item.reason.text)} {item.reason.hint != null && sentence(item.reason.hint)}{" "}
            <code className="quiet">{item.reason.code}</code>{" "}
          </>
        )}
        {open && (
          <Link to={`/recordings/${item.recording_id}`}>
            {item.state === "held" ? "Open and assign" : "Open the recording"}
          </Link>
        )}
      </td>
      <td>{capital(item.door)}</td>
      <td className="nowrap">{item.sender}</td>
      <td className="num nowrap">{bytesText(item.size_bytes)}</td>
      <td>
        {kept && (
          <a href={`/api/items/${item.item_id}/original`} download>
            Download
          </a>
        )}
      </td>
    </tr>
  );
}
