// What went wrong with a request, in the one shape that every page knows how to show.
import type { Problem } from "./types";

export type FailureKind = "signed-out" | "forbidden" | "missing" | "refused" | "broken" | "offline";

export class ApiFailure extends Error {
  readonly kind: FailureKind;
  readonly problem: Problem | undefined;
  /** Seconds to wait, when the server says so. */
  readonly retryAfterS: number | undefined;

  constructor(kind: FailureKind, problem?: Problem, retryAfterS?: number) {
    // The title says the kind of trouble and nothing of the data; details stay in `problem`.
    super(problem?.title ?? kind);
    this.kind = kind;
    this.problem = problem;
    this.retryAfterS = retryAfterS;
  }
}

export function kindOf(status: number): FailureKind {
  if (status === 401) return "signed-out";
  if (status === 403) return "forbidden";
  if (status === 404) return "missing";
  return status < 500 ? "refused" : "broken";
}

export function failureOf(status: number, body: unknown, headers?: Headers): ApiFailure {
  const wait = Number(headers?.get("retry-after"));
  return new ApiFailure(kindOf(status), problemOf(body), wait > 0 ? wait : undefined);
}

function problemOf(body: unknown): Problem | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { title, detail, code, status, request_id, type, hint } = body as Record<string, unknown>;
  if (typeof title !== "string") return undefined;
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return {
    type: text(type),
    title,
    detail: text(detail),
    code: text(code),
    status: typeof status === "number" ? status : 0,
    request_id: text(request_id),
    ...(typeof hint === "string" ? { hint } : {}),
  };
}

/** One sentence or two for a person: what happened, and the server's hint where it has one. */
export function sayFailure(failure: unknown): string {
  if (!(failure instanceof ApiFailure)) return "Something in this page failed. Reload it and try again.";
  const said = [failure.problem?.detail || failure.problem?.title, failure.problem?.hint]
    .filter((part) => part !== undefined && part !== "" && part !== null)
    .map((part) => sentence(part as string))
    .join(" ");
  if (said !== "") return said;
  switch (failure.kind) {
    case "offline":
      return "The server did not answer. Check the connection and try again.";
    case "signed-out":
      return "Your session has ended. Sign in again.";
    case "forbidden":
      return "Your role does not allow this.";
    case "missing":
      return "It is not here, or not yours to see.";
    case "refused":
      return "The server refused the request.";
    case "broken":
      return "The server failed. Nothing was changed; try again.";
  }
}

/** Server texts are lower-case facts without a full stop; on screen they are sentences. */
export function sentence(fact: string): string {
  const text = fact.trim();
  if (text === "") return "";
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!…]$/.test(start) ? start : `${start}.`;
}
