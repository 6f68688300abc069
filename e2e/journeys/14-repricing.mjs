import assert from "node:assert/strict";

import { api, chat, make, makeSandbox, personal, signIn } from "../installation.mjs";
import { assertFields, assertGone, assertHeading, assertText, dialog, errorAt, eventually, field, fill, go, press, row } from "../sight.mjs";

export const name = "requests are priced anew: first shown by a dry run, then added, and told beside each of them";

const SLUG = "repricers";
const HOME = `/o/${SLUG}`;
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };

export async function run({ page, context, newVisitor, url, checkA11y, screenshot }) {
  const me = await signIn(context);
  await make(personal(context, me), "/organizations", { slug: SLUG, name: "Repricers" });
  const owner = api(context, me, SLUG);
  await makeSandbox(owner, "play");
  await make(owner, "/models", { name: "nameless", route: { target: "play/nameless" } });
  const price = (output, from = "2026-01-01T00:00:00Z") => make(owner, "/prices", { provider: "play", model: "sandbox-small", rates: { input: "0", output }, effective_from: from });
  // A tenth of a cent a token, where two tenths were meant.
  const wrong = await price("1000");
  await spend(owner, url);
  const pictures = photographer(page, screenshot);

  await open(page);
  await page.getByText("Nothing was repriced yet", { exact: true }).waitFor();
  await pictures("empty");
  await form(page, checkA11y, pictures);
  await nothingToAdd(page, pictures);

  await owner.delete(`/prices/${wrong.id}`);
  await price("2000");
  await dryRun(page, owner, checkA11y, pictures);
  await price("2000", "2026-01-02T00:00:00Z");
  await asApproved(page, owner, checkA11y, pictures);
  await added(page, owner, checkA11y, pictures);
  await progress(page, checkA11y, pictures);
  await besideRequests(page, checkA11y, pictures);
  await failures(page, checkA11y, pictures);
  await closedToMembers(owner, newVisitor, screenshot, checkA11y);
}

async function open(page) {
  await page.goto(`${HOME}/repricing`);
  await assertHeading(page, "Repricing");
}

// Pictures in light and dark, wide and narrow; no page scrolls sideways.
function photographer(page, screenshot) {
  return async (name) => {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      assert.ok(!sideways, `${name}, ${size}, scrolls sideways`);
      for (const theme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: theme });
        await screenshot(`${name}-${theme}-${size}`, page);
      }
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(SIZES.wide);
  };
}

async function spend(owner, url) {
  const { secret } = await make(owner, "/keys", { name: "app" });
  for (const model of ["play", "play", "play", "nameless"]) {
    await eventually("it is answered", async () => {
      const answer = await chat(url, secret, model, "[[sandbox tokens=100]] Hello", { max_tokens: 100 });
      return answer.status === 200;
    });
  }
  await eventually("all of it is counted", async () => {
    const { items } = (await owner.get("/usage?limit=50")).body;
    return items.filter(({ status }) => status === 200).length === 4;
  });
}

async function form(page, checkA11y, pictures) {
  await press(page.locator(".page-head"), "Reprice requests");
  const window = dialog(page, "Reprice requests");
  await window.getByLabel("From (UTC)").fill("2030-01-01");
  await press(window, "Dry run");
  await errorAt(window, "Why");
  await fill(window, { Why: "The contract's price came late." });
  await press(window, "Dry run");
  assert.match(await errorAt(window, "Until the end of (UTC)"), /after from/);
  await checkA11y();
  await pictures("form");
}

// With the prices that they were charged by.
async function nothingToAdd(page, pictures) {
  const window = dialog(page, "Reprice requests");
  await window.getByLabel("From (UTC)").fill(monthStart());
  await field(window, "Prices").selectOption("now");
  await press(window, "Dry run");
  const run = dialog(page, "Repricing run");
  await assertText(run, "there is nothing to add");
  await assertText(run, "those in force on");
  await assertGone(run.getByRole("button", { name: "Add the difference" }), "what would add nothing");
  await pictures("nothing-to-add");
}

