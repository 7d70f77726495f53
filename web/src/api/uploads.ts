// The queue of uploads that the tray shows: a few at a time, each with its own outcome.
import { useSyncExternalStore } from "react";
import { api, must } from "./client";
import { live } from "./events";
import { ApiFailure } from "./failure";
import type { Item } from "./types";
import { type Sending, send } from "./upload";

export type UploadState =
  | { readonly kind: "waiting" }
  | { readonly kind: "sending"; readonly bytes: number }
  /** Every byte has left; the server has not answered yet. */
  | { readonly kind: "reading"; readonly itemId: string | undefined }
  | { readonly kind: "decided"; readonly item: Item }
  | { readonly kind: "failed"; readonly failure: unknown }
  | { readonly kind: "canceled" };

export interface Upload {
  readonly key: number;
  readonly file: File;
  readonly siteId: string | undefined;
  readonly state: UploadState;
}

const AT_ONCE = 2;
const POLL_MS = 1500;
// After this the tray stops asking; the item stays on its page until it is decided.
const POLLS_MAX = 80;

class UploadQueue {
  #uploads: readonly Upload[] = [];
  #sendings = new Map<number, Sending>();
  #watchers = new Set<() => void>();
  #next = 1;

  add(files: readonly File[], siteId: string | undefined): void {
    const added = files.map(
      (file): Upload => ({ key: this.#next++, file, siteId, state: { kind: "waiting" } }),
    );
    this.#replace([...this.#uploads, ...added]);
    this.#pump();
  }

  retry(key: number): void {
    this.#set(key, { kind: "waiting" });
    this.#pump();
  }

  cancel(key: number): void {
    this.#sendings.get(key)?.cancel();
    if (this.#uploads.find((upload) => upload.key === key)?.state.kind === "waiting")
      this.#set(key, { kind: "canceled" });
  }

  clearDone(): void {
    this.#replace(this.#uploads.filter((upload) => isBusy(upload)));
  }

  /** At sign-out: nothing of it may outlive the session. */
  reset(): void {
    for (const sending of this.#sendings.values()) sending.cancel();
    this.#sendings.clear();
    this.#replace([]);
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };
  readonly list = (): readonly Upload[] => this.#uploads;

  #pump(): void {
    for (const upload of this.#uploads) {
      if (this.#sendings.size >= AT_ONCE) return;
      if (upload.state.kind === "waiting" && !this.#sendings.has(upload.key)) void this.#run(upload);
    }
  }

  async #run(upload: Upload): Promise<void> {
    const { key, file, siteId } = upload;
    const sending = send(file, siteId, ({ bytes }) => {
      this.#set(
        key,
        bytes >= file.size ? { kind: "reading", itemId: undefined } : { kind: "sending", bytes },
      );
    });
    this.#sendings.set(key, sending);
    this.#set(key, { kind: "sending", bytes: 0 });
    try {
      const item = await sending.answer;
      this.#sendings.delete(key);
      this.#pump();
      await this.#decide(key, item);
    } catch (failure) {
      const canceled = failure instanceof DOMException && failure.name === "AbortError";
      this.#set(key, canceled ? { kind: "canceled" } : { kind: "failed", failure });
    } finally {
      this.#sendings.delete(key);
      this.#pump();
    }
  }

  async #decide(key: number, answer: Item): Promise<void> {
    let item = answer;
    for (let poll = 0; item.state === "in-flight"; poll++) {
      if (poll >= POLLS_MAX) break;
      this.#set(key, { kind: "reading", itemId: item.item_id });
      await changed(item.item_id);
      if (!this.#uploads.some((upload) => upload.key === key)) return;
      try {
        item = await must(api.GET("/api/items/{id}", { params: { path: { id: item.item_id } } }));
      } catch (failure) {
        // The file is acknowledged and safe; only the question failed, so it is asked again.
        if (!(failure instanceof ApiFailure) || (failure.kind !== "offline" && failure.kind !== "broken"))
          throw failure;
      }
    }
    this.#set(key, { kind: "decided", item });
  }

  #set(key: number, state: UploadState): void {
    this.#replace(this.#uploads.map((upload) => (upload.key === key ? { ...upload, state } : upload)));
  }

  #replace(uploads: readonly Upload[]): void {
    this.#uploads = uploads;
    for (const watcher of this.#watchers) watcher();
  }
}

export const isBusy = ({ state }: Upload): boolean =>
  state.kind === "waiting" || state.kind === "sending" || state.kind === "reading";

/** Resolves when the stream names the item, or after a while in case it did not. */
function changed(itemId: string): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(end, POLL_MS);
    const stop = live.listen((event) => {
      if (event.kind === "item" && event.itemId === itemId) end();
    });
  });
}

export const uploads = new UploadQueue();

export const useUploads = (): readonly Upload[] => useSyncExternalStore(uploads.watch, uploads.list);
