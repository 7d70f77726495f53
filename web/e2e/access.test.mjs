// Who may see what: another organization, another role, emergency access, and the administrators' pages.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  accessible,
  drawn,
  fitsWidth,
  fromServer,
  openBrowser,
  openPage,
  openWorklist,
  PHONE,
  picture,
  rows,
  signIn,
  someone,
} from "./lib.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

const someRecording = async () => {
  const { page, context } = await openPage(browser);
  await signIn(page, await someone("cardiologist"), "/worklist");
  const { body } = await fromServer(page, "/api/recordings/search", { status: "filed", limit: 1 });
  await context.close();
  return body.rows[0];
};

test("another organization's recording is not here, whoever asks", async () => {
  const row = await someRecording();
  const { page } = await openPage(browser);
  await signIn(page, await someone("cardiologist", { elsewhere: true }), `/recordings/${row.recording_id}`);
  await page.locator('[data-state="missing"]').waitFor();
  const text = await page.locator("body").innerText();
  assert.ok(!text.includes(row.patient.family));
  await page.goto(`/patients/${row.patient.id}`);
  await page.locator('[data-state="missing"]').waitFor();
});

test("a role without clinical reading sees a forbidden picture; emergency access opens it, openly, and ends", async () => {
  const { page, seen } = await openPage(browser);
  const row = await someRecording();
  await signIn(page, await someone("organization-administrator"), `/recordings/${row.recording_id}`);
  await page.locator('[data-state="forbidden"]').waitFor();
  await accessible(page, "forbidden");
  await page.getByRole("button", { name: "Emergency access…" }).click();
  const dialog = page.getByRole("dialog", { name: "Emergency access" });
  assert.equal(await dialog.getByRole("button", { name: "Open patient data" }).isDisabled(), true);
  await dialog.getByLabel("Reason").fill("end-to-end test of emergency access");
  await dialog.getByRole("button", { name: "Open patient data" }).click();
  await drawn(page);
  const notice = page.getByRole("region", { name: "Emergency access" });
  await notice.getByText("end-to-end test of emergency access").waitFor();
  await accessible(page, "recording under emergency access");
  await openWorklist(page);
  assert.ok((await notice.count()) === 1, "the banner left with the page");

  // Erasing asks once, in words that name the patient, and takes the name typed.
  await page.goto(`/patients/${row.patient.id}`);
  await page.getByRole("button", { name: "Record" }).click();
  await page.getByRole("menuitem", { name: "Erase this patient…" }).click();
  const erase = page.getByRole("dialog", { name: new RegExp(`Erase ${row.patient.family}`) });
  await erase.getByLabel("Reason").fill("asked by the patient");
  const last = erase.getByRole("button", { name: /^Erase .* for ever$/ });
  assert.equal(await last.isDisabled(), true);
  await erase.getByLabel(/^Type the family name/).fill(row.patient.family);
  assert.equal(await last.isDisabled(), false);
  await accessible(page, "erase");
  await erase.getByRole("button", { name: "Cancel" }).click();

  await notice.getByRole("button", { name: "End now" }).click();
  await page.locator('[data-state="forbidden"]').waitFor();
  assert.ok(!(await page.locator("body").innerText()).includes(row.patient.family));
  assert.deepEqual(seen.errors, []);
});

test("two records of a person are merged and separated again", async () => {
  const { page } = await openPage(browser);
  await signIn(page, await someone("cardiologist"), "/worklist");
  const { body } = await fromServer(page, "/api/recordings/search", { status: "filed", limit: 50 });
  const patients = [...new Map(body.rows.map(({ patient }) => [patient.id, patient])).values()].filter(
    ({ family }) => family,
  );
  const [one, two] = patients;
  assert.ok(two, "the demo has recordings of one patient only");
  await page.goto(`/patients/${one.id}`);
  await page.getByRole("button", { name: "Record" }).click();
  await page.getByRole("menuitem", { name: "Merge into another patient…" }).click();
  const dialog = page.getByRole("dialog", { name: "Merge two records of one person" });
  await dialog.getByLabel("Merge into").fill(two.family);
  await dialog
    .getByRole("list", { name: "Patients found" })
    .getByRole("button")
    .filter({ hasText: two.family })
    .first()
    .click();
  await dialog.getByLabel("Reason").fill("end-to-end test");
  await accessible(page, "merge");
  await dialog.getByRole("button", { name: new RegExp(`^Merge into ${two.family}`) }).click();
  await page.getByText("This record was merged into").waitFor();
  await page.getByRole("button", { name: "Record" }).click();
  await page.getByRole("menuitem", { name: "Undo the merge…" }).click();
  await page.getByLabel("Reason").fill("end-to-end test");
  await page.getByRole("button", { name: /^Separate/ }).click();
  await page.getByText("This record was merged into").waitFor({ state: "detached" });
});

