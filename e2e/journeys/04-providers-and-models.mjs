import assert from "node:assert/strict";

import { ORGANIZATION, api, chat, make, signIn } from "../installation.mjs";
import {
  assertFields,
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
import { USED, startUpstream } from "../upstream.mjs";

export const name =
  "a provider with a wrong address or key is told apart from one that works, and an unpriced model gets a price";

const HOME = `/o/${ORGANIZATION.slug}`;
const PROVIDER = "next-door";
const UPSTREAM_MODEL = "neighbour-1";
const MODEL = "neighbour";

export async function run({ page, context, url, checkA11y, screenshot }) {
  const organization = api(context, await signIn(context));
  const upstream = await startUpstream(UPSTREAM_MODEL);
  try {
    await page.goto(`${HOME}/providers`);
    await assertHeading(page, "Providers");
    await addProvider(page, upstream, checkA11y);
    await testProvider(page, upstream, checkA11y, screenshot);
    await sayHowItIsReached(page, checkA11y);
    await sayWhenItIsLeftAlone(page, organization, checkA11y);
    await addModelWithoutPrice(page, organization, checkA11y);
    await call(organization, url, null);
    await setPrice(page, organization, checkA11y, screenshot);
    // 1000 tokens for 3 dollars a million, being more than 900, and 200 for 10: 0.003 and 0.002.
    await call(organization, url, "0.005");
    await voidAnswersOfATag(page, organization, checkA11y);
    await aUsedProviderStays(page, organization, checkA11y);
  } finally {
    await upstream.stop();
  }
}

async function addProvider(page, upstream, checkA11y) {
  await press(page.locator(".page-head"), "Add provider");
  const form = dialog(page, "Add provider");
  await field(form, "Kind").selectOption("openai-compatible");
  await fill(form, { Name: PROVIDER, "API key": "sk-first" });
  await press(form, "Add provider");
  assert.equal(await errorAt(form, "Base URL"), "Is required");
  for (const [address, error] of [
    ["models.example.com/v1", /absolute http or https URL/],
    ["ftp://models.example.com", /absolute http or https URL/],
    ["https://user:secret@models.example.com/v1", /user name/],
    ["http://169.254.169.254/v1", /may not have/],
  ]) {
    await fill(form, { "Base URL": address });
    await press(form, "Add provider");
    assert.match(await errorAt(form, "Base URL"), error, address);
    await assertFields(form, { Kind: "openai-compatible", Name: PROVIDER, "Base URL": address, "API key": "sk-first" });
  }
  await checkA11y();
  // Without the /v1: a real address, but not the one that answers.
  await fill(form, { "Base URL": upstream.url });
  await press(form, "Add provider");
  await assertToast(page, `${PROVIDER} is added.`);
}

async function testProvider(page, upstream, checkA11y, screenshot) {
  const card = page.getByRole("article").filter({ has: page.getByRole("heading", { name: PROVIDER }) });
  const result = row(card, "default");
  await assertText(card, upstream.url);
  await press(card, "Test");
  await assertText(result, "unexpected answer 404");

  await press(card, `Edit ${PROVIDER}`);
  const edit = dialog(page, `Edit ${PROVIDER}`);
  await assertFields(edit, { "Base URL": upstream.url });
  await fill(edit, { "Base URL": `${upstream.url}/v1` });
  await press(edit, "Save");
  await assertToast(page, `${PROVIDER} is saved.`);
  await press(card, "Test");
  await assertText(result, "works 200");
  await checkA11y();

  upstream.changeKey("sk-second");
  await press(card, "Test");
  await assertText(result, "refused 401");
  await press(card, "Add credential");
  const form = dialog(page, `Add a credential to ${PROVIDER}`);
  await fill(form, { Name: "second", "API key": "sk-second", Weight: "2" });
  await checkA11y();
  await press(form, "Add credential");
  await assertToast(page, "second is added.");
  await press(card, "Test");
  await assertText(row(card, "second"), "works 200");
  await assertText(result, "refused 401");
  await screenshot("tested");
  await press(result, "Remove default");
  await press(dialog(page, `Remove default from ${PROVIDER}?`), "Remove credential");
  await result.waitFor({ state: "detached" });
  await checkA11y();
  assert.ok(!(await page.content()).includes("sk-second"), "a provider's secret never comes back");
}

async function sayWhenItIsLeftAlone(page, organization, checkA11y) {
  const card = page.getByRole("article").filter({ has: page.getByRole("heading", { name: PROVIDER }) });
  await press(card, `Edit ${PROVIDER}`);
  const edit = dialog(page, `Edit ${PROVIDER}`);
  await edit.getByText("Breaker", { exact: true }).click();
  await assertFields(edit, { "Opens at, in percent": "50", "Calls at least": "10", Within: "30s", "Left alone for": "15s" });
  await fill(edit, { "Opens at, in percent": "1.5", Within: "soon" });
  await press(edit, "Save");
  assert.match(await errorAt(edit, "Opens at, in percent"), /Must be a whole number/);
  assert.match(await errorAt(edit, "Within"), /duration like/);
  await fill(edit, { "Opens at, in percent": "101", "Calls at least": "0", Within: "1ms", "Left alone for": "0s" });
  await press(edit, "Save");
  await eventually("the server refuses it", async () => /from 1 to 100/.test(await errorAt(edit, "Opens at, in percent")));
  assert.match(await errorAt(edit, "Calls at least"), /1 at least/);
  assert.match(await errorAt(edit, "Within"), /100ms at least/);
  assert.match(await errorAt(edit, "Left alone for"), /longer than nothing/);
  await checkA11y();
  await fill(edit, { "Opens at, in percent": "30", "Calls at least": "20", Within: "1m", "Left alone for": "5s" });
  await press(edit, "Save");
  await edit.waitFor({ state: "detached" });
  await assertText(card, "left alone at 30 % of 20 calls failing within 1m");
  const { items } = (await organization.get("/providers?limit=200")).body;
  const { breaker } = items.find(({ name }) => name === PROVIDER);
  assert.deepEqual(breaker, { error_rate: 30, min_requests: 20, window: "1m", open_for: "5s" });
}

async function sayHowItIsReached(page, checkA11y) {
  const card = page.getByRole("article").filter({ has: page.getByRole("heading", { name: PROVIDER }) });
  const edited = async () => {
    await press(card, `Edit ${PROVIDER}`);
    return dialog(page, `Edit ${PROVIDER}`);
  };
  let edit = await edited();
  await edit.getByText("Network", { exact: true }).click();
  await edit.getByText("Timeouts", { exact: true }).click();
  await fill(edit, { "User name at the proxy": "gateway", "Private authorities": "no certificate", "First token": "30s" });
  await press(edit, "Save");
  assert.equal(await errorAt(edit, "Proxy"), "Is required with a user name");
  await fill(edit, { Proxy: "http://169.254.169.254:3128" });
  await press(edit, "Save");
  assert.match(await errorAt(edit, "Proxy"), /may not have/);
  assert.match(await errorAt(edit, "Private authorities"), /in PEM/);
  assert.match(await errorAt(edit, "Password at the proxy"), /required/);
  await checkA11y();
  const proxy = "http://127.0.0.1:9";
  await fill(edit, { Proxy: proxy, "Password at the proxy": "canary-password", "Private authorities": "" });
  await press(edit, "Save");
  await edit.waitFor({ state: "detached" });
  await assertText(card, `timeouts: first token 30s · through ${proxy}`);
  await press(card, "Test");
  await assertText(row(card, "second"), "unreachable");

  edit = await edited();
  await assertFields(edit, { Proxy: proxy, "User name at the proxy": "gateway", "Password at the proxy": "" });
  assert.ok(!(await page.content()).includes("canary-password"), "a proxy's password never comes back");
  await fill(edit, { Proxy: "", "User name at the proxy": "" });
  await press(edit, "Save");
  await assertText(card, "timeouts: first token 30s · added");
  await press(card, "Test");
  await assertText(row(card, "second"), "works 200");
}

async function addModelWithoutPrice(page, organization, checkA11y) {
  await go(page, "Models");
  await press(page.locator(".page-head"), "Add model");
  await assertHeading(page, "New model");
  await fill(page, { Name: MODEL, "The provider's model": UPSTREAM_MODEL });
  await field(page, "Provider").selectOption(PROVIDER);
  await assertText(page.locator(".target-facts"), "unpriced");
  await page.getByText("Timeouts", { exact: true }).click();
  await fill(page, { Connect: "soon" });
  await press(page, "Add model");
  await errorAt(page, "Connect");
  await checkA11y();
  await page.getByText("Answers", { exact: true }).click();
  await field(page, "Answers name").selectOption("requested");
  await fill(page, { Connect: "2s" });
  await press(page, "Add model");
  await assertToast(page, `${MODEL} is saved.`);
  await go(page, "Models");
  await assertText(row(page, MODEL), "unpriced");
  await assertText(row(page, MODEL), "connect 2s");
  await checkA11y();
  const made = await model(organization);
  assert.deepEqual(made.price, { state: "unpriced" });
  assert.equal(made.shown_model, "requested");
}

async function setPrice(page, organization, checkA11y, screenshot) {
  await page.getByRole("link", { name: "Own prices", exact: true }).click();
  await page.waitForURL(`**${HOME}/models?view=prices`);
  await press(page.locator(".page-head"), "Set price");
  const form = dialog(page, "Set price");
  await field(form, "Provider").selectOption(PROVIDER);
  await fill(form, { "The provider's model": UPSTREAM_MODEL });
  await press(form, "Set price");
  await errorAt(form, "Input");
  await fill(form, { Input: "2", Output: "ten" });
  await press(form, "Set price");
  await errorAt(form, "Output");
  await assertFields(form, { Input: "2", Output: "ten" });
  await checkA11y();
  await fill(form, { Output: "10" });
  await sayOtherTiers(form, checkA11y);
  await press(form, "Set price");
  await assertToast(page, `The price of ${UPSTREAM_MODEL} is set.`);
  await assertText(row(page, UPSTREAM_MODEL), "$2.00 in · $10.00 out · 3 other tiers");
  await checkA11y();
  const [price] = (await organization.get("/prices?limit=200")).body.items.filter(
    ({ model }) => model === UPSTREAM_MODEL,
  );
  assert.deepEqual(price.tiers, [{ above_input_tokens: 900, rates: { input: "3.00" } }]);
  assert.deepEqual(price.service_tiers, [
    {
      service_tier: "flex",
      rates: { input: "1.00", output: "5.00" },
      tiers: [{ above_input_tokens: 200000, rates: { input: "2.50" } }],
    },
  ]);

  await page
    .getByRole("navigation", { name: "Models, prices and health" })
    .getByRole("link", { name: "Models", exact: true })
    .click();
  await assertText(row(page, MODEL), "$2.00 in · $10.00 out");
  await screenshot("models");
  const { price: current } = await model(organization);
  assert.equal(current.state, "priced");
  assert.deepEqual([current.rates.input, current.rates.output].map(Number), [2, 10]);
}

// What is wrong is said with its line, and nothing of a line is passed over.
async function sayOtherTiers(form, checkA11y) {
  await form.getByText("Other units", { exact: true }).click();
  for (const [lines, error] of [
    ["above 900", "Line 1: write tier: input 1, output 2"],
    ["above 900: input 3\nflex: input 1, output5", "Line 2: write a unit and its price, such as input 1"],
    ["above 900: input 3, input 4", "Line 1: input is given twice: give it once"],
    ["above 900: tokens 3", /^Line 1: unknown field `tokens`/],
    ["above 900: input three", /^Line 1: /],
    ["above many: input 3", "Line 1: above how many tokens?"],
    [": input 3", "Line 1: name the tier"],
    ["slow: input 3", /^Line 1: /],
    ["flex above 200000: input 2", "Line 1: give the tier's usual price in a line before"],
  ]) {
    await fill(form, { "Other tiers": lines });
    await press(form, "Set price");
    const told = await eventually(`${lines} is refused`, async () => {
      const told = await errorAt(form, "Other tiers");
      return (error instanceof RegExp ? error.test(told) : told === error) ? told : false;
    });
    assert.ok(told);
  }
  await checkA11y();
  await fill(form, { "Other tiers": "above 900: input 3\nabove 900: input 4" });
  await press(form, "Set price");
  await assertText(form.locator(".form-message"), "tiers[1].above_input_tokens");
  await fill(form, {
    "Other tiers": "above 900: input 3\n\nflex: input 1, output 5\nflex above 200000: input 2.5",
  });
}

async function model(organization) {
  const { items } = (await organization.get("/models?limit=200")).body;
  return items.find((model) => model.name === MODEL);
}

// Makes a request; it costs this, or nothing is known about its cost.
async function call(organization, url, cost) {
  const { secret, key } = await make(organization, "/keys", { name: `neighbour at ${cost}`, models: [MODEL] });
  const answer = await eventually("the model can be called", async () => {
    const answer = await chat(url, secret, MODEL);
    return answer.status === 200 && answer.headers.get("x-gw-cost-usd") === (cost ?? "unpriced") ? answer : false;
  });
  assert.equal(answer.body.choices[0].message.content, "From next door.");
  assert.equal(answer.body.model, MODEL);
  const id = answer.headers.get("x-gw-request-id");
  const usage = await eventually("the request is accounted for", async () =>
    (await organization.get(`/usage?key=${key.id}`)).body.items.find((usage) => usage.id === id),
  );
  const quantities = usage.lines.map(({ unit, quantity }) => [unit, quantity]);
  assert.deepEqual(quantities, [
    ["input_uncached", USED.prompt_tokens],
    ["output_text", USED.completion_tokens],
  ]);
  assert.equal(usage.cost?.amount ?? null, cost);
}

async function voidAnswersOfATag(page, organization, checkA11y) {
  await press(page.locator(".page-head"), "Void kept answers");
  const form = dialog(page, "Void kept answers");
  await press(form, "Void answers");
  assert.equal(await errorAt(form, "Tag"), "Is required");
  await checkA11y();
  await fill(form, { Tag: "project", Value: "apollo" });
  await press(form, "Void answers");
  await assertToast(page, "What was kept of them is void.");
  const { items } = (await organization.get("/audit?action=cache.purge")).body;
  assert.deepEqual(items[0].detail, { of: { tag: { name: "project", value: "apollo" } } });
}

async function aUsedProviderStays(page, organization, checkA11y) {
  await go(page, "Providers");
  await press(page, `Delete ${PROVIDER}`);
  const question = dialog(page, `Delete ${PROVIDER}?`);
  await press(question, "Delete provider");
  await assertText(question.locator(".form-message"), MODEL);
  await checkA11y();
  await press(question, "Cancel");
  await question.waitFor({ state: "detached" });
  const { items } = (await organization.get("/providers?limit=200")).body;
  assert.ok(items.some((provider) => provider.name === PROVIDER));
}
