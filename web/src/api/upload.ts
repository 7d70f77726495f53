// Sends files, one request each, and says how far each is. `fetch` cannot report what it has sent,
// so this is the one place with an XMLHttpRequest. A file name may name a patient: it is shown, and
// never sent as anything but the part's name, kept, or logged.
import { getCsrfToken } from "./client";
import { ApiFailure, failureOf } from "./failure";
import type { Item } from "./types";

export interface Sent {
  readonly bytes: number;
  readonly total: number;
}

export interface Sending {
  readonly answer: Promise<Item>;
  cancel(): void;
}

export function send(file: File, siteId: string | undefined, onProgress: (sent: Sent) => void): Sending {
  const request = new XMLHttpRequest();
  const answer = new Promise<Item>((resolve, reject) => {
    request.open("POST", "/api/uploads");
    request.responseType = "json";
    const token = getCsrfToken();
    if (token !== undefined) request.setRequestHeader("X-CSRF-Token", token);
    // Most files are decided within this; for the others the event stream tells.
    request.setRequestHeader("Prefer", "wait=2");
    request.upload.onprogress = (event) =>
      onProgress({ bytes: Math.min(event.loaded, file.size), total: file.size });
    request.onload = () => {
      const body: unknown = request.response;
      if (request.status >= 200 && request.status < 300 && body !== null) resolve(body as Item);
      else reject(failureOf(request.status, body));
    };
    request.onerror = () => reject(new ApiFailure("offline"));
    request.onabort = () => reject(new DOMException("the upload was canceled", "AbortError"));
    const form = new FormData();
    if (siteId !== undefined) form.append("site_id", siteId);
    form.append("file", file);
    request.send(form);
  });
  return { answer, cancel: () => request.abort() };
}