// A day before, so that a month that has just begun changes nothing.
function monthStart() {
  return new Date(Date.now() - 24 * 3_600_000).toISOString().slice(0, 10);
}

async function dryRun(page, owner, checkA11y, pictures) {
  await press(dialog(page, "Repricing run"), "Dry run again");
  const window = dialog(page, "Reprice requests");
  await assertFields(window, { Why: "The contract's price came late.", "From (UTC)": monthStart(), Prices: "now" });
  await field(window, "Prices").selectOption("");
  await press(window, "Dry run");
  const run = dialog(page, "Repricing run");
  await assertText(run, "those in force when each request began");
  await assertText(run, "Nothing is changed yet.");
  await assertText(run, "$0.30 before, $0.60 after");
  await assertText(run, "of 4 requests");
  await assertText(row(run, "play/sandbox-small"), "+$0.30");
  await assertText(row(run, "play/nameless"), "no price is known");
  await checkA11y();
  await pictures("dry-run");
  const { items } = (await owner.get("/usage?limit=50")).body;
  assert.ok(items.every(({ adjustments }) => adjustments.length === 0), "a dry run adds nothing");
}

// What is added is what was seen, or nothing: another price came since.
async function asApproved(page, owner, checkA11y, pictures) {
  const shown = () => new URL(page.url()).searchParams.get("run");
  const before = shown();
  const run = dialog(page, "Repricing run");
  await press(run, "Add the difference");
  await assertText(run, "make another dry run");
  await checkA11y();
  await pictures("refused");
  const { items } = (await owner.get("/usage?limit=50")).body;
  assert.ok(items.every(({ adjustments }) => adjustments.length === 0), "what is refused adds nothing");
  await press(run, "Change");
  await press(dialog(page, "Reprice requests"), "Dry run");
  await eventually("another dry run is shown", () => shown() !== before);
  await assertText(run, "Nothing is changed yet.");
  await assertText(run, "$0.30 before, $0.60 after");
}

async function added(page, owner, checkA11y, pictures) {
  await press(dialog(page, "Repricing run"), "Add the difference");
  const run = dialog(page, "Repricing run");
  await assertText(run, "The difference is added wherever these requests count.");
  await assertText(run, "$0.30 before, $0.60 after");
  await pictures("added");
  await press(run, "Close");
  const list = page.getByRole("table", { name: "Runs" });
  await eventually("all four runs are there, and over", async () => {
    const rows = await list.locator("tbody tr").allInnerTexts();
    return rows.length === 4 && rows.every((text) => text.includes("done"));
  });
  await assertText(list.locator("tbody tr").first(), "+$0.30");
  await assertText(list.locator("tbody tr").first(), "3 cost something else");
  await checkA11y();
  await pictures("list");
  const month = new Date().toISOString().slice(0, 7);
  const { body } = await owner.get(`/chargeback?month=${month}`);
  assert.equal(body.sums.total.amount, "0.60", "chargeback says the same");
}

