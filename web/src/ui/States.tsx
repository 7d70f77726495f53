// The four states that are not data, each a picture of its own with the next step: empty, loading,
// failed, forbidden. A page that is none of them shows data.
import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { Link } from "react-router";
import { ApiFailure, sayFailure } from "../api/failure";
import { may } from "../app/permissions";
import { useSession } from "../app/session";
import classes from "./States.module.css";

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={classes.state} data-state="empty">
      <FlatLine />
      <h2>{title}</h2>
      <div className={classes.words}>{children}</div>
    </div>
  );
}

/** Says nothing for a moment, so that what is quick does not flash. */
export function Loading({ what }: { what: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={classes.state} data-state="loading" role="status">
      {late && (
        <>
          <Trace />
          <p className="quiet">Loading {what}…</p>
        </>
      )}
    </div>
  );
}

interface FailedProps {
  readonly what: string;
  readonly failure: unknown;
  readonly retry?: () => void;
}

/** Failed, forbidden or missing: the failure knows which. */
export function Failed({ what, failure, retry }: FailedProps) {
  const kind = failure instanceof ApiFailure ? failure.kind : "broken";
  if (kind === "forbidden") return <Forbidden what={what} failure={failure} />;
  const missing = kind === "missing";
  const requestId = failure instanceof ApiFailure ? failure.problem?.request_id : undefined;
  return (
    <div className={classes.state} data-state={missing ? "missing" : "failed"} role="alert">
      <BrokenTrace />
      <h2>{missing ? `This ${what} is not here` : `The ${what} could not be loaded`}</h2>
      <div className={classes.words}>
        <p>
          {missing
            ? "It does not exist, or it belongs to another organization. Check the link, or look for it in the worklist."
            : sayFailure(failure)}
        </p>
        {!missing && <p className="quiet">Nothing was changed or lost.</p>}
      </div>
      <div className={classes.steps}>
        {retry !== undefined && !missing && <Button onClick={retry}>Try again</Button>}
        <Button component={Link} to="/" variant={missing ? "filled" : "default"}>
          Go to the start page
        </Button>
      </div>
      {requestId ? (
        <p className="quiet small">
          Support id <code>{requestId}</code>
        </p>
      ) : null}
    </div>
  );
}

function Forbidden({ what, failure }: FailedProps) {
  const { session, askBreakGlass } = useSession();
  const requestId = failure instanceof ApiFailure ? failure.problem?.request_id : undefined;
  const canBreak = may(session, "break-glass") && session.break_glass == null;
  return (
    <div className={classes.state} data-state="forbidden" role="alert">
      <Padlock />
      <h2>Your role does not show this {what}</h2>
      <div className={classes.words}>
        <p>
          {canBreak
            ? "In an emergency you can open patient data for 15 minutes by giving a reason. The access is logged and shown to others."
            : "If you need it for your work, ask an administrator of your organization to change your role."}
        </p>
      </div>
      <div className={classes.steps}>
        {canBreak && (
          <Button color="red.8" onClick={askBreakGlass}>
            Emergency access…
          </Button>
        )}
        <Button component={Link} to="/" variant="default">
          Go to the start page
        </Button>
      </div>
      {requestId ? (
        <p className="quiet small">
          Support id <code>{requestId}</code>
        </p>
      ) : null}
    </div>
  );
}

const picture = { width: 120, height: 40, viewBox: "0 0 120 40", fill: "none", "aria-hidden": true } as const;

const FlatLine = () => (
  <svg {...picture} className={classes.picture}>
    <path d="M4 28h112" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeDasharray="2 6" />
  </svg>
);
const Trace = () => (
  <svg {...picture} className={`${classes.picture} ${classes.running}`}>
    <path
      d="M4 28h26q4-8 8 0h6l2 3 4-27 5 31 2-7h7q6-11 12 0h40"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinejoin="round"
      strokeLinecap="round"
      pathLength="100"
    />
  </svg>
);
const BrokenTrace = () => (
  <svg {...picture} className={`${classes.picture} ${classes.bad}`}>
    <path
      d="M4 28h26q4-8 8 0h6l2 3 3-19M72 28q6-11 12 0h32"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
    />
    <path d="m53 12 10 10m0-10-10 10" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round" />
  </svg>
);
const Padlock = () => (
  <svg {...picture} className={classes.picture}>
    <path
      d="M48 18h24v18H48zM53 18v-6a7 7 0 0 1 14 0v6M60 25v4"
      stroke="currentColor"
      strokeWidth="2.2"
      strokeLinejoin="round"
      strokeLinecap="round"
    />
  </svg>
);
