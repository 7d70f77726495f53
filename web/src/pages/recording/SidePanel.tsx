// What is known of a recording besides its traces. What a machine measured is labeled so, with its
// version; what the device said is kept apart from it.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import { Link } from "react-router";
import { sentence } from "../../api/failure";
import { queries } from "../../api/queries";
import type { FlagDetail, HistoryStep, RecordingDetail } from "../../api/types";
import {
  bySeverity,
  bytesText,
  capital,
  countText,
  FLAG_WORDS,
  missingWords,
  notEvaluatedWords,
  numberText,
  plain,
  rhythmWords,
  roleWords,
  SEVERITY_WORDS,
  unitWords,
  withUnit,
} from "../../app/words";
import { AcquiredMoment, Moment } from "../../ui/Moment";
import { FlagMark, SeverityShape } from "../../ui/Severity";
import classes from "./SidePanel.module.css";

interface SidePanelProps {
  readonly detail: RecordingDetail;
  /** Index of the flag whose evidence is lit. */
  readonly lit: number | undefined;
  readonly onLit: (index: number | undefined) => void;
}

export function SidePanel({ detail, lit, onLit }: SidePanelProps) {
  return (
    <aside className={classes.panel} aria-label="Details" tabIndex={0} data-inset-focus>
      <p className={classes.machine}>
        Machine measurements, version {detail.measurements.version}, not reviewed
      </p>
      <Flags detail={detail} lit={lit} onLit={onLit} />
      <MeasurementsSection detail={detail} />
      <DeviceSays detail={detail} />
      <Problems detail={detail} />
      <Priors detail={detail} />
      <ProvenanceSection detail={detail} />
      <History id={detail.recording_id} />
      <Accesses id={detail.recording_id} />
    </aside>
  );
}

function Section({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className={classes.section} aria-labelledby={id}>
      <h2 id={id} className={classes.title}>
        {title}
        {note !== undefined && <span className={classes.note}> {note}</span>}
      </h2>
      {children}
    </section>
  );
}

