import assert from "node:assert/strict";

import { api, chat, make, makeSandbox, personal, signIn } from "../installation.mjs";
import {
  assertGone,
  assertHeading,
  assertText,
  assertToast,
  dialog,
  errorAt,
  eventually,
  field,
  fill,
  go,
  press,
  row,
} from "../sight.mjs";

export const name =
  "a budget is spent by calls, a member asks for more, an admin approves, and calls go through again; limits and tags are kept";

const SLUG = "thrift";
const HOME = `/o/${SLUG}`;
const KEY = "search-app";
const JOAN = { name: "Joan Clarke", email: "joan@thrift.test", password: "a-crib-of-six-letters" };

export async function run({ page, context, newVisitor, url, checkA11y, screenshot }) {
  const me = await signIn(context);
  await make(personal(context, me), "/organizations", { slug: SLUG, name: "Thrift" });
  const owner = api(context, me, SLUG);
  await makeSandbox(owner, "play");
  // A cent a token, and nothing for questions.
  await make(owner, "/prices", { provider: "play", model: "sandbox-small", rates: { input: "0", output: "10000" } });
  const team = await make(owner, "/teams", { name: "Search" });
  const { secret } = await make(owner, "/keys", { name: KEY, team: team.id });
  const { link } = await make(owner, "/invitations", { email: JOAN.email, role: "member" });

  await makeBudgets(page, owner, team, checkA11y, screenshot);
  const budget = await makeBudgetOfTheKey(page, owner);
  const ask = () => chat(url, secret, "play", "[[sandbox tokens=100]] Hello", { max_tokens: 100 });
  await spendAll(page, ask, budget, checkA11y, screenshot);
  const joan = await newVisitor();
  await join(joan, link);
  await askForMore(joan, budget, checkA11y, screenshot);
  await approve(page, owner, budget, checkA11y, screenshot);
  await callAgain(page, ask, budget);
  await endTheIncrease(page, owner, ask, budget, checkA11y);
  await limits(page, owner, checkA11y, screenshot);
  await limitOfTheKey(page, ask);
  await tags(page, owner, checkA11y, screenshot);
}

async function makeBudgets(page, owner, team, checkA11y, screenshot) {
  await page.goto(`${HOME}/budgets`);
  await assertHeading(page, "Budgets");
  await page.getByRole("heading", { name: "No budgets yet", exact: true }).waitFor();
  await checkA11y();
  await press(page.locator(".page-head"), "Create budget");
  const whole = dialog(page, "Create budget");
  await fill(whole, { "Amount (USD)": "a lot" });
  await press(whole, "Create budget");
  await errorAt(whole, "Amount (USD)");
  await fill(whole, { "Amount (USD)": "100", "Time zone": "Europe/Nowhere" });
  await press(whole, "Create budget");
  await errorAt(whole, "Time zone");
  await fill(whole, { "Time zone": "Europe/Berlin" });
  await checkA11y();
  await press(whole, "Create budget");
  await assertToast(page, "The budget of the organization is saved.");
  await assertText(row(page, "The organization"), "$100.00 a month, Europe/Berlin");

  await press(page.locator(".page-head"), "Create budget");
  const form = dialog(page, "Create budget");
  await field(form, "For").selectOption("team");
  await assertText(form, "Search");
  await fill(form, { "Amount (USD)": "200" });
  await field(form, "Once it is spent").selectOption("downgrade");
  await fill(form, { "From this amount on (USD)": "20" });
  await field(form, "How exactly").selectOption("strict");
  await assertText(form, "never a cent beyond the amount");
  await form.getByText("Alerts, carry-over and exceptions").click();
  await fill(form, { "Tell at (% of the amount)": "half" });
  await press(form, "Create budget");
  assert.match(await errorAt(form, "Tell at (% of the amount)"), /whole percentages/);
  await fill(form, { "Tell at (% of the amount)": "25, 75" });
  await press(form, "Create budget");
  assert.match(await errorAt(form, "Amount (USD)"), /more than the 100\.00 USD that the organization has/);
  await fill(form, { "Amount (USD)": "40" });
  await checkA11y();
  await screenshot("form");
  await press(form, "Create budget");
  await assertToast(page, "The budget of team Search is saved.");
  await assertText(row(page, "Team Search"), "goes to play from $20.00 on, then refuses");
  await page.getByRole("combobox", { name: /^Scope/ }).selectOption("team");
  await row(page, "The organization").waitFor({ state: "detached" });
  await page.reload();
  await row(page, "Team Search").waitFor();
  await assertGone(row(page, "The organization"), "what the address filters out");

  const { items } = (await owner.get("/budgets?scope=team")).body;
  const [{ id, scope, alerts, mode, soft, action }] = items;
  assert.deepEqual(
    { scope, alerts, mode, soft, action },
    { scope: { team: team.id }, alerts: [25, 75], mode: "strict", soft: "20.00", action: { downgrade: "play" } },
  );
}

