// A time on screen: local with its zone, UTC on hover.
import { useEffect, useState } from "react";
import type { Acquired } from "../api/types";
import { agoText, deviceText, instantText, type TimeText } from "../app/time";
import classes from "./Moment.module.css";

export function Moment({ at }: { at: string }) {
  return <Written text={instantText(at)} dateTime={at} />;
}

export function AcquiredMoment({ acquired }: { acquired: Acquired | null | undefined }) {
  return <Written text={deviceText(acquired)} dateTime={acquired?.utc ?? acquired?.local ?? undefined} />;
}

function Written({ text, dateTime }: { text: TimeText; dateTime: string | undefined }) {
  return (
    <time className={classes.moment} dateTime={dateTime} title={text.full}>
      {text.local} {text.zone !== "" && <span className={classes.zone}>{text.zone}</span>}
    </time>
  );
}

/** How long ago, kept current. */
export function Ago({ at }: { at: string }) {
  const now = useNow(10_000);
  return (
    <time dateTime={at} title={instantText(at).full}>
      {agoText(now - Date.parse(at))} ago
    </time>
  );
}

export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
