// Comparing what a device says of a patient with what is known. Pure, and careful: "same" is said only
// when both say something and it is the same.
import type { DevicePatient, NewPatient, PatientBanner } from "../../api/types";

export type Agreement = "same" | "differs" | "open";

const folded = (text: string): string =>
  text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

function compare(said: string | null | undefined, known: string | null | undefined): Agreement {
  if (said == null || known == null || said.trim() === "" || known.trim() === "") return "open";
  return folded(said) === folded(known) ? "same" : "differs";
}

/** A device writes names in any order and with any separator: the words count, not their places. */
function compareName(
  said: string | null | undefined,
  known: Pick<PatientBanner, "family" | "given">,
): Agreement {
  const words = (text: string) => folded(text).split(" ").filter(Boolean).sort().join(" ");
  const name = [known.family ?? "", ...known.given].join(" ");
  if (said == null || said.trim() === "" || name.trim() === "") return "open";
  return words(said) === words(name) ? "same" : "differs";
}

function compareAny(said: string | null | undefined, known: readonly string[]): Agreement {
  if (said == null || said.trim() === "" || known.length === 0) return "open";
  // An identifier is exact: no folding of what may be another person's number.
  return known.some((value) => value.trim() === said.trim()) ? "same" : "differs";
}

export const agreement = Object.assign(compare, { ofName: compareName, ofAny: compareAny });

/** `WEISS^ANNA^M` (DICOM), `Weiss, Anna` or `Weiss`: family first. Anything else is left to the person. */
export function nameParts(name: string | null): { family: string | undefined; given: string[] } {
  if (name === null || name.trim() === "") return { family: undefined, given: [] };
  const [family = "", ...rest] = name.includes("^") ? name.split("^").slice(0, 3) : name.split(",");
  const given = rest.flatMap((part) => part.trim().split(/\s+/)).filter((part) => part !== "");
  return { family: family.trim() || undefined, given };
}

const SEX: Record<string, NonNullable<NewPatient["sex"]>> = {
  m: "male",
  male: "male",
  f: "female",
  female: "female",
  o: "other",
  other: "other",
};

/** What the file says, as the start of a form that a person completes. */
export function newPatientOf(device: DevicePatient): NewPatient {
  const { family, given } = nameParts(device.name ?? null);
  const date = device.birth_date ?? "";
  return {
    identifiers: device.id == null || device.id === "" ? [] : [{ system: "", value: device.id }],
    family: family ?? null,
    given,
    birth_date: /^\d{4}-\d{2}-\d{2}$/.test(date) ? date : null,
    sex: SEX[(device.sex ?? "").toLowerCase()] ?? "unknown",
  };
}
