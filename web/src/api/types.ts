// The names the screen uses for what the server sends; generated, never written by hand.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Schemas["Session"];
export type Role = Schemas["Role"];
export type Problem = Schemas["Problem"];
export type WorklistQuery = Schemas["WorklistQuery"];
export type Worklist = Schemas["Worklist"];
export type WorklistRow = Schemas["WorklistRow"];
export type RecordingDetail = Schemas["RecordingDetail"];
export type FlagDetail = RecordingDetail["flag_report"]["flags"][number];
export type FlagCode = FlagDetail["code"];
export type Severity = FlagDetail["severity"];
export type PatientBanner = Schemas["PatientBanner"];
export type HeldRecording = Schemas["HeldRecording"];
export type DevicePatient = Schemas["DevicePatient"];
export type Acquired = Schemas["Acquired"];
export type Item = Schemas["Item"];
export type ItemState = Item["state"];
/** Given names are a list on screen, empty or not. */
export type NewPatient = Omit<Schemas["NewPatient"], "given"> & { given: string[] };
export type User = Schemas["Users"]["users"][number];
export type Alarm = Schemas["Alarm"];
export type AlarmState = Schemas["AlarmState"];
export type WorkState = Schemas["WorkState"];
export type WorkKind = Schemas["WorkKind"];
export type WorkPiece = Schemas["WorkPiece"];
export type HistoryStep = Schemas["RecordingHistory"]["steps"][number];
export type Access = Schemas["Accesses"]["accesses"][number];
