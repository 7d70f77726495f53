// The order of leads on a sheet, standard or Cabrera, and which recorded lead each place shows.

export const TWELVE = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"] as const;
// The limb leads in the order of their angles, aVR turned over (AHA/ACCF/HRS 2007, part II).
const CABRERA = ["aVL", "I", "-aVR", "II", "aVF", "III", "V1", "V2", "V3", "V4", "V5", "V6"] as const;

export const LEAD_ORDERS = ["standard", "cabrera"] as const;
export type LeadOrder = (typeof LEAD_ORDERS)[number];

export interface LeadPlace {
  /** As printed beside the trace. */
  readonly label: string;
  /** Index in the recording, or undefined where it was not recorded. */
  readonly index: number | undefined;
  readonly inverted: boolean;
}

/** The twelve standard leads as the order wants them, then whatever else was recorded. */
export function leadPlaces(
  recorded: readonly string[],
  order: LeadOrder,
): { twelve: LeadPlace[]; others: LeadPlace[] } {
  const at = (name: string) => {
    const index = recorded.indexOf(name);
    return index < 0 ? undefined : index;
  };
  const twelve = (order === "cabrera" ? CABRERA : TWELVE).map((name): LeadPlace => {
    const inverted = name.startsWith("-");
    return { label: inverted ? "−aVR" : name, index: at(inverted ? name.slice(1) : name), inverted };
  });
  const others = recorded.flatMap((name, index): LeadPlace[] =>
    (TWELVE as readonly string[]).includes(name) ? [] : [{ label: name, index, inverted: false }],
  );
  return { twelve, others };
}
