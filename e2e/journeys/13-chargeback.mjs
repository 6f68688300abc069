import assert from "node:assert/strict";

import { api, chat, make, makeSandbox, personal, signIn } from "../installation.mjs";
import { assertFields, assertHeading, assertText, assertToast, dialog, errorAt, eventually, field, fill, go, press, row } from "../sight.mjs";

export const name = "teams get cost centres, and a month's report says who bears what";

const SLUG = "bearers";
const HOME = `/o/${SLUG}`;

export async function run({ page, context, url, checkA11y, screenshot }) {
  const me = await signIn(context);
  await make(personal(context, me), "/organizations", { slug: SLUG, name: "Bearers" });
  const owner = api(context, me, SLUG);
  await makeSandbox(owner, "play");
  // A cent a token, and nothing for questions.
  await make(owner, "/prices", { provider: "play", model: "sandbox-small", rates: { input: "0", output: "10000" } });
  await teams(page, owner, checkA11y);
  await settings(page, owner, checkA11y);
  await spend(owner, url);
  await report(page, checkA11y, screenshot);
  await download(page, context);
  await lock(page, checkA11y, screenshot);
}

async function teams(page, owner, checkA11y) {
  await page.goto(`${HOME}/teams`);
  await press(page.locator(".page-head"), "Create team");
  const form = dialog(page, "Create team");
  await fill(form, { Name: "Search", "Cost centre": "x".repeat(41) });
  await press(form, "Create team");
  await errorAt(form, "Cost centre");
  await fill(form, { "Cost centre": "CC-100" });
  await checkA11y();
  await press(form, "Create team");
  await assertText(row(page, "Search"), "CC-100");
  await press(page.locator(".page-head"), "Create team");
  const platform = dialog(page, "Create team");
  await fill(platform, { Name: "Platform" });
  await platform.getByRole("checkbox", { name: "Works for all others" }).check();
  await press(platform, "Create team");
  await assertText(row(page, "Platform"), "works for all others");
  const { items } = (await owner.get("/teams")).body;
  const told = items.map(({ name, cost_centre, shared }) => [name, cost_centre, shared]).sort();
  assert.deepEqual(told, [
    ["Platform", null, true],
    ["Search", "CC-100", false],
  ]);
}

async function settings(page, owner, checkA11y) {
  await go(page, "Settings");
  const card = page.locator(".card").filter({ has: page.getByRole("heading", { name: "Charging", exact: true }) });
  await fill(card, { "Cost centre": "CC-1" });
  await field(card, "Cost that is nobody's own").selectOption("proportional");
  await checkA11y();
  await press(card, "Save charging");
  await assertToast(page, "How cost is charged is saved.");
  await page.reload();
  await assertFields(card, { "Cost centre": "CC-1", "Cost that is nobody's own": "proportional" });
  const { cost_centre, shared_cost } = (await owner.get("")).body;
  assert.deepEqual({ cost_centre, shared_cost }, { cost_centre: "CC-1", shared_cost: "proportional" });
}

// Three dollars of Search, one of Platform, one of nobody.
async function spend(owner, url) {
  const { items } = (await owner.get("/teams")).body;
  const team = (name) => items.find((item) => item.name === name).id;
  const keys = [
    { name: "search", team: team("Search"), calls: 3 },
    { name: "platform", team: team("Platform"), calls: 1 },
    { name: "alone", calls: 1 },
  ];
  for (const { name, team, calls } of keys) {
    const { secret } = await make(owner, "/keys", { name, team });
    for (let answered = 0; answered < calls; answered += 1) {
      await eventually("it is answered", async () => {
        const answer = await chat(url, secret, "play", "[[sandbox tokens=100]] Hello", { max_tokens: 100 });
        return answer.status === 200;
      });
    }
  }
  await eventually("all of it is counted", async () => {
    const { items } = (await owner.get("/usage?limit=50")).body;
    return items.filter(({ status }) => status === 200).length === 5;
  });
}

async function report(page, checkA11y, screenshot) {
  await go(page, "Chargeback");
  const bears = page.getByRole("table", { name: "Who bears it" });
  await assertText(row(bears, "CC-100"), "$3.00");
  await assertText(page.locator(".stats"), "$5.00");
  await checkA11y();
  await screenshot("cost-centres");
  await page.getByRole("combobox", { name: /^By/ }).selectOption("team");
  // Search bears what Platform and nobody's key cost.
  await assertText(row(bears, "Search"), "$5.00");
  await assertText(row(bears, "Platform"), "works for all others");
  await checkA11y();
  await screenshot("teams");
  await page.getByRole("combobox", { name: /^By/ }).selectOption("user");
  await assertText(bears, "Ada Lovelace");
  await page.reload();
  await assertHeading(page, "Chargeback");
  await assertText(bears, "Ada Lovelace");
}

async function download(page, context) {
  const href = await page.getByRole("link", { name: "FOCUS CSV" }).getAttribute("href");
  const response = await context.request.get(href);
  assert.equal(response.status(), 200);
  assert.match(response.headers()["content-type"], /^text\/csv/);
  assert.match(await response.text(), /BilledCost/);
}

// The month is not over, so a month that is stands in for it; what the server says of locks it says in its own tests.
async function lock(page, checkA11y, screenshot) {
  const button = page.getByRole("button", { name: "Lock month", exact: true });
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  assert.match(await button.getAttribute("title"), /can be locked from/);

  let locked = null;
  await page.route("**/chargeback/months*", async (route) => {
    const answer = await route.fetch();
    const months = await answer.json();
    for (const month of months.items) Object.assign(month, { lockable_from: "2020-01-01T00:00:00Z", lock: locked });
    await route.fulfill({ response: answer, json: months });
  });
  await page.route("**/chargeback/*/lock", async (route) => {
    assert.equal(route.request().method(), "POST");
    locked = { at: "2026-01-02T00:00:00Z", by: "ada@acme.test", late_requests: 0 };
    await route.fulfill({ status: 201, json: locked });
  });
  await page.reload();
  await page.locator('button:not([aria-disabled="true"])', { hasText: "Lock month" }).click();
  const question = page.getByRole("dialog", { name: /^Lock .*\?$/ });
  await assertText(question, "It came to $5.00.");
  await checkA11y();
  await screenshot("lock");
  await press(question, "Lock month");
  await page.getByRole("button", { name: "Unlock month", exact: true }).click();
  const unlock = page.getByRole("dialog", { name: /^Unlock .*\?$/ });
  await press(unlock, "Unlock month");
  await errorAt(unlock, "Why");
  await checkA11y();
}
