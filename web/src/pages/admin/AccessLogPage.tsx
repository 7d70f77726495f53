// Who did what, when, why, and with what outcome. Read-only by nature.
import { Button, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { queries } from "../../api/queries";
import { capital, plain, roleWords } from "../../app/words";
import { Moment } from "../../ui/Moment";
import { Page, TableFrame } from "../../ui/Page";
import { Empty, Failed, Loading } from "../../ui/States";
import classes from "./Admin.module.css";

export default function AccessLogPage() {
  const [draft, setDraft] = useState({ recording: "", user: "" });
  const [filter, setFilter] = useState<{ recording_id?: string; user_id?: string }>({});
  const log = useInfiniteQuery(queries.accessLog(filter));
  const rows = log.data?.pages.flatMap((page) => page.rows) ?? [];
  return (
    <Page title="Access log" about="Newest first. Looking at this page is logged too.">
      <form
        className={classes.filter}
        onSubmit={(event) => {
          event.preventDefault();
          setFilter({
            ...(draft.recording.trim() !== "" && { recording_id: draft.recording.trim() }),
            ...(draft.user.trim() !== "" && { user_id: draft.user.trim() }),
          });
        }}
      >
        <TextInput
          label="Recording id"
          autoComplete="off"
          value={draft.recording}
          onChange={(event) => setDraft({ ...draft, recording: event.currentTarget.value })}
        />
        <TextInput
          label="User id"
          autoComplete="off"
          value={draft.user}
          onChange={(event) => setDraft({ ...draft, user: event.currentTarget.value })}
        />
        <Button type="submit" variant="default">
          Show
        </Button>
      </form>
      {log.isPending ? (
        <Loading what="access log" />
      ) : log.isError && rows.length === 0 ? (
        <Failed what="access log" failure={log.error} retry={() => void log.refetch()} />
      ) : rows.length === 0 ? (
        <Empty title="No such access">
          <p>Nothing in the log fits these ids.</p>
        </Empty>
      ) : (
        <>
          <TableFrame label="Accesses">
            <thead>
              <tr>
                <th scope="col" className="num">
                  Position
                </th>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">Did</th>
                <th scope="col">To</th>
                <th scope="col">Purpose</th>
                <th scope="col">Outcome</th>
                <th scope="col">Reason</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.position}>
                  <td className="num">{row.position}</td>
                  <td>
                    <Moment at={row.at} />
                  </td>
                  <td>
                    {row.actor}
                    <br />
                    <span className="quiet">{roleWords(row.roles)}</span>
                  </td>
                  <td>{capital(plain(row.action))}</td>
                  <td>
                    <code>{row.target}</code>
                  </td>
                  <td>{capital(plain(row.purpose))}</td>
                  <td>{capital(plain(row.outcome))}</td>
                  <td>{row.reason ?? ""}</td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
          {log.hasNextPage && (
            <Button
              variant="default"
              loading={log.isFetchingNextPage}
              onClick={() => void log.fetchNextPage()}
            >
              Show more
            </Button>
          )}
        </>
      )}
    </Page>
  );
}
