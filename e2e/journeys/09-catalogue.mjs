// What is known of models: found, corrected for the own organization, and refreshed by a signed catalogue that somebody
// approves.

import assert from "node:assert/strict";
import { createPrivateKey, sign } from "node:crypto";
import { createServer } from "node:http";

import { ORGANIZATION, api, make, personal, signIn } from "../installation.mjs";
import {
  assertHeading,
  assertText,
  assertToast,
  dialog,
  errorAt,
  eventually,
  fill,
  press,
  row,
} from "../sight.mjs";

export const name = "a known model is found and corrected, and a signed catalogue is in force once it is approved";

const HOME = `/o/${ORGANIZATION.slug}`;

export async function run({ page, context, newVisitor, checkA11y, screenshot }) {
  const me = await signIn(context);
  const organization = api(context, me);
  await find(page, checkA11y, screenshot);
  await correct(page, organization, checkA11y, screenshot);
  await refresh(page, personal(context, me), organization, checkA11y, screenshot);
  await schedule(page, organization, checkA11y, screenshot);
  await othersMayNot(await newVisitor(), organization);
}

async function find(page, checkA11y, screenshot) {
  await page.goto(`${HOME}/catalog`);
  await assertHeading(page, "Catalogue");
  const filters = page.getByRole("search", { name: "Filters" });
  await filters.getByLabel("Name").fill("sonnet-4-5");
  await filters.getByLabel("Name").press("Enter");
  await filters.getByLabel("Kind").selectOption("anthropic");
  await eventually("only Anthropic's are left", async () => (await page.getByText("bedrock", { exact: true }).count()) === 1);
  await screenshot("found");
  await known(page, "claude-sonnet-4-5-20250929").getByTitle("Show the details").click();
  const drawer = dialog(page, "claude-sonnet-4-5-20250929");
  await assertText(drawer, "above 200,000 tokens of input");
  await assertText(drawer, "litellm");
  await checkA11y();
  await screenshot("entry");
  await page.keyboard.press("Escape");
  await filters.getByLabel("Name").fill("nothing is called so");
  await filters.getByLabel("Name").press("Enter");
  await page.getByText("No known model matches the filters.").waitFor();
}

async function correct(page, organization, checkA11y, screenshot) {
  await page.goto(`${HOME}/catalog?kind=openai&text=gpt-4o-2024-08-06`);
  await known(page, "gpt-4o-2024-08-06").getByTitle("Show the details").click();
  await press(dialog(page, "gpt-4o-2024-08-06"), "State own facts");
  const form = dialog(page, "Own facts of gpt-4o-2024-08-06");
  await fill(form, { "Context, in tokens": "8000", "Also called": "not a/../name" });
  await press(form, "Save");
  assert.match(await errorAt(form, "Also called"), /segments/);
  await fill(form, { "Also called": "our-gpt" });
  await form.getByLabel("vision").uncheck();
  await checkA11y();
  await screenshot("facts");
  await press(form, "Save");
  await assertToast(page, "Your own facts of gpt-4o-2024-08-06 are saved.");
  await assertText(known(page, "gpt-4o-2024-08-06"), "own facts");
  const { body } = await organization.get("/catalog/entry?kind=openai&model=our-gpt");
  assert.deepEqual([body.model, body.context, body.capabilities.includes("vision")], ["gpt-4o-2024-08-06", 8000, false]);
}

async function refresh(page, installation, organization, checkA11y, screenshot) {
  await page.goto(`${HOME}/catalog?view=refreshes`);
  await page.getByRole("heading", { name: "No refreshes yet" }).waitFor();
  const text = JSON.stringify({
    schema: 1,
    unit: "USD per token",
    as_of: "2026-11-03",
    source: "the journey",
    models: [
      { id: "echo", provider: "sandbox", mode: "chat", price: { in: 2e-7, out: 4e-7 }, deprecates: "2026-11-01" },
      { id: "sandbox-small", provider: "sandbox", mode: "chat", context: 1000000, max_output: 100000, price: { in: 1e-7, out: 4e-7 } },
      { id: "sandbox-large", provider: "sandbox", mode: "chat", context: 1000000, max_output: 100000, price: { in: 2.5e-6, out: 1e-5 } },
      { id: "sandbox-new", provider: "sandbox", mode: "chat" },
    ],
  });
  await press(page.locator(".page-head"), "Bring in a catalogue");
  const form = dialog(page, "Bring in a catalogue");
  await fill(form, { Document: text, Signature: "AAAA" });
  await press(form, "Bring in");
  assert.match(await errorAt(form, "Signature"), /no ed25519 signature/);
  await checkA11y();
  await screenshot("bring-in");
  await fill(form, { Signature: signature(text) });
  await press(form, "Bring in");
  const waiting = page.getByRole("dialog").filter({ hasText: "sandbox/sandbox-new" });
  await assertText(waiting, "price.input");
  await checkA11y();
  await screenshot("difference");
  assert.equal(await input(organization), "0.10");
  await press(waiting, "Approve");
  await waiting.waitFor({ state: "detached" });
  await page.getByText("approved", { exact: true }).waitFor();
  assert.equal(await input(organization), "0.20");
  await screenshot("refreshes");

  await make(organization, "/providers", { name: "parrots", kind: "sandbox" });
  await make(organization, "/models", { name: "parrot", route: { target: "parrots/echo" } });
  await page.goto(`${HOME}/models`);
  await assertText(row(page, "parrot"), "deprecated");
  await screenshot("models-warn");
  const { body } = await installation.get("/catalog/refreshes");
  assert.deepEqual(body.items.map((refresh) => refresh.state), ["approved"]);
}

