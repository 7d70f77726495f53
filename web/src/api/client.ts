// The one way to the server: typed by its own description, same origin, cookie and CSRF token.
// Nothing is kept here but the token, which dies with the page.
import createClient, { type Middleware } from "openapi-fetch";
import { ApiFailure, failureOf } from "./failure";
import type { paths } from "./schema";

let csrfToken: string | undefined;

export const setCsrfToken = (token: string | undefined): void => {
  csrfToken = token;
};
export const getCsrfToken = (): string | undefined => csrfToken;

const SAFE = new Set(["GET", "HEAD"]);

const guard: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== undefined && !SAFE.has(request.method)) request.headers.set("X-CSRF-Token", csrfToken);
    return request;
  },
  onError({ error }) {
    // An abandoned request is not a failure; TanStack Query knows what to do with it.
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return new ApiFailure("offline");
  },
};

export const api = createClient<paths>({ baseUrl: "/", credentials: "same-origin" });
api.use(guard);

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The answer, or a thrown `ApiFailure`. */
export async function must<T>(call: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  if (!response.ok) throw failureOf(response.status, error, response.headers);
  if (data === undefined || data === null) throw new ApiFailure("broken");
  return data;
}

/** For requests whose answer has no body. */
export async function done(call: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await call;
  if (!response.ok) throw failureOf(response.status, error, response.headers);
}
