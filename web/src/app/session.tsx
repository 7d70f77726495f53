// Who is signed in. Holds the session in memory, locks an unattended screen, tells the other tabs, and
// at the end leaves nothing behind: no cache, no filter, no upload, no token.
import { Button, Modal } from "@mantine/core";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { api, must, setCsrfToken } from "../api/client";
import { live } from "../api/events";
import { ApiFailure } from "../api/failure";
import { newQueryClient } from "../api/queries";
import type { Session } from "../api/types";
import { type Upload, uploads } from "../api/uploads";
import { type IdlePhase, idlePhase } from "./idle";
import { forget } from "./memory";

type Standing =
  | { readonly kind: "asking" }
  | { readonly kind: "failed"; readonly failure: unknown }
  | { readonly kind: "out"; readonly notice: string | undefined }
  | { readonly kind: "in"; readonly session: Session };

export interface Gate {
  readonly standing: Standing;
  readonly enter: (session: Session) => void;
  readonly leave: (notice?: string) => void;
  readonly ask: () => void;
}

const GateContext = createContext<Gate | undefined>(undefined);

export function useGate(): Gate {
  const gate = useContext(GateContext);
  if (gate === undefined) throw new Error("useGate is used outside its provider");
  return gate;
}

const isSignedOut = ({ state }: Upload): boolean =>
  state.kind === "failed" && state.failure instanceof ApiFailure && state.failure.kind === "signed-out";

const ENDED = "Your session has ended. Sign in again to go on where you were.";
type Word = { readonly kind: "active" } | { readonly kind: "left" };

export function GateProvider({ children }: { children: ReactNode }) {
  const [standing, setStanding] = useState<Standing>({ kind: "asking" });
  const standingKind = useRef(standing.kind);
  standingKind.current = standing.kind;

  const client = useRef<QueryClient | undefined>(undefined);
  const leave = useCallback((notice?: string) => {
    setCsrfToken(undefined);
    live.close();
    uploads.reset();
    client.current?.clear();
    forget();
    setStanding({ kind: "out", notice });
  }, []);

  const ended = useCallback(() => {
    if (standingKind.current === "in") leave(ENDED);
  }, [leave]);
  client.current ??= newQueryClient(ended);

  const lastUser = useRef<string | undefined>(undefined);
  const enter = useCallback((session: Session) => {
    // Another tab may have signed in as somebody else: nothing of the one before may stay.
    const who = `${session.organization.id} ${session.user.id}`;
    if (lastUser.current !== undefined && lastUser.current !== who) {
      client.current?.clear();
      uploads.reset();
      forget();
    }
    lastUser.current = who;
    setCsrfToken(session.csrf_token);
    setStanding({ kind: "in", session });
  }, []);

  const ask = useCallback(() => {
    setStanding({ kind: "asking" });
    must(api.GET("/api/session")).then(enter, (failure: unknown) => {
      if (failure instanceof ApiFailure && failure.kind === "signed-out") leave();
      else setStanding({ kind: "failed", failure });
    });
  }, [enter, leave]);
  useEffect(ask, [ask]);

  // Uploads do not go through the query client; their refusal ends the session all the same.
  useEffect(() => uploads.watch(() => uploads.list().some(isSignedOut) && ended()), [ended]);

  useEffect(() => {
    const channel = new BroadcastChannel("precordia");
    channel.onmessage = ({ data }: MessageEvent<Word>) => {
      if (data.kind === "left" && standingKind.current === "in") leave("You signed out in another tab.");
    };
    return () => channel.close();
  }, [leave]);

  const gate = useMemo(() => ({ standing, enter, leave, ask }), [standing, enter, leave, ask]);
  return (
    <GateContext.Provider value={gate}>
      <QueryClientProvider client={client.current}>{children}</QueryClientProvider>
    </GateContext.Provider>
  );
}

export interface SessionValue {
  readonly session: Session;
  readonly replace: (session: Session) => void;
  readonly signOut: () => Promise<void>;
  readonly askBreakGlass: () => void;
}

const SessionContext = createContext<SessionValue | undefined>(undefined);

export function useSession(): SessionValue {
  const value = useContext(SessionContext);
  if (value === undefined) throw new Error("useSession is used by a page that nobody is signed in to");
  return value;
}

interface SessionProviderProps {
  readonly session: Session;
  readonly askBreakGlass: () => void;
  readonly children: ReactNode;
}

export function SessionProvider({ session, askBreakGlass, children }: SessionProviderProps) {
  const { enter, leave } = useGate();
  const signOut = useCallback(async () => {
    say({ kind: "left" });
    // Even when the server does not answer, this screen forgets.
    await api.DELETE("/api/session").catch(() => undefined);
    leave();
    window.history.replaceState(null, "", "/");
  }, [leave]);
  const value = useMemo(
    () => ({ session, replace: enter, signOut, askBreakGlass }),
    [session, enter, signOut, askBreakGlass],
  );
  return (
    <SessionContext.Provider value={value}>
      {children}
      <IdleLock session={session} />
    </SessionContext.Provider>
  );
}

function say(word: Word): void {
  const channel = new BroadcastChannel("precordia");
  channel.postMessage(word);
  channel.close();
}

const ACTIVITY = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;
/** How often an active screen tells the server, so that the server's own time-out agrees. */
const TELL_MS = 60_000;

function IdleLock({ session }: { session: Session }) {
  const { enter, leave } = useGate();
  const [phase, setPhase] = useState<IdlePhase>({ kind: "active" });
  const lastActive = useRef(Date.now());
  const lastTold = useRef(Date.now());

  const renew = useCallback(() => {
    lastTold.current = Date.now();
    must(api.GET("/api/session")).then(enter, (failure: unknown) => {
      if (failure instanceof ApiFailure && failure.kind === "signed-out") leave(ENDED);
    });
  }, [enter, leave]);

  useEffect(() => {
    const channel = new BroadcastChannel("precordia");
    let spoken = 0;
    const active = () => {
      const now = Date.now();
      // A screen that should have locked while it slept does not wake by being touched.
      if (idlePhase(now, lastActive.current, session.idle_timeout_s).kind === "expired") return;
      lastActive.current = now;
      if (now - spoken > 5000) {
        spoken = now;
        channel.postMessage({ kind: "active" } satisfies Word);
      }
      if (now - lastTold.current > TELL_MS) renew();
    };
    channel.onmessage = ({ data }: MessageEvent<Word>) => {
      if (data.kind === "active") lastActive.current = Date.now();
    };
    for (const kind of ACTIVITY) window.addEventListener(kind, active, { passive: true });
    const look = () => {
      const next = idlePhase(Date.now(), lastActive.current, session.idle_timeout_s);
      setPhase((before) => (before.kind === "active" && next.kind === "active" ? before : next));
      if (next.kind !== "expired") return;
      void api.DELETE("/api/session").catch(() => undefined);
      leave("You were signed out because nobody used this screen. Sign in to go on where you were.");
    };
    const timer = setInterval(look, 1000);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
      for (const kind of ACTIVITY) window.removeEventListener(kind, active);
      channel.close();
    };
  }, [session.idle_timeout_s, leave, renew]);

  return (
    <Modal
      opened={phase.kind === "warning"}
      onClose={renew}
      title="Still there?"
      withCloseButton={false}
      closeOnClickOutside={false}
    >
      <p>
        Nobody has used this screen for a while. You will be signed out in{" "}
        <strong>{phase.kind === "warning" ? phase.secondsLeft : 0} s</strong>.
      </p>
      <Button mt="md" onClick={renew} data-autofocus>
        Stay signed in
      </Button>
    </Modal>
  );
}
