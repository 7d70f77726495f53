// Times as the screen writes them: local first, with its zone, UTC beside it. Never a guess of a zone.
import type { Acquired } from "../api/types";

const two = (value: number) => String(value).padStart(2, "0");

export interface TimeText {
  /** `2026-05-17 08:30:15` */
  readonly local: string;
  /** `UTC+2`, or that it is not known. */
  readonly zone: string;
  /** For the hover and for who cannot hover. */
  readonly full: string;
}

/** An instant of the server, in this browser's zone. */
export function instantText(iso: string, offsetMinutes = -new Date(iso).getTimezoneOffset()): TimeText {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return { local: iso, zone: "", full: iso };
  const shifted = new Date(at.getTime() + offsetMinutes * 60_000);
  const zone = offsetText(offsetMinutes);
  const local = civil(shifted);
  return { local, zone, full: `${local} ${zone}, ${civil(at)} UTC` };
}

/** A device's own reading. It stays as written; UTC is shown only when the file says the zone. */
export function deviceText(acquired: Acquired | null | undefined): TimeText {
  if (acquired == null)
    return { local: "Time not recorded", zone: "", full: "The file holds no acquisition time" };
  if (acquired.local == null) {
    return {
      local: acquired.as_written || "Time not recorded",
      zone: "",
      full: `As the device wrote it: ${acquired.as_written}`,
    };
  }
  const local = acquired.local.replace("T", " ").replace(/\.\d+$/, "");
  if (acquired.utc == null) {
    return {
      local,
      zone: "zone unknown",
      full: `${local}, zone unknown; as the device wrote it: ${acquired.as_written}`,
    };
  }
  const utc = new Date(acquired.utc);
  const offset = Math.round((Date.parse(`${acquired.local}Z`) - utc.getTime()) / 60_000);
  const zone = Number.isNaN(offset) ? "" : offsetText(offset);
  return {
    local,
    zone,
    full: `${local} ${zone}, ${civil(utc)} UTC; as the device wrote it: ${acquired.as_written}`,
  };
}

export function offsetText(minutes: number): string {
  if (minutes === 0) return "UTC";
  const away = Math.abs(minutes);
  const rest = away % 60 === 0 ? "" : `:${two(away % 60)}`;
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(away / 60)}${rest}`;
}

function civil(utc: Date): string {
  const day = `${utc.getUTCFullYear()}-${two(utc.getUTCMonth() + 1)}-${two(utc.getUTCDate())}`;
  return `${day} ${two(utc.getUTCHours())}:${two(utc.getUTCMinutes())}:${two(utc.getUTCSeconds())}`;
}

/** `4 s`, `12 min`, `3 h`, `5 d`: the age of something, in its largest whole unit. */
export function agoText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export const isoDay = (at: Date): string =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