// A long run, as the server tells it; how one goes on is tested with the server.
async function progress(page, checkA11y, pictures) {
  let looks = 0;
  let cancelled = false;
  await page.route(/\/reprice(\/|\?|$)/, async (route) => {
    const request = route.request();
    const answer = await route.fetch();
    const json = await answer.json();
    const half = (run) => {
      looks += 1;
      const span = Date.parse(run.to) - Date.parse(run.from);
      const share = Math.min(0.2 + looks * 0.05, 0.6);
      Object.assign(run, {
        state: cancelled ? "cancelled" : "running",
        failure: cancelled ? "ada@acme.test cancelled it" : null,
        dry_run: true,
        looked_up_to: new Date(Date.parse(run.from) + span * share).toISOString(),
        finished_at: null,
      });
      Object.assign(run.sums, { requests: 120_000 * looks, changed: 90_000 * looks });
      return run;
    };
    if (request.url().endsWith("/cancel")) cancelled = true;
    if (answer.status() !== 200 && !request.url().endsWith("/cancel")) return route.fulfill({ response: answer });
    if (json.items) half(json.items[0]);
    else if (json.id) half(json);
    await route.fulfill({ response: answer, status: 200, json: json.id || json.items ? json : half(last) });
    if (json.id) last = structuredClone(json);
  });
  let last = null;
  await page.reload();
  const list = page.getByRole("table", { name: "Runs" });
  const first = list.locator("tbody tr").first();
  await assertText(first, "running");
  const before = await first.innerText();
  await eventually("its numbers grow while one looks", async () => (await first.innerText()) !== before);
  await pictures("list-running");
  await first.getByRole("button").click();
  const run = dialog(page, "Repricing run");
  await assertText(run, "it only adds up what would be");
  await checkA11y();
  await pictures("running");
  const cancel = run.getByRole("button", { name: "Cancel run" });
  await cancel.focus();
  await eventually("numbers grow, and the button keeps the focus", async () => {
    const seen = await run.innerText();
    await page.waitForTimeout(1_200);
    return (await run.innerText()) !== seen;
  });
  assert.ok(await cancel.evaluate((element) => element === document.activeElement), "the button keeps the focus");
  await cancel.click();
  await assertText(run, "Nothing was changed.");
  await assertText(run, "Ada@acme.test cancelled it.");
  await pictures("cancelled");
  await page.unroute(/\/reprice(\/|\?|$)/);
  await press(run, "Close");
}

async function besideRequests(page, checkA11y, pictures) {
  await go(page, "Requests");
  const requests = page.getByRole("table", { name: "Requests" });
  await assertText(requests, "repriced");
  await pictures("requests");
  await requests.getByRole("row").filter({ hasText: "repriced" }).first().getByTitle("Show the details").click();
  const window = dialog(page, "Request");
  await assertText(window, "As charged $0.10");
  const beside = window.getByRole("table", { name: "Priced anew" });
  await assertText(beside, "The contract's price came late.");
  await assertText(beside, "+$0.10");
  await assertText(window, "Cost $0.20");
  await beside.scrollIntoViewIfNeeded();
  await checkA11y();
  await pictures("request");
  await beside.getByRole("link").click();
  await assertHeading(page, "Repricing");
  await assertText(dialog(page, "Repricing run"), "The difference is added");
}

async function failures(page, checkA11y, pictures) {
  await page.route(/\/reprice(\/|\?|$)/, (route) =>
    route.fulfill({ status: 500, json: { error: { code: "internal", message: "something went wrong", fields: {}, request_id: "req_1" } } }),
  );
  await page.goto(`${HOME}/repricing`);
  await page.getByText("This could not be loaded", { exact: true }).waitFor();
  await checkA11y();
  await pictures("failed");
  await page.unroute(/\/reprice(\/|\?|$)/);
  await press(page, "Try again");
  await page.getByRole("table", { name: "Runs" }).waitFor();
}

async function closedToMembers(owner, newVisitor, screenshot, checkA11y) {
  const email = "grace@repricers.test";
  const password = "nanoseconds-of-copper-wire";
  const made = await make(owner, "/invitations", { email, role: "member" });
  const page = await newVisitor();
  const token = new URL(made.link).hash.replace("#token=", "");
  const accepted = await page.context().request.post("/api/v1/invitations/accept", { data: { token, name: "Grace", password } });
  assert.ok(accepted.ok(), await accepted.text());
  await signIn(page.context(), { email, password });
  await page.goto(`${HOME}/overview`);
  await assertHeading(page, "Overview");
  await assertGone(page.getByRole("link", { name: "Repricing", exact: true }), "what a member may not see");
  await page.goto(`${HOME}/repricing`);
  await page.getByText("Not open to your role", { exact: true }).waitFor();
  await checkA11y(page);
  await screenshot("closed", page);
}