async function makeBudgetOfTheKey(page, owner) {
  await page.goto(`${HOME}/budgets`);
  await press(page.locator(".page-head"), "Create budget");
  const form = dialog(page, "Create budget");
  await field(form, "For").selectOption("key");
  await assertText(form, KEY);
  await fill(form, { "Amount (USD)": "2" });
  await field(form, "Within").selectOption("day");
  await press(form, "Create budget");
  await assertToast(page, `The budget of key ${KEY} is saved.`);
  await assertText(row(page, `Key ${KEY}`), "$0.00 of $2.00");
  return (await owner.get("/budgets?scope=key")).body.items[0].id;
}

// Each call costs a dollar. Those before the gateway has heard of the budget count in no budget of the key.
async function spendAll(page, ask, budget, checkA11y, screenshot) {
  const refusal = await eventually("the budget refuses", async () => {
    const answer = await ask();
    assert.ok([200, 402].includes(answer.status), JSON.stringify(answer.body));
    return answer.status === 402 && answer;
  });
  assert.equal(refusal.body.error.code, "budget_exceeded");
  assert.match(refusal.body.error.message, new RegExp(KEY));
  await eventually("it is told as spent", async () => {
    await page.goto(`${HOME}/budgets`);
    const budget = row(page, `Key ${KEY}`);
    await budget.waitFor();
    return /\$2\.00 of \$2\.00 100% reached/.test((await budget.innerText()).replace(/\s+/g, " "));
  });
  await page.getByRole("combobox", { name: /^State/ }).selectOption("over");
  await row(page, "Team Search").waitFor({ state: "detached" });
  await page.getByRole("link", { name: `Key ${KEY}` }).click();
  await page.waitForURL(`**${HOME}/budgets/${budget}`);
  await assertHeading(page, `Key ${KEY}`);
  const stands = page.getByRole("region", { name: "How it stands" });
  await assertText(stands, "$2.00 of $2.00 spent");
  await assertText(stands, "50%, 80%, 100% of 50%, 80%, 100%");
  const told = page.getByRole("table", { name: "Alerts" });
  await eventually("every step is told", async () => {
    await page.reload();
    await told.waitFor();
    return (await told.getByRole("row").count()) === 4;
  });
  await assertText(row(told, "100%"), "$2.00 of $2.00");
  await checkA11y();
  await screenshot("spent");
}

async function callAgain(page, ask, budget) {
  await eventually("a call goes through again", async () => (await ask()).status === 200);
  await eventually("it counts", async () => {
    await page.goto(`${HOME}/budgets/${budget}`);
    const spent = page.locator(".budget-spent");
    await spent.waitFor();
    return /\$3\.00 of \$14\.50/.test(await spent.innerText());
  });
}

async function join(page, link) {
  await page.goto(link);
  await fill(page, { "Your name": JOAN.name, "Choose a password": JOAN.password });
  await press(page, "Join");
  await assertHeading(page, "Overview");
}

async function askForMore(page, budget, checkA11y, screenshot) {
  await go(page, "Budgets");
  await assertGone(page.locator(".nav-count"), "a count of what others decide");
  await page.getByRole("link", { name: `Key ${KEY}` }).click();
  await assertHeading(page, `Key ${KEY}`);
  await page.waitForURL(`**${HOME}/budgets/${budget}`);
  for (const action of ["Edit", "Delete", "Add for a while"]) {
    await assertGone(page.getByRole("button", { name: action, exact: true }), `"${action}" of a member`);
  }
  await press(page, "Ask for more");
  const form = dialog(page, "Ask for more");
  await press(form, "Ask");
  await errorAt(form, "How much more (USD)");
  await fill(form, { "How much more (USD)": "0", "What for": "a launch" });
  await press(form, "Ask");
  await errorAt(form, "How much more (USD)");
  await fill(form, { "How much more (USD)": "15" });
  await checkA11y(page);
  await screenshot("asking", page);
  await press(form, "Ask");
  await assertToast(page, "Those who may raise it are asked.");
  await assertText(row(page, JOAN.email), "a launch");
  await assertGone(page.getByRole("button", { name: "Approve", exact: true }), "deciding one's own request");
}

async function approve(page, owner, budget, checkA11y, screenshot) {
  await page.goto(`${HOME}/budgets`);
  await assertText(page.locator(".nav-count"), "1");
  await page.getByRole("link", { name: "Requests for more", exact: true }).click();
  const request = row(page, `Key ${KEY}`);
  await assertText(request, "$15.00");
  await checkA11y();
  await press(request, "Approve");
  const form = dialog(page, "Approve");
  await fill(form, { "How much more (USD)": "12.5", "Until the end of (UTC)": "2020-01-01" });
  await press(form, "Approve");
  assert.match(await errorAt(form, "Until the end of (UTC)"), /in the future/);
  await fill(form, { "Until the end of (UTC)": "2999-01-01" });
  await checkA11y();
  await press(form, "Approve");
  await assertToast(page, "$12.50 is added.");
  await assertText(request, "approved");
  await page.locator(".nav-count").waitFor({ state: "detached" });
  await screenshot("requests");
  const { increases } = (await owner.get(`/budgets/${budget}`)).body;
  assert.deepEqual(
    increases.map(({ amount, expires_at }) => [amount, expires_at]),
    [["12.50", "2999-01-02T00:00:00Z"]],
  );
}

