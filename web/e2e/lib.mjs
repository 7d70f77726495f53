// What the end-to-end tests share: a browser, people signed in, and the checks that hold on every page.
// The tests run against a running `precordia demo` at PRECORDIA_URL and know nothing of its data but
// that there are two organizations with recordings of different rhythms, and its listed sign-ins.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const base = process.env.PRECORDIA_URL ?? "http://127.0.0.1:8480";
const pictures = process.env.PRECORDIA_SCREENSHOTS ?? join(here, "../../docs/screenshots");

export const WIDE = { width: 1440, height: 900 };
export const PHONE = { width: 360, height: 740 };

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A window of its own, with everything that went wrong in it or left it written down. */
export async function openPage(browser, { viewport = WIDE, scheme = "light", scale = 1, ...more } = {}) {
  const context = await browser.newContext({
    baseURL: base,
    viewport,
    colorScheme: scheme,
    deviceScaleFactor: scale,
    hasTouch: viewport.width < 500,
    ...more,
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const seen = { urls: [], errors: [] };
  page.on("request", (request) => seen.urls.push(request.url()));
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("console", (message) => {
    // A refused or missing answer is part of some tests; the browser reports each on the console.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      seen.errors.push(message.text());
    }
  });
  return { context, page, seen };
}

let listed;
export async function signIns() {
  if (listed === undefined) {
    const answer = await fetch(`${base}/api/demo-sign-ins`);
    assert.equal(answer.status, 200, "the server at PRECORDIA_URL is not a demo");
    listed = (await answer.json()).sign_ins;
  }
  return listed;
}

/** A demo sign-in with a role, in the first organization or in another one. */
export async function someone(role, { elsewhere = false } = {}) {
  const all = await signIns();
  const home = all[0].organization;
  const found = all.find(
    (entry) => entry.roles.includes(role) && (entry.organization !== home) === elsewhere,
  );
  assert.ok(
    found,
    `the demo lists nobody who is ${role} ${elsewhere ? "in another" : "in the first"} organization`,
  );
  return found;
}

export async function signIn(page, person, path = "/") {
  await page.goto(path);
  await page.getByLabel("Organization").fill(person.organization);
  await page.getByLabel("User name").fill(person.user_name);
  await page.locator('input[autocomplete$="-password"]').first().fill(person.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor({ state: "attached" });
}

export async function openWorklist(page) {
  await page.goto("/worklist");
  await page.getByRole("table", { name: /Recordings/ }).waitFor();
  await rows(page).first().waitFor();
}

/** Rows with data, without the heading. */
export const rows = (page) =>
  page
    .getByRole("table", { name: /Recordings/ })
    .getByRole("row")
    .filter({ has: page.getByRole("link") });

export async function openFirstRecording(page) {
  await openWorklist(page);
  await rows(page).first().getByRole("link").click();
  await drawn(page);
}

/** Waits until the traces are on the canvas. */
export async function drawn(page) {
  await page.locator('canvas[data-layer="traces"]').waitFor();
  await page.waitForFunction(() => {
    const canvas = document.querySelector('canvas[data-layer="traces"]');
    if (!(canvas instanceof HTMLCanvasElement) || canvas.width === 0) return false;
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let inked = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 128) inked++;
    return inked > 500;
  });
  await page.evaluate(() => document.fonts.ready);
}

/** A number for what a canvas shows; the same picture, the same number. */
export const pictureOf = (page, layer) =>
  page.evaluate((name) => {
    const canvas = document.querySelector(`canvas[data-layer="${name}"]`);
    if (!(canvas instanceof HTMLCanvasElement)) return 0;
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let hash = 7;
    for (let i = 0; i < data.length; i += 4)
      hash = (hash * 31 + data[i] * 3 + data[i + 1] * 5 + data[i + 3]) | 0;
    return hash;
  }, layer);

/** axe finds nothing serious. Lesser findings are printed, so that somebody reads them. */
export async function accessible(page, name) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"])
    .analyze();
  const say = ({ id, impact, nodes }) =>
    `${impact} ${id}: ${nodes
      .map((node) => node.html.slice(0, 120))
      .slice(0, 3)
      .join(" | ")}`;
  const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  for (const violation of violations)
    if (!bad.includes(violation)) console.log(`axe, ${name}: ${say(violation)}`);
  assert.deepEqual(bad.map(say), [], `axe on ${name}`);
}

/** Nothing hangs over the right edge: a phone does not scroll sideways. */
export async function fitsWidth(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than the window`);
}

export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** What the signed-in person's own requests would get: for comparing the screen with the truth. */
export const fromServer = (page, path, body) =>
  page.evaluate(
    async ([url, payload]) => {
      const session = await (await fetch("/api/session")).json();
      const answer = await fetch(url, {
        method: payload === undefined ? "GET" : "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf_token },
        ...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
      });
      return { status: answer.status, body: await answer.json().catch(() => undefined) };
    },
    [path, body],
  );
