// Files in: by button and by drop, each with one clear outcome, and on screen without a reload.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  accessible,
  fromServer,
  openBrowser,
  openPage,
  openWorklist,
  picture,
  rows,
  signIn,
  someone,
} from "./lib.mjs";

let browser;
let page;
let seen;
let context;
let original;
before(async () => {
  browser = await openBrowser();
  ({ page, seen, context } = await openPage(browser));
  await signIn(page, await someone("cardiologist"), "/worklist");
  await openWorklist(page);
  const { body } = await fromServer(page, "/api/recordings/search", { status: "filed", limit: 1 });
  const bytes = await page.evaluate(async (id) => {
    const answer = await fetch(`/api/recordings/${id}/original`);
    return answer.ok ? [...new Uint8Array(await answer.arrayBuffer())] : undefined;
  }, body.rows[0].recording_id);
  assert.ok(bytes, "the original of a filed recording is not to be had");
  original = Buffer.from(bytes);
});
after(() => browser?.close());

const tray = (where = page) => where.getByRole("region", { name: "Uploads" });
const choose = (name, buffer, where = page) =>
  where.locator("#upload-files").setInputFiles({ name, mimeType: "application/octet-stream", buffer });
const outcome = (name, where = page) => tray(where).getByRole("listitem").filter({ hasText: name });

/** The same recording in other bytes: a DICOM file's preamble belongs to nobody (PS3.10 section 7.1). */
function otherBytes() {
  assert.equal(
    original.subarray(128, 132).toString("latin1"),
    "DICM",
    "the demo's original is not a DICOM file",
  );
  const bytes = Buffer.from(original);
  bytes.write(`e2e ${Date.now()} ${Math.random()}`, 0, 60, "latin1");
  return bytes;
}

test("what is not an ECG is quarantined, with the reason", async () => {
  const letter = Buffer.from(`Dear colleague, this is a letter and not a tracing. ${Date.now()}`);
  await choose("letter.txt", letter);
  await outcome("letter.txt").getByText("Quarantined").waitFor();
  const text = await outcome("letter.txt").innerText();
  assert.ok(text.length > "letter.txt 66 B Quarantined".length + 10, text);
  // The same again: linked to what was quarantined, and not shown as if it were filed.
  await choose("letter again.txt", letter);
  await outcome("letter again.txt").getByText("did not become a recording").waitFor();
  await accessible(page, "upload tray");
});

test("the same content again is linked, not filed twice", async () => {
  await choose("again.dcm", original);
  await outcome("again.dcm").getByText("Seen before").waitFor();
  await outcome("again.dcm").getByRole("link", { name: "Open the recording" }).waitFor();
});

test("over the limit is rejected with the server's words", async () => {
  const other = await openPage(browser, { storageState: await context.storageState() });
  await other.page.route("**/api/uploads", (route) =>
    route.fulfill({
      status: 413,
      contentType: "application/problem+json",
      body: JSON.stringify({
        type: "about:blank",
        title: "too large",
        status: 413,
        detail: "900 bytes declared, the limit is 100 bytes",
        code: "too_large",
        request_id: "r",
      }),
    }),
  );
  await openWorklist(other.page);
  await choose("huge.dcm", Buffer.alloc(900), other.page);
  await outcome("huge.dcm", other.page).getByText("Rejected").waitFor();
  await outcome("huge.dcm", other.page).getByText("the limit is 100 bytes").waitFor();
  await other.context.close();
});

test("a cut connection says that sending again is safe", async () => {
  const other = await openPage(browser, { storageState: await context.storageState() });
  await other.page.route("**/api/uploads", (route) => route.abort());
  await openWorklist(other.page);
  await choose("cut.dcm", original, other.page);
  await outcome("cut.dcm", other.page).getByText("Sending it again is safe").waitFor();
  await other.page.unroute("**/api/uploads");
  await outcome("cut.dcm", other.page).getByRole("button", { name: "Send again" }).click();
  await outcome("cut.dcm", other.page).getByText("Seen before").waitFor();
  await other.context.close();
});

test("a dropped file is taken, and shows on another screen without moving the row under the pointer", async () => {
  const reader = await openPage(browser, { storageState: await context.storageState() });
  await openWorklist(reader.page);
  await reader.page.getByText("Live", { exact: true }).waitFor();
  const watched = rows(reader.page).nth(1);
  await watched.hover();
  const id = await watched.getByRole("link").getAttribute("id");
  const placeOf = () =>
    reader.page.evaluate((row) => document.getElementById(row)?.getBoundingClientRect().top, id);
  const stood = await placeOf();

  const bytes = [...otherBytes()];
  const started = Date.now();
  await page.evaluate((content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(content)], "dropped.dcm"));
    const send = (kind) =>
      window.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    send("dragenter");
    send("dragover");
    send("drop");
  }, bytes);
  await reader.page.getByRole("button", { name: /new recording/ }).waitFor();
  console.log(`upload to another screen: ${Date.now() - started} ms`);
  const stands = await placeOf();
  assert.ok(Math.abs(stands - stood) < 1, `the row moved by ${stands - stood} px`);
  await outcome("dropped.dcm")
    .getByText(/^(Filed|Held)/)
    .waitFor();
  await outcome("dropped.dcm").getByRole("link").click();
  await page.locator('canvas[data-layer="traces"]').waitFor();
  await reader.page.getByRole("button", { name: /new recording/ }).click();
  await reader.context.close();
});

test("progress is shown in numbers while bytes leave", async () => {
  const other = await openPage(browser, { storageState: await context.storageState() });
  const session = await other.context.newCDPSession(other.page);
  await openWorklist(other.page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 120_000,
  });
  await choose("slow.bin", Buffer.alloc(400_000, 7), other.page);
  await outcome("slow.bin", other.page)
    .getByText(/kB of 400 kB, \d+ %/)
    .waitFor();
  await picture(other.page, "upload-wide");
  await outcome("slow.bin", other.page).getByRole("button", { name: "Cancel" }).click();
  await outcome("slow.bin", other.page).getByText("Canceled").waitFor();
  await other.context.close();
});

test("no error was logged", () => assert.deepEqual(seen.errors, []));
