// Every read of the screen, by name. Answers live in memory only and leave it when nobody looks.
import {
  type InfiniteData,
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  queryOptions,
} from "@tanstack/react-query";
import { api, must } from "./client";
import { ApiFailure } from "./failure";
import type { ItemState, Worklist, WorklistQuery, WorkState } from "./types";

export function newQueryClient(onSignedOut: () => void): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        gcTime: 120_000,
        refetchOnWindowFocus: true,
        retry: (count, error) =>
          count < 1 && error instanceof ApiFailure && (error.kind === "offline" || error.kind === "broken"),
        retryDelay: 800,
      },
      mutations: { retry: false },
    },
  });
  client.getQueryCache().config.onError = (error, query) => {
    // The session's own query asks whether anybody is signed in; its "nobody" is an answer.
    if (error instanceof ApiFailure && error.kind === "signed-out" && query.queryKey[0] !== "session")
      onSignedOut();
  };
  client.getMutationCache().config.onError = (error) => {
    if (error instanceof ApiFailure && error.kind === "signed-out") onSignedOut();
  };
  return client;
}

export const PAGE_ROWS = 100;

export const queries = {
  session: () =>
    queryOptions({
      queryKey: ["session"],
      queryFn: ({ signal }) => must(api.GET("/api/session", { signal })),
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
    }),
  setup: (organization: string) =>
    queryOptions({
      queryKey: ["setup", organization],
      queryFn: ({ signal }) => must(api.GET("/api/setup", { params: { query: { organization } }, signal })),
      enabled: organization !== "",
    }),
  demoSignIns: () =>
    queryOptions({
      queryKey: ["demo-sign-ins"],
      queryFn: async ({ signal }) => {
        const { data } = await api.GET("/api/demo-sign-ins", { signal });
        return data?.sign_ins ?? [];
      },
      staleTime: Number.POSITIVE_INFINITY,
    }),
  worklist: (filter: WorklistQuery) =>
    infiniteQueryOptions({
      queryKey: ["worklist", filter],
      queryFn: ({ pageParam, signal }) => worklistPage(filter, pageParam, signal),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: keepPreviousData,
    }),
  recording: (id: string) =>
    queryOptions({
      queryKey: ["recording", id],
      queryFn: ({ signal }) => must(api.GET("/api/recordings/{id}", { params: { path: { id } }, signal })),
    }),
  waveform: (id: string) =>
    queryOptions({
      queryKey: ["waveform", id],
      queryFn: ({ signal }) =>
        must(api.GET("/api/recordings/{id}/waveform", { params: { path: { id } }, signal })),
      // A recording's samples never change.
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 60_000,
    }),
  history: (id: string) =>
    queryOptions({
      queryKey: ["history", id],
      queryFn: ({ signal }) =>
        must(api.GET("/api/recordings/{id}/history", { params: { path: { id } }, signal })),
    }),
  accesses: (id: string) =>
    queryOptions({
      queryKey: ["accesses", id],
      queryFn: ({ signal }) =>
        must(api.GET("/api/recordings/{id}/accesses", { params: { path: { id } }, signal })),
    }),
  patient: (id: string) =>
    queryOptions({
      queryKey: ["patient", id],
      queryFn: ({ signal }) => must(api.GET("/api/patients/{id}", { params: { path: { id } }, signal })),
    }),
  /** Recordings on hold that an erasure of the patient alone would leave. */
  heldNaming: (id: string) =>
    queryOptions({
      queryKey: ["patient", id, "held"],
      queryFn: ({ signal }) => must(api.GET("/api/patients/{id}/held", { params: { path: { id } }, signal })),
    }),
  patients: (text: string) =>
    queryOptions({
      queryKey: ["patients", text],
      queryFn: ({ signal }) => must(api.POST("/api/patients/search", { body: { text, limit: 50 }, signal })),
      placeholderData: keepPreviousData,
      enabled: text.length >= 2,
    }),
  item: (id: string) =>
    queryOptions({
      queryKey: ["item", id],
      queryFn: ({ signal }) => must(api.GET("/api/items/{id}", { params: { path: { id } }, signal })),
    }),
  items: (state: ItemState | undefined) =>
    infiniteQueryOptions({
      queryKey: ["items", state ?? "all"],
      queryFn: ({ pageParam, signal }) =>
        must(
          api.POST("/api/items/search", {
            body: { ...(state && { state }), ...(pageParam && { cursor: pageParam }), limit: PAGE_ROWS },
            signal,
          }),
        ),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: keepPreviousData,
    }),
  users: () =>
    queryOptions({ queryKey: ["users"], queryFn: ({ signal }) => must(api.GET("/api/users", { signal })) }),
  tokens: () =>
    queryOptions({ queryKey: ["tokens"], queryFn: ({ signal }) => must(api.GET("/api/tokens", { signal })) }),
  balance: () =>
    queryOptions({
      queryKey: ["balance"],
      queryFn: ({ signal }) => must(api.GET("/api/balance", { signal })),
    }),
  alarms: () =>
    queryOptions({
      queryKey: ["work", "alarms"],
      queryFn: ({ signal }) => must(api.GET("/api/alarms", { signal })),
      refetchInterval: 30_000,
    }),
  workKinds: () =>
    queryOptions({
      queryKey: ["work", "kinds"],
      queryFn: ({ signal }) => must(api.GET("/api/work-kinds", { signal })),
      refetchInterval: 5_000,
    }),
  work: (filter: { state?: WorkState; kind?: string }) =>
    infiniteQueryOptions({
      queryKey: ["work", "list", filter],
      queryFn: ({ pageParam, signal }) =>
        must(
          api.POST("/api/work-pieces/search", {
            body: { ...filter, ...(pageParam && { cursor: pageParam }), limit: PAGE_ROWS },
            signal,
          }),
        ),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: keepPreviousData,
      refetchInterval: 5_000,
    }),
  accessLog: (filter: { recording_id?: string; user_id?: string }) =>
    infiniteQueryOptions({
      queryKey: ["access-log", filter],
      queryFn: ({ pageParam, signal }) =>
        must(
          api.POST("/api/access-log/search", {
            body: { ...filter, ...(pageParam && { cursor: pageParam }), limit: PAGE_ROWS },
            signal,
          }),
        ),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    }),
};

export function worklistPage(
  filter: WorklistQuery,
  cursor: string | undefined,
  signal?: AbortSignal,
): Promise<Worklist> {
  return must(
    api.POST("/api/recordings/search", {
      body: { ...filter, ...(cursor && { cursor }), limit: PAGE_ROWS },
      ...(signal && { signal }),
    }),
  );
}

export type WorklistPages = InfiniteData<Worklist, string | undefined>;