test("an administrator adds a user, who can sign in, and switches them off", async () => {
  const { page } = await openPage(browser);
  const admin = await someone("organization-administrator");
  await signIn(page, admin, "/users");
  await page.getByRole("heading", { name: "Users" }).waitFor();
  await accessible(page, "users");
  const name = `e2e-${Date.now()}`;
  await page.getByRole("button", { name: "Add a user" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Test Nurse");
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("First password").fill("a sentence for a test");
  await page.getByRole("checkbox", { name: "Nurse" }).check();
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("cell", { name }).waitFor();
  const other = await openPage(browser);
  await signIn(other.page, {
    organization: admin.organization,
    user_name: name,
    password: "a sentence for a test",
  });
  await other.context.close();
  await page.getByRole("row").filter({ hasText: name }).getByRole("button", { name: /^Edit/ }).click();
  await page.getByLabel("May sign in").uncheck();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row").filter({ hasText: name }).getByText("Switched off").waitFor();
});

test("an API token is shown once and taken away", async () => {
  const { page } = await openPage(browser);
  await signIn(page, await someone("organization-administrator"), "/tokens");
  await page.getByRole("button", { name: "Make a token" }).click();
  const label = `e2e ${Date.now()}`;
  await page.getByLabel("Label").fill(label);
  await page.getByRole("button", { name: "Make", exact: true }).click();
  const token = await page.getByRole("dialog").locator("code").innerText();
  assert.ok(token.length >= 20);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("row").filter({ hasText: label }).waitFor();
  assert.ok(!(await page.locator("body").innerText()).includes(token));
  await accessible(page, "tokens");
  await page
    .getByRole("row")
    .filter({ hasText: label })
    .getByRole("button", { name: /^Take away/ })
    .click();
  await page.getByRole("dialog").getByRole("button", { name: "Take away", exact: true }).click();
  await page.getByRole("row").filter({ hasText: label }).waitFor({ state: "detached" });
});

test("an auditor sees the access log, the intake and a balance that closes", async () => {
  const { page } = await openPage(browser);
  await signIn(page, await someone("auditor"), "/access-log");
  await page.getByRole("region", { name: "Accesses" }).waitFor();
  await accessible(page, "access log");
  await picture(page, "access-log-wide");
  await page.goto("/balance");
  await page.getByText("The balance closes").waitFor();
  await accessible(page, "balance");
  await page.goto("/items");
  await page.getByRole("region", { name: "Items received" }).waitFor();
  await accessible(page, "intake");
  await picture(page, "intake-wide");
  await page.goto("/worklist");
  await page.locator('[data-state="forbidden"]').waitFor();
});

test("the lists of administrators fit a phone", async () => {
  const { page } = await openPage(browser, { viewport: PHONE, scheme: "dark" });
  await signIn(page, await someone("organization-administrator"), "/users");
  for (const path of ["/users", "/tokens", "/items", "/balance", "/operations", "/access-log", "/settings"]) {
    await page.goto(path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForTimeout(300);
    await fitsWidth(page, path);
    await accessible(page, `${path} on a phone, dark`);
  }
});

test("a patient is found by name and shows every recording", async () => {
  const { page } = await openPage(browser);
  await signIn(page, await someone("cardiologist"), "/patients");
  const { body } = await fromServer(page, "/api/recordings/search", { status: "filed", limit: 1 });
  const { patient } = body.rows[0];
  await page.getByLabel("Find a patient").fill(patient.family);
  await page
    .getByRole("list", { name: "Patients found" })
    .getByRole("link")
    .filter({ hasText: patient.identifiers[0].value })
    .click();
  await page.getByRole("region", { name: "Patient" }).getByText(patient.birth_date).waitFor();
  await page.getByRole("region", { name: "Recordings of this patient" }).getByRole("link").first().waitFor();
  await accessible(page, "patient");
  await picture(page, "patient-wide");
});

test("the worklist of each organization has recordings of its own", async () => {
  const names = [];
  for (const elsewhere of [false, true]) {
    const { page } = await openPage(browser);
    await signIn(page, await someone("cardiologist", { elsewhere }), "/worklist");
    await rows(page).first().waitFor();
    const { body } = await fromServer(page, "/api/recordings/search", { limit: 200 });
    names.push(new Set(body.rows.map((row) => row.recording_id)));
  }
  assert.equal([...names[0]].filter((id) => names[1].has(id)).length, 0);
});
