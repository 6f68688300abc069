import assert from "node:assert/strict";

import { ORGANIZATION, api, signIn } from "../installation.mjs";
import {
  assertGone,
  assertHeading,
  assertText,
  assertToast,
  dialog,
  eventually,
  field,
  fill,
  go,
  press,
  row,
} from "../sight.mjs";

export const name =
  "a key made in the dashboard calls a model, the request is accounted for, and the revoked key is refused";

const PROVIDER = "play";
const MODEL = "playful";
const KEY = "search-prod";
const HOME = `/o/${ORGANIZATION.slug}`;

export async function run({ page, context, url, checkA11y, screenshot }) {
  const me = await signIn(context);
  const organization = api(context, me);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });

  await addProvider(page, checkA11y);
  await addModel(page, checkA11y);
  const { secret, call } = await mintKey(page, checkA11y, screenshot);
  assert.equal(call.url, `${url}/v1/chat/completions`);
  assert.deepEqual(JSON.parse(call.body).model, MODEL);

  const response = await eventually("the new key works", async () => {
    const response = await fetch(call.url, { method: "POST", headers: call.headers, body: call.body });
    return response.status === 401 ? false : response;
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  assert.equal(answer.object, "chat.completion");
  assert.ok(answer.choices[0].message.content.length > 0);

  const { items: keys } = (await organization.get("/keys?limit=200")).body;
  const key = keys.find((key) => key.name === KEY);
  assert.equal(key.hint, secret.slice(-4));
  assert.ok(!JSON.stringify(keys).includes(secret), "no list tells a secret");

  const usage = await seeTheRequest(page, organization, key, answer, checkA11y, screenshot);
  assert.equal(usage.id, response.headers.get("x-gw-request-id"));
  await seeTheSums(page, organization, checkA11y, screenshot);
  await revoke(page, organization, key, call, checkA11y);
}

async function addProvider(page, checkA11y) {
  await page.goto(`${HOME}/providers`);
  await assertHeading(page, "Providers");
  await press(page.locator(".page-head"), "Add provider");
  const form = dialog(page, "Add provider");
  await field(form, "Kind").selectOption("sandbox");
  await fill(form, { Name: PROVIDER });
  await assertGone(field(form, "Base URL"), "the address of a provider that calls nobody");
  await checkA11y();
  await press(form, "Add provider");
  await assertToast(page, `${PROVIDER} is added.`);

  const card = page.getByRole("article").filter({ has: page.getByRole("heading", { name: PROVIDER }) });
  await press(card, "Test");
  await assertText(card.getByRole("status"), "works");
  await checkA11y();
}

async function addModel(page, checkA11y) {
  await go(page, "Models");
  await press(page.locator(".page-head"), "Add model");
  await assertHeading(page, "New model");
  await fill(page, { Name: MODEL, "The provider's model": "sandbox-small" });
  await field(page, "Provider").selectOption(PROVIDER);
  await assertText(page.locator(".target-facts"), "per million tokens");
  await checkA11y();
  await press(page, "Add model");
  await assertToast(page, `${MODEL} is saved.`);
  await assertHeading(page, MODEL);
  await go(page, "Models");
  await assertText(row(page, MODEL), `${PROVIDER}/sandbox-small`);
  await checkA11y();
}

// Gives the secret and the request that the shown curl line makes.
async function mintKey(page, checkA11y, screenshot) {
  await go(page, "API keys");
  await press(page.locator(".page-head"), "Create key");
  const form = dialog(page, "Create key");
  await fill(form, { Name: KEY });
  await field(form, "Expires").selectOption("30");
  await form.getByRole("checkbox", { name: MODEL, exact: true }).check();
  await checkA11y();
  await press(form, "Create key");

  const shown = dialog(page, "Your key");
  const secret = await shown.getByRole("group", { name: "Secret", exact: true }).innerText();
  assert.match(secret, /^gw-[A-Za-z0-9_-]{20,}$/);
  await checkA11y();
  await screenshot("secret");
  await shown.getByTitle("Copy: Secret").click();
  await assertText(shown.getByTitle("Copy: Secret"), "Copied");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);

  const code = shown.getByRole("group", { name: "Code", exact: true });
  const curl = await code.innerText();
  for (const language of ["Python", "TypeScript"]) {
    await press(shown, language);
    await assertText(code, secret);
  }
  await press(shown, "Done");
  await shown.waitFor({ state: "detached" });
  await assertText(row(page, KEY), `gw-…${secret.slice(-4)}`);
  assert.ok(!(await page.content()).includes(secret), "the secret is shown once");
  await page.reload();
  await row(page, KEY).waitFor();
  assert.ok(!(await page.content()).includes(secret), "the secret is shown once");
  await checkA11y();
  return { secret, call: requestOf(curl) };
}

