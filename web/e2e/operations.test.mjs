// The queue on screen: pausing a kind, giving up and trying again, and who may only look.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  accessible,
  fitsWidth,
  fromServer,
  openBrowser,
  openPage,
  PHONE,
  picture,
  signIn,
  someone,
} from "./lib.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

const INGEST = "Read and file recordings";
const kindRow = (page) =>
  page.getByRole("region", { name: "Work by kind" }).getByRole("row").filter({ hasText: INGEST });
const pieces = (page) => page.getByRole("region", { name: "Pieces of work" });
const show = (page, state) =>
  page.getByRole("radiogroup", { name: "State of the work" }).getByText(state, { exact: true }).click();

/** Sends a letter that nobody sent before; answers its item's id. */
const sendLetter = (page) =>
  page.evaluate(async (text) => {
    const session = await (await fetch("/api/session")).json();
    const form = new FormData();
    form.append("file", new Blob([text]), "letter.txt");
    const answer = await fetch("/api/uploads", {
      method: "POST",
      headers: { "X-CSRF-Token": session.csrf_token },
      body: form,
    });
    return (await answer.json()).item_id;
  }, `Dear colleague, this is no tracing. ${Date.now()} ${Math.random()}`);

test("a kind is paused, its work given up and tried again, and everything goes on", async () => {
  const sender = await openPage(browser);
  await signIn(sender.page, await someone("cardiologist"), "/worklist");
  const { page, seen } = await openPage(browser);
  await signIn(page, await someone("organization-administrator"), "/operations");
  await kindRow(page).getByText("Running").waitFor();
  await accessible(page, "operations");
  await kindRow(page)
    .getByRole("button", { name: /^Pause/ })
    .click();
  await kindRow(page).getByText("Paused").waitFor();
  try {
    const item = await sendLetter(sender.page);
    assert.ok(item, "the letter was not taken");
    await show(page, "Waiting");
    const piece = pieces(page).getByRole("row").filter({ hasText: item });
    await piece.waitFor();
    await kindRow(page).getByRole("cell", { name: "1", exact: true }).first().waitFor();

    // By keys alone: the button, the reason, Enter on the last button.
    const giveUp = piece.getByRole("button", { name: /^Give up/ });
    await giveUp.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Give up work" });
    await dialog.getByLabel("Reason").fill("end-to-end test");
    await accessible(page, "giving up work");
    await dialog.getByRole("button", { name: "Give up" }).press("Enter");
    await dialog.waitFor({ state: "detached" });

    await show(page, "Given up");
    await piece.getByText("Given up by hand").waitFor();
    // The program itself says so, too, when it next looks at its queues.
    const alarms = page.getByRole("region", { name: "Alarms of operation" });
    const raised = alarms.getByRole("row").filter({ hasText: "Needs a hand" });
    await raised.getByText("Work was given up").waitFor({ timeout: 120_000 });
    await accessible(page, "operations with given-up work");
    await picture(page, "operations-wide");
    await piece.getByRole("button", { name: /^Try again/ }).click();
    await piece.waitFor({ state: "detached" });
    await kindRow(page)
      .getByRole("button", { name: /^Resume/ })
      .click();
    await kindRow(page).getByText("Running").waitFor();
    await show(page, "Done");
    await piece.waitFor();
    const { body } = await fromServer(sender.page, `/api/items/${item}`);
    assert.equal(body.state, "quarantined");
  } finally {
    await fromServer(page, "/api/work-kinds/ingest/resume", {});
  }
  assert.deepEqual(seen.errors, []);
});

test("an auditor looks and changes nothing; others are not shown the page", async () => {
  const { page, context } = await openPage(browser);
  await signIn(page, await someone("auditor"), "/operations");
  await kindRow(page).waitFor();
  await show(page, "Done");
  await pieces(page).getByRole("row").nth(1).waitFor();
  assert.equal(await page.getByRole("button", { name: /^(Pause|Resume|Try again|Give up)/ }).count(), 0);
  await context.close();
  const other = await openPage(browser);
  await signIn(other.page, await someone("cardiologist"), "/operations");
  await other.page.locator('[data-state="forbidden"]').waitFor();
});

test("the page fits a phone", async () => {
  const { page } = await openPage(browser, { viewport: PHONE, scheme: "dark", scale: 2 });
  await signIn(page, await someone("organization-administrator"), "/operations");
  await show(page, "All");
  await pieces(page).getByRole("row").nth(1).waitFor();
  await fitsWidth(page, "operations");
  await accessible(page, "operations on a phone, dark");
  await picture(page, "operations-phone-dark");
});
