// Coming in, and being shut out again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  accessible,
  base,
  fitsWidth,
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

test("the page allows scripts from the server only", async () => {
  const answer = await fetch(`${base}/`);
  const policy = answer.headers.get("content-security-policy") ?? "";
  const scripts = policy.split(";").find((part) => part.trim().startsWith("script-src")) ?? "";
  assert.equal(scripts.trim(), "script-src 'self'");
  assert.ok(!/<script(?![^>]*\ssrc=)/.test(await answer.text()), "index.html has an inline script");
});

test("a wrong password says so, names nothing, and a right one opens the workspace", async () => {
  const { page, seen } = await openPage(browser);
  const person = await someone("cardiologist");
  await page.goto("/");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await accessible(page, "sign-in");
  await page.getByLabel("Organization").fill(person.organization);
  await page.getByLabel("User name").fill(person.user_name);
  await page.locator('input[autocomplete$="-password"]').first().fill("certainly not this one");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("do not belong together").waitFor();
  await page.locator('input[autocomplete$="-password"]').first().fill(person.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Worklist" }).waitFor({ state: "attached" });
  assert.deepEqual(seen.errors, []);
});

test("a demo lists its sign-ins and one click signs in", async () => {
  const { page } = await openPage(browser);
  await page.goto("/");
  const list = page.getByRole("region", { name: "Demo sign-ins" });
  await list.waitFor();
  await picture(page, "sign-in-wide");
  await list.getByRole("button").first().click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor({ state: "attached" });
});

test("signing out forgets and asks again", async () => {
  const { page } = await openPage(browser);
  await signIn(page, await someone("cardiologist"), "/worklist");
  await page.getByRole("button", { name: /menu$/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.goto("/worklist");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});

test("an unattended screen warns, then locks, and says why", async () => {
  const { page } = await openPage(browser);
  // The demo waits for minutes; this screen is told to wait for six seconds.
  await page.route("**/api/session", async (route) => {
    const answer = await route.fetch();
    const body = await answer.text();
    await route.fulfill({
      response: answer,
      body: body.replace(/"idle_timeout_s":\s*\d+/, '"idle_timeout_s":6'),
    });
  });
  await signIn(page, await someone("cardiologist"), "/worklist");
  await page.getByRole("dialog", { name: "Still there?" }).waitFor({ timeout: 10_000 });
  await page.getByRole("button", { name: "Stay signed in" }).click();
  await page.getByRole("dialog", { name: "Still there?" }).waitFor({ state: "detached" });
  await page.getByText("nobody used this screen").waitFor({ timeout: 15_000 });
  assert.equal(await page.getByRole("table").count(), 0);
});

test("the set-up page asks for a code and refuses two different passwords", async () => {
  const { page } = await openPage(browser);
  await page.goto("/setup");
  await page.getByLabel("Set-up code").waitFor();
  await accessible(page, "set-up");
  await page.locator('input[autocomplete$="-password"]').first().fill("one long sentence");
  await page.getByLabel("Password again").fill("another sentence");
  await page.getByText("The two passwords differ").waitFor();
  const { organization } = await someone("cardiologist");
  await page.goto(`/setup?organization=${organization}`);
  await page.getByText("needs no set-up").waitFor();
});

test("sign-in fits a phone, light and dark", async () => {
  for (const scheme of ["light", "dark"]) {
    const { page } = await openPage(browser, { viewport: PHONE, scheme });
    await page.goto("/");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await fitsWidth(page, "sign-in");
    await accessible(page, `sign-in on a phone, ${scheme}`);
  }
});
