// The work that the server does by itself: what waits, what was given up and why, what runs by the clock.
// An administrator tries again, gives up and pauses; an auditor looks.
import { Button, NativeSelect, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, done } from "../../api/client";
import { sayFailure, sentence } from "../../api/failure";
import { queries } from "../../api/queries";
import type { Alarm, WorkKind, WorkPiece, WorkState } from "../../api/types";
import { may } from "../../app/permissions";
import { useSession } from "../../app/session";
import { ALARM_WORDS, kindWords, WORK_WORDS } from "../../app/words";
import { Ago, Moment } from "../../ui/Moment";
import { Notice } from "../../ui/Notice";
import { Page, TableFrame } from "../../ui/Page";
import { ReasonDialog } from "../../ui/ReasonDialog";
import { Empty, Failed, Loading } from "../../ui/States";
import classes from "./Operations.module.css";

const STATES: readonly WorkState[] = ["dead", "ready", "leased", "done"];

export default function OperationsPage() {
  const kinds = useQuery(queries.workKinds());
  return (
    <Page title="Operations" about="The work that the server does by itself.">
      {kinds.isPending ? (
        <Loading what="work" />
      ) : kinds.isError ? (
        <Failed what="work" failure={kinds.error} retry={() => void kinds.refetch()} />
      ) : (
        <>
          <Alarms />
          <Kinds kinds={kinds.data.kinds} />
          <Pieces kinds={kinds.data.kinds} />
        </>
      )}
    </Page>
  );
}

/** What the program itself says needs a hand; nothing at all when nothing does or did. */
function Alarms() {
  const alarms = useQuery(queries.alarms());
  if (alarms.isError) {
    return <Failed what="alarms" failure={alarms.error} retry={() => void alarms.refetch()} />;
  }
  if (alarms.data === undefined || alarms.data.rows.length === 0) {
    return null;
  }
  return (
    <TableFrame label="Alarms of operation">
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">What</th>
          <th scope="col" className="num">
            Seen
          </th>
          <th scope="col">Since</th>
          <th scope="col">Last</th>
          <th scope="col">What to do</th>
        </tr>
      </thead>
      <tbody>
        {alarms.data.rows.map((alarm) => (
          <AlarmRow key={alarm.id} alarm={alarm} />
        ))}
      </tbody>
    </TableFrame>
  );
}

function AlarmRow({ alarm }: { alarm: Alarm }) {
  const stands = alarm.state !== "cleared";
  const figures = Object.entries(alarm.figures).map(([name, value]) => `${name} ${value}`);
  return (
    <tr>
      <td>
        <span className={classes.state} data-state={stands ? "dead" : "done"}>
          {ALARM_WORDS[alarm.state]}
        </span>
      </td>
      <td>
        {alarm.meaning ?? alarm.code}
        {figures.length > 0 && ` (${figures.join(", ")})`}
      </td>
      <td className="num">{alarm.count}</td>
      <td>
        <Moment at={alarm.raised_at} />
      </td>
      <td className="nowrap">
        <Ago at={alarm.cleared_at ?? alarm.last_seen_at} />
      </td>
      <td className={classes.why}>{stands && alarm.to_do}</td>
    </tr>
  );
}

/** After a change the counts and the list are asked again. */
function useWorkChange<T>(change: (of: T) => Promise<void>, onDone?: () => void) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => onDone?.(),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ["work"] }),
  });
}

