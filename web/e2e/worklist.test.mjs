// The worklist: found, filtered, walked by keyboard, and still while it is live.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  accessible,
  fitsWidth,
  fromServer,
  openBrowser,
  openPage,
  openWorklist,
  PHONE,
  rows,
  signIn,
  someone,
} from "./lib.mjs";

let browser;
let page;
let seen;
let context;
before(async () => {
  browser = await openBrowser();
  ({ page, seen, context } = await openPage(browser));
  await signIn(page, await someone("cardiologist"), "/worklist");
});
after(() => browser?.close());
beforeEach(() => openWorklist(page));

const counted = async () =>
  Number(
    (await page.getByRole("status", { name: "Counts" }).innerText()).match(/[\d,]+/)?.[0].replace(",", ""),
  );

test("shows at least six recordings, newest first, as the server has them", async () => {
  const { body } = await fromServer(page, "/api/recordings/search", { limit: 50 });
  assert.ok(body.rows.length >= 6, `${body.rows.length} recordings`);
  assert.equal(await counted(), body.counts.total);
  const received = body.rows.map((row) => row.received_at);
  assert.deepEqual(received, [...received].sort().reverse());
  const first = await rows(page).first().innerText();
  const { patient, device_patient } = body.rows[0];
  assert.ok(first.includes(patient?.family ?? device_patient?.name ?? "No name"), first);
});

test("says when the name fits more patients than were looked at", async () => {
  const said = page.getByText("too many patients to look at all of them");
  assert.equal(await said.count(), 0);
  // The demo has too few patients for it; the rest of the answer is the server's own.
  await page.route("**/api/recordings/search", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), truncated: true } });
  });
  await openWorklist(page);
  await said.waitFor();
  await page.unroute("**/api/recordings/search");
});

test("axe finds nothing serious, with a filter open as well", async () => {
  await accessible(page, "worklist");
  await page.getByRole("button", { name: "any or no flag" }).click();
  await page.getByLabel("Flag", { exact: true }).waitFor();
  await accessible(page, "worklist with a filter");
});

test("filters read as a sentence, narrow the list, and are taken away again", async () => {
  const all = await counted();
  await page.getByRole("button", { name: "any severity" }).click();
  await page.getByLabel("Severity, at least").selectOption("alert");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "severity alert", exact: true }).waitFor();
  await page.waitForFunction((before) => !document.body.innerText.includes(`${before} recordings`), all);
  const { body } = await fromServer(page, "/api/recordings/search", { severity: "alert" });
  assert.equal(await counted(), body.counts.total);
  await page.getByRole("button", { name: "Show all" }).click();
  await page.waitForFunction((before) => document.body.innerText.includes(`${before} recordings`), all);
});

test("a search for a patient goes out by POST and stays out of every address", async () => {
  const { body } = await fromServer(page, "/api/recordings/search", { limit: 50 });
  const patient = body.rows.find((row) => row.patient?.family)?.patient;
  await page.keyboard.press("/");
  await page.keyboard.type(patient.family);
  await page.waitForResponse((answer) => answer.url().endsWith("/api/recordings/search"));
  await page.getByText(patient.family).first().waitFor();
  await page.keyboard.press("Escape");
  const known = body.rows.flatMap((row) =>
    row.patient == null ? [] : [row.patient.family, ...row.patient.identifiers.map(({ value }) => value)],
  );
  for (const url of seen.urls) {
    const said = decodeURIComponent(new URL(url).pathname + new URL(url).search).toLowerCase();
    for (const word of known)
      assert.ok(!said.includes(String(word).toLowerCase()), `${word} is in an address`);
  }
  assert.ok(!(await page.title()).includes(patient.family));
});

test("nothing fits: an empty picture with its next step", async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("zzzzqq");
  await page.locator('[data-state="empty"]').waitFor();
  await page.getByRole("button", { name: "Show all recordings" }).click();
  await rows(page).first().waitFor();
});

test("j, k and Enter walk and open, ? shows the keys", async () => {
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys on this page" }).getByText("Next row").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const link = (index) => rows(page).nth(index).getByRole("link");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("j");
  await page.waitForFunction((id) => document.activeElement?.id === id, await link(1).getAttribute("id"));
  const wanted = await link(1).getAttribute("href");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**${wanted}`);
});

test("the list keeps its place while one recording is read", async () => {
  const target = rows(page).nth(3);
  const wanted = await target.getByRole("link").getAttribute("href");
  await target.getByRole("link").click();
  await page.waitForURL(`**${wanted}`);
  await page.keyboard.press("w");
  await page.waitForURL("**/worklist");
  await page.waitForFunction(
    (id) => document.getElementById(id)?.closest("[data-selected]") !== null,
    `row-${wanted.split("/").at(-1)}`,
  );
});

test("a broken server is a failed picture, and trying again works", async () => {
  const other = await openPage(browser, { storageState: await context.storageState() });
  await other.page.route("**/api/recordings/search", (route) =>
    route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify({
        type: "about:blank",
        title: "unavailable",
        status: 503,
        detail: "the ledger is busy",
        code: "busy",
        request_id: "e2e-support-id",
      }),
    }),
  );
  await other.page.goto("/worklist");
  await other.page.locator('[data-state="failed"]').waitFor();
  await other.page.getByText("e2e-support-id").waitFor();
  await accessible(other.page, "failed worklist");
  await other.page.unroute("**/api/recordings/search");
  await other.page.getByRole("button", { name: "Try again" }).click();
  await rows(other.page).first().waitFor();
  await other.context.close();
});

test("a slow server is a loading picture", async () => {
  const other = await openPage(browser, { storageState: await context.storageState() });
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  await other.page.route("**/api/recordings/search", async (route) => {
    await held;
    await route.continue();
  });
  await other.page.goto("/worklist");
  await other.page.getByText("Loading worklist").waitFor();
  release();
  await rows(other.page).first().waitFor();
  await other.context.close();
});

test("fits a phone and text at twice its size", async () => {
  for (const scheme of ["light", "dark"]) {
    const other = await openPage(browser, {
      viewport: PHONE,
      scheme,
      storageState: await context.storageState(),
    });
    await openWorklist(other.page);
    await fitsWidth(other.page, "worklist");
    await accessible(other.page, `worklist on a phone, ${scheme}`);
    await other.page.addStyleTag({ content: "html { font-size: 200% }" });
    await other.page.evaluate(() => window.dispatchEvent(new Event("resize")));
    await fitsWidth(other.page, "worklist with large text");
    await other.context.close();
  }
});

test("no error was logged and nothing was kept in the browser", async () => {
  assert.deepEqual(seen.errors, []);
  const kept = await page.evaluate(async () => ({
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: (await indexedDB.databases()).length,
    caches: (await caches.keys()).length,
    cookies: document.cookie,
  }));
  assert.deepEqual(kept, { local: {}, session: {}, databases: 0, caches: 0, cookies: "" });
});
