import assert from "node:assert/strict";

import { api, chat, make, makeSandbox, personal, signIn } from "../installation.mjs";
import { assertFields, assertHeading, assertText, assertToast, dialog, eventually, field, fill, go, press } from "../sight.mjs";

export const name = "a route is drawn, written, broken, mended, saved and called";

const SLUG = "routes";
const HOME = `/o/${SLUG}`;
const MODEL = "careful";

export async function run({ page, context, url, checkA11y, screenshot }) {
  const me = await signIn(context);
  await make(personal(context, me), "/organizations", { slug: SLUG, name: "Routes" });
  const organization = api(context, me, SLUG);
  await makeSandbox(organization, "first");
  await makeSandbox(organization, "second");

  await page.goto(`${HOME}/models/new`);
  await assertHeading(page, "New model");
  await draw(page, checkA11y);
  await screenshot("graph");
  await write(page, checkA11y, screenshot);
  await comment(page, checkA11y);
  await tryOut(page, checkA11y, screenshot);
  await leaveAndStay(page, checkA11y);
  await save(page, organization);
  await call(organization, url);
  await refusedByTheServer(page, checkA11y, screenshot);
  await byKeyboard(page);
}

// A node of the graph by what is read out for it.
function node(page, name) {
  return page.getByRole("tree", { name: "Route" }).getByRole("treeitem", { name });
}

async function chooseTarget(page, provider, model) {
  await field(page, "Provider").selectOption(provider);
  await fill(page, { "The provider's model": model });
}

// A fallback with a weighted part, made by the graph alone.
async function draw(page, checkA11y) {
  await fill(page, { Name: MODEL });
  await assertText(page.locator(".problems"), "2 problems");
  await chooseTarget(page, "first", "sandbox-small");
  await assertText(node(page, /sandbox-small/), "first $0.10 / $0.40");
  assert.equal(await page.locator(".problems h3").count(), 0, "nothing is wrong with it");

  await field(page, "Wrap in").selectOption("fallback");
  await node(page, /^New target/).click();
  await chooseTarget(page, "second", "sandbox-small");
  await page.getByRole("checkbox", { name: "timeout", exact: true }).check();
  await assertText(page.locator(".edge-label"), "on timeout");

  await node(page, /^sandbox-small first/).click();
  await field(page, "Wrap in").selectOption("weighted");
  await press(page, "Undo");
  assert.equal(await node(page, /^Weighted/).count(), 0, "it is taken back");
  await press(page, "Redo");
  await node(page, /^New target/).click();
  await chooseTarget(page, "first", "sandbox-large");
  await fill(page, { Weight: "3" });
  await assertText(page.locator(".edge-label"), "75 %");
  await assertText(page.locator(".edge-share"), "75 % of the requests");
  await fill(page, { Weight: "lots" });
  await assertText(page.locator(".problems"), "1 problem");
  await checkA11y();
  await page.locator(".problems").getByRole("button").click();
  await fill(page, { Weight: "1" });
  await assertText(page.locator(".edge-label"), "50 %");
}

async function write(page, checkA11y, screenshot) {
  await press(page, "YAML");
  const text = field(page, "Route as YAML");
  const good = await text.inputValue();
  assert.match(good, /^fallback:\n- weighted:\n/);
  assert.match(good, /weight: 1\n/);
  assert.match(good, /- on:\n {2}- timeout\n {2}route:\n {4}target: second\/sandbox-small\n/);

  const broken = good.replace("second/sandbox-small", "second");
  await text.fill(broken);
  await assertText(page.locator(".yaml-about"), "must be written provider/model");
  await assertText(page.locator(".yaml-about"), "Line 1");
  await checkA11y();
  await screenshot("broken");
  await press(page, "Graph");
  await assertText(page.locator(".route-card"), "The text cannot be read");
  assert.equal(await node(page, /second/).count(), 1, "the graph shows the last that could be read");
  await page.getByRole("button", { name: "Mend the text" }).click();
  assert.equal(await text.inputValue(), broken, "nothing that was typed is lost");

  await text.fill(good.replace("weight: 1\n", "weight: 9\n"));
  await assertText(page.locator(".yaml-about"), "the same route");
  await press(page, "Graph");
  await assertText(page.locator(".edge-label"), "90 %");
}

