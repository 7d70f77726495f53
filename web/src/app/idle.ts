// When an unattended screen locks itself. Time is an argument; the hook that feeds it is in session.tsx.

export type IdlePhase =
  | { readonly kind: "active" }
  | { readonly kind: "warning"; readonly secondsLeft: number }
  | { readonly kind: "expired" };

/** The reader is warned for this long, or for a third of a short time-out. */
export const warningS = (timeoutS: number): number => Math.min(60, Math.floor(timeoutS / 3));

export function idlePhase(nowMs: number, lastActiveMs: number, timeoutS: number): IdlePhase {
  // A clock set back must not sign anybody out, nor keep anybody signed in for longer than the time-out.
  const idleS = Math.max(0, (nowMs - lastActiveMs) / 1000);
  const left = timeoutS - idleS;
  if (left <= 0) return { kind: "expired" };
  if (left <= warningS(timeoutS)) return { kind: "warning", secondsLeft: Math.ceil(left) };
  return { kind: "active" };
}