// A publisher next door: what only adds is in force by itself, what cannot be fetched is told.
async function schedule(page, organization, checkA11y, screenshot) {
  const publisher = await startPublisher();
  const { body } = await organization.get("/catalog/entry?kind=sandbox&model=echo");
  assert.equal(body.price.rates.input, "0.20");
  publisher.publish(
    JSON.stringify({
      schema: 1,
      unit: "USD per token",
      as_of: "2026-11-04",
      source: "the publisher",
      models: [
        { id: "echo", provider: "sandbox", mode: "chat", price: { in: 2e-7, out: 4e-7 }, deprecates: "2026-11-01" },
        { id: "sandbox-small", provider: "sandbox", mode: "chat", context: 1000000, max_output: 100000, price: { in: 1e-7, out: 4e-7 } },
        { id: "sandbox-large", provider: "sandbox", mode: "chat", context: 1000000, max_output: 100000, price: { in: 2.5e-6, out: 1e-5 } },
        { id: "sandbox-new", provider: "sandbox", mode: "chat" },
        { id: "sandbox-scheduled", provider: "sandbox", mode: "chat" },
      ],
    }),
  );
  await page.goto(`${HOME}/catalog?view=refreshes`);
  const card = page.getByRole("region", { name: "Schedule" });
  await press(card, "Set a schedule");
  const form = dialog(page, "Schedule");
  await fill(form, { Address: "nowhere", Every: "1m" });
  await press(form, "Save");
  assert.match(await errorAt(form, "Every"), /from 5m to 30d/);
  assert.match(await errorAt(form, "Address"), /absolute http/);
  await fill(form, { Address: `${publisher.url}/models.json`, Every: "6h" });
  await form.getByLabel("Approved by itself").selectOption("additions");
  await checkA11y();
  await screenshot("schedule");
  await press(form, "Save");
  await assertText(card, "put in force");
  await assertText(card, "in 6 h");
  await assertText(page.getByRole("table", { name: "Refreshes" }), "the publisher");
  const added = await organization.get("/catalog/entry?kind=sandbox&model=sandbox-scheduled");
  assert.equal(added.status, 200);

  publisher.publish(null);
  await press(card, "Try now");
  await assertText(card, "the catalogue cannot be fetched: it answered with status 404");
  await assertText(card, "in 15 min");
  await checkA11y();
  await screenshot("schedule-failed");
  await press(card, "Stop");
  await press(dialog(page, "Stop fetching catalogues?"), "Stop");
  await assertToast(page, "No catalogue is fetched any more.");
  await card.getByRole("button", { name: "Set a schedule" }).waitFor();
  await publisher.stop();
}

// Serves one catalogue with its signature, or none.
async function startPublisher() {
  let text = null;
  const server = createServer((request, response) => {
    const answer = { "/models.json": () => text, "/models.json.sig": () => signature(text) }[request.url];
    if (!answer || text === null) return response.writeHead(404).end();
    response.writeHead(200).end(answer());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    publish: (published) => (text = published),
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

// Somebody who owns another organization only.
async function othersMayNot(page, organization) {
  const email = "somebody.else@acme.test";
  const { link } = await make(organization, "/invitations", { email, role: "viewer" });
  const token = new URL(link).hash.replace("#token=", "");
  const accepted = await page.request.post("/api/v1/invitations/accept", {
    data: { token, name: "Somebody Else", password: "tall-ships-and-star-charts" },
  });
  const me = await accepted.json();
  await make(personal(page.context(), me), "/organizations", { slug: "elsewhere", name: "Elsewhere" });
  await page.goto("/o/elsewhere/catalog?view=refreshes");
  await page.getByRole("heading", { name: "Not open to your role" }).waitFor();
}

// The row of exactly this model: many names hold another.
function known(page, model) {
  return page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: model, exact: true }) });
}

async function input(organization) {
  const { body } = await organization.get("/catalog/entry?kind=sandbox&model=echo");
  return body.price.rates.input;
}

// The half of the key that crates/xtask/src/servers/gatewright.rs does not tell the server.
function signature(text) {
  const head = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = createPrivateKey({ key: Buffer.concat([head, Buffer.alloc(32, 9)]), format: "der", type: "pkcs8" });
  return sign(null, Buffer.from(text), key).toString("base64");
}
