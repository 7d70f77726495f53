// Severity, the same everywhere: a shape, a word and a color. The shape alone is enough for who sees
// no color, the word for who sees no shape.
import type { FlagCode, Severity } from "../api/types";
import { FLAG_SHORT, SEVERITY_WORDS } from "../app/words";
import classes from "./Severity.module.css";

/** Circle: info. Diamond: borderline. Filled octagon: alert. */
export function SeverityShape({ severity, size = 14 }: { severity: Severity; size?: number }) {
  return (
    <svg
      className={classes[severity]}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
      data-severity={severity}
    >
      {severity === "info" && (
        <>
          <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.8" />
          <path d="M8 7.3v4M8 4.7v.2" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
        </>
      )}
      {severity === "borderline" && (
        <>
          <path d="M8 .8 15.2 8 8 15.2.8 8z" fill="currentColor" />
          <path d="M8 4.6v4M8 11v.2" stroke="var(--surface)" strokeWidth="1.8" strokeLinecap="round" />
        </>
      )}
      {severity === "alert" && (
        <>
          <path d="M4.9.6h6.2l4.3 4.3v6.2l-4.3 4.3H4.9L.6 11.1V4.9z" fill="currentColor" />
          <path d="M8 4v5M8 11.7v.2" stroke="var(--surface)" strokeWidth="2" strokeLinecap="round" />
        </>
      )}
    </svg>
  );
}

export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span className={`${classes.mark} ${classes[severity]}`}>
      <SeverityShape severity={severity} />
      {SEVERITY_WORDS[severity]}
    </span>
  );
}

/** A flag in a list: its severity's shape and its own name; the severity's word for who listens. */
export function FlagMark({ code, severity }: { code: FlagCode; severity: Severity }) {
  return (
    <span
      className={`${classes.flag} ${classes[severity]}`}
      title={`${FLAG_SHORT[code]}: ${SEVERITY_WORDS[severity]}`}
    >
      <SeverityShape severity={severity} size={12} />
      {FLAG_SHORT[code] ?? code}
      <span className="hidden">, {SEVERITY_WORDS[severity]}</span>
    </span>
  );
}
