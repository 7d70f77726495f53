// The pictures of the documentation: wide, 360 px, dark. Look at them when a page has changed.
import { after, before, test } from "node:test";
import {
  drawn,
  fromServer,
  openBrowser,
  openPage,
  openWorklist,
  PHONE,
  picture,
  signIn,
  someone,
  WIDE,
} from "./lib.mjs";

let browser;
let state;
let flagged;
before(async () => {
  browser = await openBrowser();
  const { page, context } = await openPage(browser);
  await signIn(page, await someone("cardiologist"), "/worklist");
  const { body } = await fromServer(page, "/api/recordings/search", { status: "filed", limit: 200 });
  const rank = { alert: 3, borderline: 2, info: 1 };
  const st = (row) => row.flags.some(({ code }) => code.startsWith("st_")) || row.flags.length > 1;
  flagged = [...body.rows].sort(
    (a, b) => (rank[b.highest] ?? 0) - (rank[a.highest] ?? 0) || Number(st(b)) - Number(st(a)),
  )[0];
  state = await context.storageState();
});
after(() => browser?.close());

for (const [name, viewport, scheme, scale] of [
  ["wide", WIDE, "light", 1],
  ["dark", WIDE, "dark", 1],
  ["phone", PHONE, "light", 2],
  ["phone-dark", PHONE, "dark", 2],
]) {
  test(`worklist and recording, ${name}`, async () => {
    const { page, context } = await openPage(browser, { viewport, scheme, scale, storageState: state });
    await openWorklist(page);
    await page.waitForTimeout(200);
    await picture(page, `worklist-${name}`);
    await page.goto(`/recordings/${flagged.recording_id}`);
    await drawn(page);
    await page.waitForTimeout(200);
    await picture(page, `recording-${name}`);
    const panel = page.getByRole("complementary", { name: "Details" });
    if (viewport === PHONE) {
      const thumb = page.getByRole("navigation", { name: "Recording" });
      await thumb.getByRole("button", { name: "Details" }).click();
      await picture(page, `details-${name}`);
      await thumb.getByRole("button", { name: "Traces" }).click();
      await page.keyboard.press("]");
      await page.waitForTimeout(150);
      await picture(page, `lead-${name}`);
    } else {
      const flag = panel.locator("button[aria-pressed]:enabled").first();
      if ((await flag.count()) > 0) await flag.click();
      await page.waitForTimeout(150);
      await picture(page, `evidence-${name}`);
    }
    await context.close();
  });
}
