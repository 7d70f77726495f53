// One recording in the worklist. The whole row is the link; its cells are read in the order a reader
// needs them: how urgent, when, who, what.
import { useEffect, useState } from "react";
import { Link } from "react-router";
import type { WorklistRow } from "../../api/types";
import { remember } from "../../app/memory";
import { ageText, bySeverity, patientName } from "../../app/words";
import { AcquiredMoment, Ago } from "../../ui/Moment";
import { FlagMark, SeverityMark } from "../../ui/Severity";
import classes from "./Worklist.module.css";

/** Row height in pixels; grows with the reader's text size, so that nothing is cut off. */
export function useRowHeight(): number {
  const measure = () => {
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    return Math.round((window.innerWidth <= 640 ? 5.75 : 2.875) * rem);
  };
  const [height, setHeight] = useState(measure);
  useEffect(() => {
    const onResize = () => setHeight(measure());
    window.addEventListener("resize", onResize);
    return () => window.removeEventListener("resize", onResize);
  });
  return height;
}

export function HeadRow() {
  return (
    <div role="rowgroup" className={classes.headGroup}>
      <div role="row" aria-rowindex={1} className={`${classes.row} ${classes.headRow}`}>
        <span role="columnheader">Severity</span>
        <span role="columnheader">Acquired</span>
        <span role="columnheader">Patient</span>
        <span role="columnheader">Rate</span>
        <span role="columnheader">Flags</span>
        <span role="columnheader">Site</span>
        <span role="columnheader">Received</span>
      </div>
    </div>
  );
}

interface RowProps {
  readonly row: WorklistRow;
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly selected: boolean;
}

export function Row({ row, index, top, height, selected }: RowProps) {
  const id = row.recording_id;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={`${classes.row} ${classes.dataRow}`}
      data-selected={selected || undefined}
      style={{ transform: `translateY(${top}px)`, height }}
    >
      <span role="cell" className={classes.severity}>
        {row.highest == null ? (
          <span className="quiet">No flag</span>
        ) : (
          <SeverityMark severity={row.highest} />
        )}
      </span>
      <span role="cell" className={classes.acquired}>
        <AcquiredMoment acquired={row.acquired} />
      </span>
      <span role="cell" className={classes.patient}>
        <Link
          id={`row-${id}`}
          to={`/recordings/${id}`}
          className={classes.open}
          data-inset-focus
          onFocus={() => remember({ selected: id })}
        >
          <Who row={row} />
        </Link>
      </span>
      <span role="cell" className={classes.rate}>
        {row.heart_rate_bpm == null ? (
          <span className="quiet">–</span>
        ) : (
          <>
            <strong>{Math.round(row.heart_rate_bpm)}</strong> <span className="quiet">/min</span>
          </>
        )}
      </span>
      <span role="cell" className={classes.flags}>
        {bySeverity(row.flags).map((flag) => (
          <FlagMark key={flag.code} {...flag} />
        ))}
        {!row.quality_usable && <span className={classes.note}>Poor signal</span>}
        {row.problems > 0 && (
          <span className={classes.note}>
            {row.problems} {row.problems === 1 ? "problem" : "problems"}
          </span>
        )}
      </span>
      <span role="cell" className={classes.site}>
        {row.site?.name ?? <span className="quiet">Not stated</span>}
      </span>
      <span role="cell" className={classes.received}>
        <Ago at={row.received_at} />
      </span>
    </div>
  );
}

function Who({ row }: { row: WorklistRow }) {
  if (row.patient != null) {
    const { patient } = row;
    const [first] = patient.identifiers;
    return (
      <>
        <span className={classes.name}>{patientName(patient)}</span>
        <span className={classes.about}>
          {patient.birth_date ?? "birth date not known"} · {ageText(patient.age_years)} ·{" "}
          {patient.sex ?? "sex not known"}
          {first !== undefined && ` · ${first.value}`}
        </span>
      </>
    );
  }
  const device = row.device_patient;
  return (
    <>
      <span className={classes.name}>
        <span className={classes.heldMark}>Held</span> {device?.name ?? "No name in the file"}
      </span>
      <span className={classes.about}>
        The device says: {device?.birth_date ?? "no birth date"} · {device?.sex ?? "no sex"} ·{" "}
        {device?.id ?? "no ID"}
      </span>
    </>
  );
}