// Reads a curl line as a shell would.
function requestOf(curl) {
  const words = [...curl.replaceAll("\\\n", " ").matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, one, two, bare]) => one ?? two ?? bare,
  );
  const values = (flag) => words.filter((_, index) => words[index - 1] === flag);
  const headers = Object.fromEntries(values("-H").map((header) => header.split(/:\s*/, 2)));
  assert.equal(words[0], "curl");
  return { url: words[1], headers, body: values("-d")[0] };
}

// Finds the one request of the key, on the page and by the API, which must tell the same.
async function seeTheRequest(page, organization, key, answer, checkA11y, screenshot) {
  await row(page, KEY)
    .getByRole("link", { name: `Requests of ${KEY}` })
    .click();
  await assertHeading(page, "Requests");
  const requests = page.getByRole("table", { name: "Requests" }).getByRole("row").filter({ hasText: MODEL });
  await eventually("the request is listed", async () => {
    if ((await requests.count()) > 0) return true;
    await press(page, "Refresh");
    return false;
  });
  assert.equal(
    await page.getByRole("combobox", { name: "Key", exact: true }).inputValue(),
    key.id,
    "the list is filtered by the key",
  );
  assert.equal(await requests.count(), 1);
  await checkA11y();

  const { items } = (await organization.get(`/usage?key=${key.id}`)).body;
  assert.equal(items.length, 1);
  const [usage] = items;
  const quantities = Object.fromEntries(usage.lines.map((line) => [line.unit, line.quantity]));
  assert.equal(usage.outcome, "complete");
  assert.equal(quantities.input_uncached, answer.usage.prompt_tokens);
  assert.equal(quantities.output_text, answer.usage.completion_tokens);

  await requests.first().getByTitle("Show the details").click();
  const drawer = dialog(page, "Request");
  await assertText(drawer, usage.id);
  await assertText(drawer, KEY);
  const lines = drawer.getByRole("table", { name: "Line items" });
  let sum = 0;
  for (const [unit, quantity] of [
    ["Input", quantities.input_uncached],
    ["Output", quantities.output_text],
  ]) {
    const cells = await row(lines, unit).getByRole("cell").allInnerTexts();
    const line = usage.lines.find((line) => line.quantity === quantity && line.unit.startsWith(unit.toLowerCase()));
    assert.equal(cells[0], String(quantity));
    assert.equal(cells[1], `$${line.price}`);
    sum += quantity * Number(line.price);
    assert.equal(dollars(cells[2]).toFixed(6), ((quantity * Number(line.price)) / 1e6).toFixed(6));
  }
  assert.equal(usage.cost.amount, trimmed((sum / 1e6).toFixed(9)));
  assert.equal(dollars(await drawer.locator(".total strong").innerText()), Number(usage.cost.amount));
  await checkA11y();
  await screenshot("request");
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  return usage;
}

async function seeTheSums(page, organization, checkA11y, screenshot) {
  await go(page, "Overview");
  await page.locator(".stat").first().waitFor();
  const stat = (label) => {
    const named = page.locator(".stat-label").getByText(label, { exact: true });
    return page.locator(".stat").filter({ has: named }).locator(".stat-value").innerText();
  };
  await eventually("the overview tells what the API tells", async () => {
    const now = Date.now();
    const [from, to] = [now - 86_400_000, now].map((moment) => new Date(moment).toISOString());
    const { totals } = (await organization.get(`/usage/series?from=${from}&to=${to}`)).body;
    assert.ok(totals.requests > 0 && Number(totals.cost) > 0);
    const told = [
      String(totals.requests),
      String(totals.input_tokens + totals.output_tokens),
      Number(totals.cost).toPrecision(3),
    ];
    const seen = [await stat("Requests"), await stat("Tokens"), dollars(await stat("Spend")).toPrecision(3)];
    if (seen.join() === told.join()) return true;
    await press(page, "Refresh");
    return false;
  });
  await assertText(row(page.getByRole("table", { name: "Top models by spend" }), MODEL), "$");
  await checkA11y();
  await screenshot("overview");
}

async function revoke(page, organization, key, call, checkA11y) {
  await go(page, "API keys");
  await press(row(page, KEY), `Revoke ${KEY}`);
  const question = dialog(page, `Revoke ${KEY}?`);
  await question.getByText("Programs that use this key are refused").waitFor();
  await checkA11y();
  await press(question, "Revoke key");
  await assertToast(page, `${KEY} is revoked.`);
  await assertText(row(page, KEY), "revoked");
  await assertGone(row(page, KEY).getByRole("button"), "what could be done to a revoked key");
  await checkA11y();
  assert.notEqual((await organization.get(`/keys/${key.id}`)).body.revoked_at, null);

  const response = await eventually("the revoked key is refused", async () => {
    const response = await fetch(call.url, { method: "POST", headers: call.headers, body: call.body });
    return response.status === 200 ? false : response;
  });
  const { error } = await response.json();
  assert.deepEqual([response.status, error.code], [401, "invalid_api_key"]);
}

function dollars(text) {
  assert.match(text, /^\$[0-9,.]+$/);
  return Number(text.replace(/[$,]/g, ""));
}

function trimmed(decimal) {
  return decimal.replace(/\.?0+$/, "");
}