function Kinds({ kinds }: { kinds: readonly WorkKind[] }) {
  const { session } = useSession();
  const manages = may(session, "manage-operations");
  const pause = useWorkChange(({ kind, paused }: WorkKind) => {
    const params = { params: { path: { kind } } };
    return done(
      paused == null
        ? api.POST("/api/work-kinds/{kind}/pause", params)
        : api.POST("/api/work-kinds/{kind}/resume", params),
    );
  });
  return (
    <>
      {pause.isError && <Notice kind="bad">{sayFailure(pause.error)}</Notice>}
      <TableFrame label="Work by kind">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col" className="num">
              Waiting
            </th>
            <th scope="col" className="num">
              Under way
            </th>
            <th scope="col" className="num">
              Given up
            </th>
            <th scope="col">Oldest</th>
            <th scope="col">By the clock</th>
            <th scope="col">State</th>
            {manages && <th scope="col">Change</th>}
          </tr>
        </thead>
        <tbody>
          {kinds.map((kind) => (
            <tr key={kind.kind}>
              <th scope="row">{kindWords(kind.kind)}</th>
              <td className="num">{kind.ready}</td>
              <td className="num">{kind.leased}</td>
              <td className="num">
                <span className={classes.state} data-state={kind.dead > 0 ? "dead" : undefined}>
                  {kind.dead}
                </span>
              </td>
              <td className="nowrap">{kind.oldest_at == null ? "" : <Ago at={kind.oldest_at} />}</td>
              <td>{kind.schedule != null && <Clock schedule={kind.schedule} />}</td>
              <td>
                {kind.paused == null ? (
                  "Running"
                ) : (
                  <>
                    <span className={classes.state} data-state="paused">
                      Paused
                    </span>{" "}
                    by {kind.paused.by} <Ago at={kind.paused.at} />
                  </>
                )}
              </td>
              {manages && (
                <td>
                  <Button
                    size="compact-sm"
                    variant="default"
                    loading={pause.isPending && pause.variables.kind === kind.kind}
                    onClick={() => pause.mutate(kind)}
                  >
                    {kind.paused == null ? "Pause" : "Resume"}
                    <span className="hidden">: {kindWords(kind.kind)}</span>
                  </Button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </>
  );
}

function Clock({ schedule }: { schedule: NonNullable<WorkKind["schedule"]> }) {
  const minutes = Math.round(schedule.every_seconds / 60);
  return (
    <>
      Every {minutes} min, next <Moment at={schedule.next_due} />
    </>
  );
}

function Pieces({ kinds }: { kinds: readonly WorkKind[] }) {
  const [state, setState] = useState<WorkState | undefined>("dead");
  const [kind, setKind] = useState("");
  const work = useInfiniteQuery(queries.work({ ...(state && { state }), ...(kind !== "" && { kind }) }));
  const rows = work.data?.pages.flatMap((page) => page.rows) ?? [];
  const [givingUp, setGivingUp] = useState<WorkPiece | undefined>(undefined);
  const retry = useWorkChange((piece: WorkPiece) =>
    done(api.POST("/api/work-pieces/{id}/retry", { params: { path: { id: piece.id } } })),
  );
  const giveUp = useWorkChange(
    ({ piece, reason }: { piece: WorkPiece; reason: string }) =>
      done(
        api.POST("/api/work-pieces/{id}/give-up", { params: { path: { id: piece.id } }, body: { reason } }),
      ),
    () => setGivingUp(undefined),
  );
  return (
    <>
      <div className={classes.filter}>
        <div className={classes.states}>
          <SegmentedControl
            aria-label="State of the work"
            value={state ?? "all"}
            onChange={(value) => setState(value === "all" ? undefined : (value as WorkState))}
            data={[
              ...STATES.map((of) => ({ value: of, label: WORK_WORDS[of] })),
              { value: "all", label: "All" },
            ]}
          />
        </div>
        <NativeSelect
          aria-label="Kind of work"
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value)}
          data={[
            { value: "", label: "Every kind" },
            ...kinds.map((one) => ({ value: one.kind, label: kindWords(one.kind) })),
          ]}
        />
      </div>
      {retry.isError && <Notice kind="bad">{sayFailure(retry.error)}</Notice>}
      {work.isPending ? (
        <Loading what="list of work" />
      ) : work.isError && rows.length === 0 ? (
        <Failed what="list of work" failure={work.error} retry={() => void work.refetch()} />
      ) : rows.length === 0 ? (
        <Empty title={state === "dead" ? "Nothing was given up" : "No such work"}>
          <p>
            {state === "dead"
              ? "Work that fails again and again is listed here with its reason."
              : "Choose another state or kind."}
          </p>
        </Empty>
      ) : (
        <>
          <TableFrame label="Pieces of work">
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Kind</th>
                <th scope="col">About</th>
                <th scope="col" className="num">
                  Tries
                </th>
                <th scope="col">Since</th>
                <th scope="col">Reason</th>
                <th scope="col">Change</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((piece) => (
                <Piece
                  key={piece.id}
                  piece={piece}
                  pending={retry.isPending && retry.variables.id === piece.id}
                  onRetry={() => retry.mutate(piece)}
                  onGiveUp={() => setGivingUp(piece)}
                />
              ))}
            </tbody>
          </TableFrame>
          {work.hasNextPage && (
            <Button
              variant="default"
              loading={work.isFetchingNextPage}
              onClick={() => void work.fetchNextPage()}
            >
              Show more
            </Button>
          )}
        </>
      )}
      {givingUp !== undefined && (
        <ReasonDialog
          opened
          onClose={() => setGivingUp(undefined)}
          title="Give up work"
          action="Give up"
          danger
          pending={giveUp.isPending}
          failure={giveUp.error}
          onConfirm={(reason) => giveUp.mutate({ piece: givingUp, reason })}
        >
          <p>
            {kindWords(givingUp.kind)}, <code>{givingUp.subject}</code>: it is not tried any more, stays in
            the balance as in flight, and can be tried again from here.
          </p>
        </ReasonDialog>
      )}
    </>
  );
}

interface PieceProps {
  readonly piece: WorkPiece;
  readonly pending: boolean;
  readonly onRetry: () => void;
  readonly onGiveUp: () => void;
}

function Piece({ piece, pending, onRetry, onGiveUp }: PieceProps) {
  const { session } = useSession();
  const manages = may(session, "manage-operations");
  const name = <span className="hidden">: {piece.subject}</span>;
  return (
    <tr>
      <td>
        <span className={classes.state} data-state={piece.state}>
          {WORK_WORDS[piece.state]}
        </span>
      </td>
      <td>{kindWords(piece.kind)}</td>
      <td>
        <code>{piece.subject}</code>
      </td>
      <td className="num">{piece.attempts}</td>
      <td>
        <Moment at={piece.enqueued_at} />
      </td>
      <td className={classes.why}>{piece.reason != null && sentence(piece.reason)}</td>
      <td>
        {manages && piece.state === "dead" && (
          <Button size="compact-sm" variant="default" loading={pending} onClick={onRetry}>
            Try again{name}
          </Button>
        )}
        {manages && piece.state === "ready" && (
          <Button size="compact-sm" variant="default" onClick={onGiveUp}>
            Give up…{name}
          </Button>
        )}
      </td>
    </tr>
  );
}