// A change in the graph would lose them, so nothing is changed there before somebody has said so.
async function comment(page, checkA11y) {
  await press(page, "YAML");
  const text = field(page, "Route as YAML");
  const good = await text.inputValue();
  const commented = good.replace("weight: 9\n", "weight: 9 # Since the outage.\n");
  await text.fill(commented);
  await assertText(page.locator(".yaml-about"), "Comments are not saved");
  await press(page, "Graph");
  await assertText(page.locator(".route-card"), "The text has comments");
  await node(page, /^sandbox-large/).click();
  assert.equal(await field(page, "Weight").isEditable(), false, "the graph is closed");
  await checkA11y();
  await press(page, "change the text");
  assert.equal(await text.inputValue(), commented, "nothing is lost");

  await press(page, "Graph");
  await press(page, "Remove the comments and change it here");
  await fill(page, { Weight: "2" });
  await fill(page, { Weight: "1" });
  await press(page, "YAML");
  assert.equal(await text.inputValue(), good);
  await press(page, "Graph");
}

// Nothing is saved yet, and nobody is called.
async function tryOut(page, checkA11y, screenshot) {
  await press(page, "Try a request");
  await press(page, "Try it");
  const answer = page.locator(".trial-answer");
  await assertText(answer, "Where it would go");
  await assertText(answer, "second/sandbox-small");
  await assertText(answer, "It is expected to cost");
  assert.equal(await page.locator(".node-order").count(), 3, "each target has its turn");
  assert.equal(await page.locator(".node.is-taken").count(), 3, "the way to the first choice is lit");
  await checkA11y();
  await screenshot("trial");
  await press(page, "Node");
}

async function leaveAndStay(page, checkA11y) {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Models", exact: true }).click();
  const question = dialog(page, "Leave without saving?");
  await question.waitFor();
  await checkA11y();
  await press(question, "Stay");
  await assertHeading(page, "New model");
  await assertText(page.locator(".edge-label"), "90 %");
}

async function save(page, organization) {
  await press(page, "Add model");
  await assertToast(page, `${MODEL} is saved.`);
  await assertHeading(page, MODEL);
  await assertText(page.locator(".save-bar"), "Everything is saved");
  const { items } = (await organization.get("/models?limit=200")).body;
  assert.deepEqual(items.find(({ name }) => name === MODEL).route, {
    fallback: [
      {
        weighted: [
          { weight: 9, route: { target: "first/sandbox-small" } },
          { weight: 1, route: { target: "first/sandbox-large" } },
        ],
      },
      { on: ["timeout"], route: { target: "second/sandbox-small" } },
    ],
  });
  await go(page, "Models");
  const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: MODEL }) });
  await assertText(row, "fallback of 3 targets");
  await row.getByRole("link", { name: MODEL }).click();
  await assertHeading(page, MODEL);
}

async function call(organization, url) {
  const { secret } = await make(organization, "/keys", { name: "careful", models: [MODEL] });
  await eventually("the model can be called", async () => (await chat(url, secret, MODEL)).status === 200);
}

// What only the server can know is shown at its node, and what was typed stays.
async function refusedByTheServer(page, checkA11y, screenshot) {
  await press(page, "YAML");
  const text = field(page, "Route as YAML");
  await text.fill((await text.inputValue()).replace("second/", "third/"));
  await press(page, "Save");
  await assertText(page.locator(".problems"), "There is no provider named third");
  await checkA11y();
  await press(page, "Graph");
  await page.locator(".problems").getByRole("button", { name: /third/ }).click();
  await assertText(page.locator(".node-panel"), "There is no provider named third");
  await screenshot("refused");
  await field(page, "Provider").selectOption("second");
  await press(page, "Save");
  await assertText(page.locator(".save-bar"), "Everything is saved");
}

async function byKeyboard(page) {
  await node(page, /^Fallback/).click();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const focused = node(page, /^sandbox-small first/);
  assert.ok(await focused.evaluate((element) => element === document.activeElement), "the focus follows the keys");
  await assertFields(page, { Weight: "9" });
  await page.keyboard.press("ArrowLeft");
  await assertText(page.locator(".node-panel"), "Weighted");
}
