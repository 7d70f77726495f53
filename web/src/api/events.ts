// The server's event stream: ids only. It says that something changed; the screen reads it again.
import { useSyncExternalStore } from "react";

export type LiveEvent =
  | { readonly kind: "recording"; readonly recordingId: string; readonly change: string }
  | { readonly kind: "item"; readonly itemId: string; readonly state: string }
  /** The stream was cut and is back: whatever was missed has to be read again. */
  | { readonly kind: "resumed" };

export interface LiveState {
  readonly connected: boolean;
  /** Since when it has been so, in ms of the page's clock. */
  readonly since: number;
}

type Listener = (event: LiveEvent) => void;

// A stream that is refused is asked for again, ever less often.
const RECONNECT_MS = { first: 3000, last: 60_000 };

/** One stream a signed-in page. */
export class LiveStream {
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<Listener>();
  #watchers = new Set<() => void>();
  #state: LiveState = { connected: false, since: Date.now() };
  #wasOpen = false;
  #wait = RECONNECT_MS.first;

  open(): void {
    if (this.#source !== undefined) return;
    const source = new EventSource("/api/events");
    this.#source = source;
    source.onopen = () => {
      if (this.#wasOpen) this.#tell({ kind: "resumed" });
      this.#wasOpen = true;
      this.#wait = RECONNECT_MS.first;
      this.#become(true);
    };
    source.onerror = () => {
      this.#become(false);
      // A refused stream closes for good; an interrupted one reconnects by itself.
      if (source.readyState === EventSource.CLOSED) {
        this.#drop();
        this.#timer = setTimeout(() => this.open(), this.#wait);
        this.#wait = Math.min(RECONNECT_MS.last, this.#wait * 2);
      }
    };
    source.addEventListener("recording", (message) => {
      const data = parse(message);
      if (typeof data.recording_id === "string") {
        this.#tell({ kind: "recording", recordingId: data.recording_id, change: String(data.change ?? "") });
      }
    });
    source.addEventListener("item", (message) => {
      const data = parse(message);
      if (typeof data.item_id === "string") {
        this.#tell({ kind: "item", itemId: data.item_id, state: String(data.state ?? "") });
      }
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#drop();
    this.#wasOpen = false;
    this.#become(false);
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  readonly state = (): LiveState => this.#state;

  #drop(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  #tell(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #become(connected: boolean): void {
    if (this.#state.connected === connected) return;
    this.#state = { connected, since: Date.now() };
    for (const watcher of this.#watchers) watcher();
  }
}

function parse(message: MessageEvent): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(String(message.data));
    return typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export const live = new LiveStream();

export const useLiveState = (): LiveState => useSyncExternalStore(live.watch, live.state);