async function endTheIncrease(page, owner, ask, budget, checkA11y) {
  await page.goto(`${HOME}/budgets/${budget}`);
  await assertHeading(page, `Key ${KEY}`);
  const increases = page.getByRole("table", { name: "Increases" });
  await assertText(row(increases, "$12.50"), "a launch");
  await checkA11y();
  await press(page, "End the increase of $12.50");
  await press(dialog(page, "End the increase of $12.50?"), "End increase");
  await page.getByText("Nothing is added to it at the moment.", { exact: true }).waitFor();
  await assertText(page.locator(".budget-spent"), "$3.00 of $2.00");
  await eventually("calls are refused again", async () => (await ask()).status === 402);
  await press(page, "Add for a while");
  const form = dialog(page, "Add for a while");
  await fill(form, { "How much more (USD)": "50", "What for": "a demonstration" });
  await press(form, "Add");
  await eventually("calls go through", async () => (await ask()).status === 200);
  await assertText(row(increases, "$50.00"), "a demonstration");
  assert.equal((await owner.get(`/budgets/${budget}`)).body.increases.length, 1);
}

async function limits(page, owner, checkA11y, screenshot) {
  await go(page, "Limits");
  await page.getByRole("heading", { name: "No limits yet", exact: true }).waitFor();
  await press(page.locator(".page-head"), "Create limit");
  const form = dialog(page, "Create limit");
  await press(form, "Create limit");
  await errorAt(form, "Requests a minute");
  await field(form, "For").selectOption("each_end_user");
  await fill(form, { "Requests a minute": "60", "Tokens a day": "1000000", "What counts as tokens (CEL)": "tokens.input +\n  4.0 * tokens.outptu" });
  await press(form, "Create limit");
  assert.match(await errorAt(form, "What counts as tokens (CEL)"), /Line 2, column 16/);
  await fill(form, { "What counts as tokens (CEL)": "tokens.input + 4.0 * tokens.output" });
  await form.getByRole("checkbox", { name: "In shadow: refuse nothing, only tell" }).check();
  await checkA11y();
  await screenshot("limit-form");
  await press(form, "Create limit");
  await assertToast(page, "The limit of each end user is saved.");
  const limit = row(page, "Each end user");
  for (const text of ["60 requests a minute", "1,000,000 tokens a day", "shadow"]) await assertText(limit, text);
  await checkA11y();
  await press(limit, "Edit the limit of each end user");
  const edit = dialog(page, "Limit of each end user");
  await fill(edit, { "Requests a minute": "90" });
  await press(edit, "Save");
  await assertText(limit, "90 requests a minute");
  const { items } = (await owner.get("/limits")).body;
  assert.deepEqual(
    items.map(({ scope, rpm, tpd, shadow }) => ({ scope, rpm, tpd, shadow })),
    [{ scope: { end_user: { each: true } }, rpm: 90, tpd: 1000000, shadow: true }],
  );
  await press(limit, "Delete the limit of each end user");
  await press(dialog(page, "Delete the limit of each end user?"), "Delete limit");
  await page.getByRole("heading", { name: "No limits yet", exact: true }).waitFor();
}

// Two requests a minute, and it is told in which limit's words.
async function limitOfTheKey(page, ask) {
  await press(page.locator(".page-head"), "Create limit");
  const form = dialog(page, "Create limit");
  await field(form, "For").selectOption("key");
  await assertText(form, KEY);
  await fill(form, { "Requests a minute": "2" });
  await press(form, "Create limit");
  await assertToast(page, `The limit of key ${KEY} is saved.`);
  await assertText(row(page, `Key ${KEY}`), "2 requests a minute");
  const refusal = await eventually("the limit refuses", async () => {
    const answer = await ask();
    return answer.status === 429 && answer;
  });
  assert.equal(refusal.body.error.code, "rate_limit_exceeded");
  assert.match(refusal.body.error.message, new RegExp(KEY));
}

async function tags(page, owner, checkA11y, screenshot) {
  await go(page, "Settings");
  const card = page.locator(".card").filter({ has: page.getByRole("heading", { name: "Tags", exact: true }) });
  await press(card, "Add tag");
  await fill(card, { Name: "not a name", Values: "apollo, gemini" });
  await press(card, "Save tags");
  await errorAt(card, "Name");
  await fill(card, { Name: "project" });
  await card.getByRole("checkbox", { name: "Required" }).check();
  await checkA11y();
  await screenshot("tags");
  await press(card, "Save tags");
  await assertToast(page, "The tags are saved.");
  const known = await eventually("the tag is kept", async () => (await owner.get("")).body.tags[0]);
  assert.deepEqual(known, { name: "project", required: true, values: ["apollo", "gemini"] });
}
