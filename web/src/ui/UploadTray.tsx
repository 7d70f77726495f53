// What became of each file: how far it is in numbers, then one clear outcome with its next step.
import { ActionIcon, Button, NativeSelect, Progress } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { ApiFailure, sayFailure, sentence } from "../api/failure";
import type { Item } from "../api/types";
import { isBusy, type Upload, uploads, useUploads } from "../api/uploads";
import { remember, useMemory } from "../app/memory";
import { may } from "../app/permissions";
import { useSession } from "../app/session";
import { bytesText, countText } from "../app/words";
import { CloseIcon, MinusIcon, UpIcon } from "./icons";
import classes from "./UploadTray.module.css";

export function UploadTray() {
  const list = useUploads();
  const { session } = useSession();
  const { uploadSite } = useMemory();
  const [folded, setFolded] = useState(false);
  if (list.length === 0) return null;
  const busy = list.filter(isBusy).length;
  const trouble = list.filter(isTrouble).length;
  const summary = [
    busy > 0
      ? `${busy} of ${countText(list.length, "file")} under way`
      : `${countText(list.length, "file")} done`,
    ...(trouble > 0 ? [`${trouble} to look at`] : []),
  ].join(", ");
  return (
    <section className={classes.tray} aria-label="Uploads">
      <header className={classes.head}>
        <h2 className={classes.title}>Uploads</h2>
        <span className="quiet small" role="status">
          {summary}
        </span>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={folded ? "Show the files" : "Fold the tray"}
          aria-expanded={!folded}
          onClick={() => setFolded(!folded)}
        >
          {folded ? <UpIcon /> : <MinusIcon />}
        </ActionIcon>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Clear what is done"
          disabled={busy === list.length}
          onClick={() => uploads.clearDone()}
        >
          <CloseIcon />
        </ActionIcon>
      </header>
      {!folded && (
        <>
          {session.sites.length > 1 && (
            <NativeSelect
              className={classes.site}
              size="xs"
              label="Site of the next files"
              value={uploadSite ?? ""}
              onChange={(event) => remember({ uploadSite: event.currentTarget.value || undefined })}
              data={[
                { value: "", label: "Not stated" },
                ...session.sites.map(({ id, name }) => ({ value: id, label: name })),
              ]}
            />
          )}
          <ul className={classes.list}>
            {list.map((upload) => (
              <Row key={upload.key} upload={upload} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

const isTrouble = ({ state }: Upload): boolean =>
  state.kind === "failed" ||
  (state.kind === "decided" && ["held", "quarantined", "rejected"].includes(state.item.state));

function Row({ upload }: { upload: Upload }) {
  const { file, state, key } = upload;
  return (
    <li className={classes.row} data-outcome={state.kind === "decided" ? state.item.state : state.kind}>
      <div className={classes.file}>
        <span className={classes.name}>{file.name}</span>
        <span className="quiet small nowrap">{bytesText(file.size)}</span>
      </div>
      {state.kind === "waiting" && (
        <Outcome word="Waiting">
          <Small onClick={() => uploads.cancel(key)}>Cancel</Small>
        </Outcome>
      )}
      {state.kind === "sending" && <SendingBar upload={upload} bytes={state.bytes} />}
      {state.kind === "reading" && (
        <Outcome
          word="Reading"
          text={
            state.itemId === undefined
              ? "All bytes are sent; the server is answering."
              : "It is safe on the server and being read."
          }
        />
      )}
      {state.kind === "canceled" && (
        <Outcome word="Canceled" text="Nothing was kept.">
          <Small onClick={() => uploads.retry(key)}>Send again</Small>
        </Outcome>
      )}
      {state.kind === "failed" && <FailedUpload failure={state.failure} uploadKey={key} />}
      {state.kind === "decided" && <Decided item={state.item} />}
    </li>
  );
}

function SendingBar({ upload, bytes }: { upload: Upload; bytes: number }) {
  const total = upload.file.size;
  const percent = total === 0 ? 100 : Math.floor((bytes / total) * 100);
  return (
    <>
      <Progress value={percent} size="sm" aria-label={`Sent of ${upload.file.name}`} transitionDuration={0} />
      <Outcome word="Sending" text={`${bytesText(bytes)} of ${bytesText(total)}, ${percent} %`}>
        <Small onClick={() => uploads.cancel(upload.key)}>Cancel</Small>
      </Outcome>
    </>
  );
}

function FailedUpload({ failure, uploadKey }: { failure: unknown; uploadKey: number }) {
  if (failure instanceof ApiFailure && failure.problem?.status === 413) {
    return <Outcome tone="bad" word="Rejected" text={sayFailure(failure)} />;
  }
  const unsent = failure instanceof ApiFailure && failure.kind === "offline";
  return (
    <Outcome
      tone="bad"
      word="Not sent"
      text={
        unsent
          ? "The connection broke before the server acknowledged it. Sending it again is safe: it is filed once."
          : sayFailure(failure)
      }
    >
      <Small onClick={() => uploads.retry(uploadKey)}>Send again</Small>
    </Outcome>
  );
}

function Decided({ item }: { item: Item }) {
  const { session } = useSession();
  const open =
    item.recording_id != null && may(session, "read-clinical")
      ? `/recordings/${item.recording_id}`
      : undefined;
  const reason = [item.reason?.text, item.reason?.hint]
    .filter((part): part is string => part != null && part !== "")
    .map(sentence)
    .join(" ");
  switch (item.state) {
    case "filed":
      return (
        <Outcome tone="good" word="Filed">
          {open !== undefined && <Link to={open}>Open the recording</Link>}
        </Outcome>
      );
    case "linked":
      if (item.recording_id == null) {
        return (
          <Outcome
            tone="wait"
            word="Seen before"
            text="The same content came before and did not become a recording."
          >
            {may(session, "read-intake") && <Link to="/items">See intake</Link>}
          </Outcome>
        );
      }
      return (
        <Outcome tone="good" word="Seen before" text="The same content was already here; nothing was added.">
          {open !== undefined && <Link to={open}>Open the recording</Link>}
        </Outcome>
      );
    case "held":
      return (
        <Outcome tone="wait" word="Held" text={reason || "It is readable, but its patient is not sure."}>
          {open !== undefined && <Link to={open}>Open and assign</Link>}
        </Outcome>
      );
    case "quarantined":
      return (
        <Outcome
          tone="bad"
          word="Quarantined"
          text={reason || "It could not be read as an ECG. The original is kept."}
        >
          {may(session, "read-intake") && <Link to="/items">See intake</Link>}
        </Outcome>
      );
    case "rejected":
      return <Outcome tone="bad" word="Rejected" text={reason || "It was not taken. Nothing was kept."} />;
    case "in-flight":
      return (
        <Outcome word="Still being read" text="It is safe on the server. It will show in the worklist." />
      );
  }
}

interface OutcomeProps {
  readonly word: string;
  readonly text?: string;
  readonly tone?: "good" | "wait" | "bad";
  readonly children?: ReactNode;
}

function Outcome({ word, text, tone, children }: OutcomeProps) {
  return (
    <div className={classes.outcome}>
      <p>
        <strong className={tone === undefined ? undefined : classes[tone]}>{word}</strong>
        {text !== undefined && text !== "" && <span> · {text}</span>}
      </p>
      {children}
    </div>
  );
}

const Small = ({ onClick, children }: { onClick: () => void; children: ReactNode }) => (
  <Button size="compact-xs" variant="default" onClick={onClick}>
    {children}
  </Button>
);
