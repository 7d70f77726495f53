// The words of the screen for the codes of the server; one place, so that a thing has one name.
import type { AlarmState, FlagCode, ItemState, PatientBanner, Role, Severity, WorkState } from "../api/types";

export const FLAG_WORDS: Record<FlagCode, string> = {
  bradycardia: "Bradycardia",
  tachycardia: "Tachycardia",
  av_block_1: "First-degree AV block",
  long_qt: "Long QT",
  axis_left: "Left axis",
  axis_right: "Right axis",
  axis_extreme: "Extreme axis",
  st_elevation: "ST elevation",
  st_depression: "ST depression",
};
export const FLAG_CODES = Object.keys(FLAG_WORDS) as FlagCode[];

/** For a table's narrow column. */
export const FLAG_SHORT: Record<FlagCode, string> = {
  ...FLAG_WORDS,
  av_block_1: "AV block I",
  st_elevation: "ST elevation",
  st_depression: "ST depression",
};

export const SEVERITY_WORDS: Record<Severity, string> = {
  info: "Info",
  borderline: "Borderline",
  alert: "Alert",
};
/** The most urgent first. */
export const bySeverity = <T extends { readonly severity: Severity }>(flags: readonly T[]): T[] =>
  [...flags].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
export const SEVERITIES: readonly Severity[] = ["alert", "borderline", "info"];

export const ROLE_WORDS: Record<Role, string> = {
  technician: "Technician",
  nurse: "Nurse",
  physician: "Physician",
  cardiologist: "Cardiologist",
  "organization-administrator": "Administrator",
  auditor: "Auditor",
  researcher: "Researcher",
  service: "Service",
  "platform-operator": "Platform operator",
};
export const ROLES = Object.keys(ROLE_WORDS) as Role[];
export const roleWords = (roles: readonly string[]): string =>
  roles.map((role) => ROLE_WORDS[role as Role] ?? role).join(", ");

export const ITEM_WORDS: Record<ItemState, string> = {
  "in-flight": "In flight",
  filed: "Filed",
  linked: "Seen before",
  held: "Held",
  quarantined: "Quarantined",
  rejected: "Rejected",
};

export const WORK_WORDS: Record<WorkState, string> = {
  ready: "Waiting",
  leased: "Under way",
  dead: "Given up",
  done: "Done",
};

export const ALARM_WORDS: Record<AlarmState, string> = {
  open: "Needs a hand",
  acknowledged: "Somebody knows",
  cleared: "Over",
};

const KINDS: Record<string, string> = {
  ingest: "Read and file recordings",
  follow: "Link files seen before",
  "prune-work": "Remove finished work",
  "end-sessions": "Remove ended sessions",
  backup: "Back up",
};
/** What a kind of work does; a kind that is newer than this screen is shown as it is. */
export const kindWords = (kind: string): string => KINDS[kind] ?? capital(plain(kind));

const MISSING: Record<string, string> = {
  no_beats: "no beats found",
  too_few_beats: "too few beats",
  no_p_wave: "no measurable P wave",
  no_t_wave: "no measurable T wave",
  lead_absent: "lead not recorded",
  poor_quality: "signal quality too low",
  gap: "gap in the recording",
  rhythm: "not defined in this rhythm",
  paced: "paced rhythm",
  out_of_scope: "outside the method's scope",
};
/** Why a value is missing; a code that is newer than this screen is shown as it is. */
export const missingWords = (code: string | null | undefined): string =>
  code == null ? "not measured" : (MISSING[code] ?? plain(code));

const NOT_EVALUATED: Record<string, string> = {
  wide_qrs: "QRS is 120 ms or more",
  paced: "paced rhythm",
  paediatric: "under 16 years: no age tables yet",
  atrial_fibrillation: "atrial fibrillation",
  not_sinus: "not sinus rhythm",
  poor_quality: "signal quality too low",
  missing: "a measurement is missing",
};
export const notEvaluatedWords = (code: string): string => NOT_EVALUATED[code] ?? plain(code);

const RHYTHM: Record<string, string> = {
  sinus: "Sinus rhythm",
  atrial_fibrillation: "Atrial fibrillation",
  paced: "Paced rhythm",
  undetermined: "Rhythm undetermined",
};
export const rhythmWords = (code: string): string => RHYTHM[code] ?? capital(plain(code));

export const plain = (code: string): string => code.replaceAll(/[_-]+/g, " ");
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** UCUM as a clinician writes it. */
export const unitWords = (unit: string): string =>
  ({ uV: "µV", deg: "°", "/min": "/min", "{beats}/min": "/min", bpm: "/min" })[unit] ?? unit;

export const withUnit = (value: number, unit: string): string => {
  const words = unitWords(unit);
  const text = numberText(value);
  return words === "°" ? `${text}°` : `${text} ${words}`;
};

/** As many digits as were measured: whole numbers whole, others to two places. A minus is a minus. */
export const numberText = (value: number): string => {
  const text = Number.isInteger(value) ? String(value) : String(Math.round(value * 100) / 100);
  return text.replace("-", "−");
};

export const patientName = ({ family, given }: Pick<PatientBanner, "family" | "given">): string => {
  const first = given.join(" ");
  if (family && first) return `${family}, ${first}`;
  return family || first || "Name not known";
};

export const ageText = (age: number | null | undefined): string =>
  age == null ? "age not known" : `${age} y`;

export const bytesText = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
};

export const countText = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