function Flags({ detail, lit, onLit }: SidePanelProps) {
  const { flags, not_evaluated, rule_version } = detail.flag_report;
  const ordered = bySeverity(flags.map((flag, index) => ({ flag, index, severity: flag.severity })));
  return (
    <Section title="Flags" note={`rules ${rule_version}`}>
      {flags.length === 0 && <p className="quiet">No flag applies.</p>}
      <ul className={classes.flags}>
        {ordered.map(({ flag, index }) => (
          <li key={flag.code}>
            <FlagButton
              flag={flag}
              pressed={lit === index}
              onPress={() => onLit(lit === index ? undefined : index)}
            />
          </li>
        ))}
      </ul>
      {not_evaluated.length > 0 && (
        <>
          <h3 className={classes.sub}>Not evaluated</h3>
          <ul className={classes.plain}>
            {not_evaluated.map(({ code, reason }) => (
              <li key={code}>
                {FLAG_WORDS[code] ?? plain(code)}: <span className="quiet">{notEvaluatedWords(reason)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function FlagButton({ flag, pressed, onPress }: { flag: FlagDetail; pressed: boolean; onPress: () => void }) {
  const { leads, beats, formula } = flag.evidence;
  const evidence = [
    leads.length > 0 ? leads.join(", ") : undefined,
    beats.length > 0 ? countText(beats.length, "beat") : undefined,
    formula == null ? undefined : capital(formula),
  ].filter((part) => part !== undefined);
  const shows = leads.length > 0 || beats.length > 0;
  return (
    <button
      type="button"
      className={`${classes.flag} ${classes[flag.severity]}`}
      aria-pressed={pressed}
      disabled={!shows}
      title={shows ? "Light the evidence on the trace" : "This flag rests on no single lead or beat"}
      onClick={onPress}
    >
      <SeverityShape severity={flag.severity} size={18} />
      <span className={classes.flagWords}>
        <span className={classes.flagHead}>
          <strong>{FLAG_WORDS[flag.code] ?? plain(flag.code)}</strong>
          <span className={classes.word}>{SEVERITY_WORDS[flag.severity]}</span>
        </span>
        <span>
          {withUnit(flag.value, flag.unit)}{" "}
          <span className="quiet">(limit {withUnit(flag.limit, flag.unit)})</span>
        </span>
        {evidence.length > 0 && <span className={classes.evidence}>{evidence.join(" · ")}</span>}
        {flag.notes.map((note) => (
          <span key={note} className={classes.evidence}>
            {sentence(note)}
          </span>
        ))}
      </span>
    </button>
  );
}

const MEASUREMENT_WORDS: Record<string, string> = {
  heart_rate_bpm: "Ventricular rate",
  rr_ms: "RR",
  p_ms: "P duration",
  pr_ms: "PR",
  qrs_ms: "QRS",
  qt_ms: "QT",
};

function MeasurementsSection({ detail }: { detail: RecordingDetail }) {
  const { values, qtc, axes, st_uv, rhythm, beats_used, r_peaks } = detail.measurements;
  return (
    <Section title="Measurements">
      <table className={classes.values}>
        <tbody>
          {values.map(({ name, value, unit, missing }) => (
            <Value
              key={name}
              name={MEASUREMENT_WORDS[name] ?? plain(name)}
              value={value}
              unit={unit}
              missing={missing}
              whole
            />
          ))}
          {qtc.map(({ formula, value, missing }) => (
            <Value
              key={formula}
              name={`QTc ${capital(formula)}`}
              value={value}
              unit="ms"
              missing={missing}
              whole
            />
          ))}
          <Value name="P axis" value={axes.p.value} unit="deg" missing={axes.p.missing} whole />
          <Value name="QRS axis" value={axes.qrs.value} unit="deg" missing={axes.qrs.missing} whole />
          <Value name="T axis" value={axes.t.value} unit="deg" missing={axes.t.missing} whole />
        </tbody>
      </table>
      <p className={classes.line}>
        {rhythmWords(rhythm)}{" "}
        <span className="quiet">
          · {beats_used.length} of {countText(r_peaks.length, "beat")} used
        </span>
      </p>
      <h3 className={classes.sub}>ST at J in µV</h3>
      <ul className={classes.st}>
        {st_uv.map(({ lead, value, missing }) => (
          <li
            key={lead}
            title={value == null ? capital(missingWords(missing)) : `ST in ${lead}: ${numberText(value)} µV`}
          >
            <span className="quiet">{lead}</span>
            {value == null ? (
              <>
                <span aria-hidden="true">–</span>
                <span className="hidden">{missingWords(missing)}</span>
              </>
            ) : (
              <span>
                {value > 0 ? "+" : ""}
                {numberText(Math.round(value))}
              </span>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface ValueProps {
  readonly name: string;
  readonly value: number | null | undefined;
  readonly unit: string;
  readonly missing: string | null | undefined;
  readonly whole?: boolean;
}

function Value({ name, value, unit, missing, whole = false }: ValueProps) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {value == null ? (
        <td colSpan={2} className={classes.missing}>
          {capital(missingWords(missing))}
        </td>
      ) : (
        <>
          <td className={classes.number}>{numberText(whole ? Math.round(value) : value)}</td>
          <td className={classes.unit}>{unitWords(unit)}</td>
        </>
      )}
    </tr>
  );
}

function DeviceSays({ detail }: { detail: RecordingDetail }) {
  const { device, device_measurements, device_statements } = detail;
  const name = [
    device.manufacturer,
    device.model,
    device.software == null ? undefined : `software ${device.software}`,
  ]
    .filter((part) => part != null && part !== "")
    .join(" · ");
  return (
    <Section title="Device says" note={name === "" ? undefined : name}>
      {device_statements.length === 0 && device_measurements.length === 0 && (
        <p className="quiet">The file holds no statements or measurements of the device.</p>
      )}
      {device_statements.length > 0 && (
        <ul className={classes.plain}>
          {device_statements.map(({ text, code }, index) => (
            <li key={index}>
              {text} {code != null && <code className="quiet">{code}</code>}
            </li>
          ))}
        </ul>
      )}
      {device_measurements.length > 0 && (
        <table className={classes.values}>
          <tbody>
            {device_measurements.map(({ label, value, unit, lead }, index) => (
              <Value
                key={index}
                name={lead == null ? label : `${label}, ${lead}`}
                value={value}
                unit={unit}
                missing={undefined}
              />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function Problems({ detail }: { detail: RecordingDetail }) {
  const { problems_detail, leads } = detail;
  const bad = leads.filter((lead) => !lead.usable || lead.issues.length > 0);
  if (problems_detail.length === 0 && bad.length === 0) {
    return (
      <Section title="Problems">
        <p className="quiet">None noticed while reading the file.</p>
      </Section>
    );
  }
  return (
    <Section title="Problems">
      <ul className={classes.problems}>
        {bad.map((lead) => (
          <li key={lead.name}>
            <strong>Lead {lead.name}</strong> {lead.usable ? "usable" : "not usable"}
            {lead.issues.length > 0 && `: ${lead.issues.map(plain).join(", ")}`}
          </li>
        ))}
        {problems_detail.map(({ code, place, severity, text }) => (
          <li key={`${code} ${place}`}>
            <strong>{capital(severity)}</strong> {sentence(text)} <code className="quiet">{place}</code>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Priors({ detail }: { detail: RecordingDetail }) {
  if (detail.patient == null) return null;
  return (
    <Section title="Other recordings">
      {detail.priors.length === 0 && <p className="quiet">This is the only recording of this patient.</p>}
      <ul className={classes.priors}>
        {detail.priors.map((row) => (
          <li key={row.recording_id}>
            <Link to={`/recordings/${row.recording_id}`}>
              <AcquiredMoment acquired={row.acquired} />
            </Link>
            <span className="nowrap">
              {row.heart_rate_bpm == null ? "" : `${Math.round(row.heart_rate_bpm)} /min`}
            </span>
            <span className={classes.marks}>
              {row.flags.length === 0 && <span className="quiet">No flag</span>}
              {bySeverity(row.flags).map((flag) => (
                <FlagMark key={flag.code} {...flag} />
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function ProvenanceSection({ detail }: { detail: RecordingDetail }) {
  return (
    <Section title="Provenance">
      <dl className={classes.facts}>
        <Fact term="Acquired">
          <AcquiredMoment acquired={detail.acquired} />
        </Fact>
        <Fact term="Signal">
          {numberText(detail.sampling_hz)} Hz, {numberText(detail.duration_s)} s,{" "}
          {countText(detail.leads.length, "lead")}
        </Fact>
        <Fact term="Ledger position">{detail.position}</Fact>
      </dl>
      {detail.provenance.map((entry) => (
        <dl key={entry.item_id} className={classes.facts}>
          <Fact term="Received">
            <Moment at={entry.received_at} />
          </Fact>
          <Fact term="Door">
            {capital(entry.door)}, {entry.outcome} <span className="quiet">by {entry.sender}</span>
          </Fact>
          <Fact term="File">
            {[entry.format, entry.format_detail].filter((part) => part !== "").join(", ")} ·{" "}
            {bytesText(entry.size_bytes)}
          </Fact>
          <Fact term="Read by">{entry.reader}</Fact>
          <Fact term="Keyed hash">
            <code className={classes.hash}>{entry.content_hash}</code>
          </Fact>
          <Fact term="In the ledger at">{entry.ledger_position}</Fact>
        </dl>
      ))}
    </Section>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const STEP_WORDS: Record<HistoryStep["what"], string> = {
  filed: "Filed",
  held: "Held",
  assigned: "Given to a patient",
  unassigned: "Taken back",
  merged: "Moved with a merged record",
  unmerged: "Moved back, records taken apart",
};

/** What became of it, the oldest first: who, when, where in the ledger. */
function History({ id }: { id: string }) {
  const history = useQuery({ ...queries.history(id), refetchOnWindowFocus: false });
  return (
    <Section title="History">
      {history.isPending && <p className="quiet">Loading…</p>}
      {history.isError && (
        <p className="quiet">
          Could not be loaded.{" "}
          <button type="button" className={classes.link} onClick={() => void history.refetch()}>
            Try again
          </button>
        </p>
      )}
      {history.data !== undefined && (
        <ol className={classes.accesses}>
          {history.data.steps.map(({ position, at, actor, what, patient_id, from_patient_id, reason }) => (
            <li key={position}>
              <strong>{STEP_WORDS[what] ?? plain(what)}</strong> <span className="quiet">by {actor}</span>
              <br />
              <Moment at={at} /> <span className="quiet">· ledger position {position}</span>
              {from_patient_id != null && (
                <>
                  {" · "}
                  <Link to={`/patients/${from_patient_id}`}>earlier record</Link>
                </>
              )}
              {patient_id != null && (
                <>
                  {" · "}
                  <Link to={`/patients/${patient_id}`}>patient’s record</Link>
                </>
              )}
              {reason != null && reason !== "" && <em> “{reason}”</em>}
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}

function Accesses({ id }: { id: string }) {
  const accesses = useQuery({ ...queries.accesses(id), refetchOnWindowFocus: false });
  return (
    <Section title="Who looked at it">
      {accesses.isPending && <p className="quiet">Loading…</p>}
      {accesses.isError && (
        <p className="quiet">
          Could not be loaded.{" "}
          <button type="button" className={classes.link} onClick={() => void accesses.refetch()}>
            Try again
          </button>
        </p>
      )}
      {accesses.data !== undefined && (
        <ul className={classes.accesses}>
          {accesses.data.accesses.map(({ at, actor, roles, action, purpose, reason }, index) => (
            <li key={index}>
              <strong>{actor}</strong> <span className="quiet">{roleWords(roles)}</span>
              <br />
              <Moment at={at} /> · {plain(action)}
              {purpose !== "" && <span className="quiet"> · {plain(purpose)}</span>}
              {reason != null && reason !== "" && <em> “{reason}”</em>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
