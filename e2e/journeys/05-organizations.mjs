import assert from "node:assert/strict";

import { ORGANIZATION, api, apiOfToken, make, personal, signIn } from "../installation.mjs";
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
  "organizations share nothing, the audit log tells what was done in each, and a control token works in its own";

const SECOND = { name: "Bell Labs", slug: "bell-labs" };

export async function run({ page, context, url, checkA11y, screenshot }) {
  const me = await signIn(context);
  const first = api(context, me);
  const second = api(context, me, SECOND.slug);
  const { key } = await make(first, "/keys", { name: "acme-only" });

  await createOrganization(page, checkA11y);
  await nothingOfTheOther(page, first, second, key, checkA11y);
  await switchBackAndForth(page);
  await mintToken(page, second, url, checkA11y, screenshot);
  await readTheAuditLog(page, second, checkA11y, screenshot);
  await rename(page, context, me);
  await deleteOrganization(page, context, me, checkA11y);
}

async function createOrganization(page, checkA11y) {
  await page.goto("/");
  await page.waitForURL(`**/o/${ORGANIZATION.slug}/overview`);
  await openMenu(page, ORGANIZATION.name);
  await checkA11y();
  await press(page, "New organization");
  const form = dialog(page, "Create organization");
  await fill(form, { Name: SECOND.name, "Short name": ORGANIZATION.slug });
  await press(form, "Create organization");
  await errorAt(form, "Short name");
  await fill(form, { "Short name": SECOND.slug });
  await checkA11y();
  await press(form, "Create organization");
  await page.waitForURL(`**/o/${SECOND.slug}/overview`);
  await assertHeading(page, "Overview");
  await page.getByRole("heading", { name: "No requests in the last 24 hours" }).waitFor();
  assert.equal(await page.title(), `Overview · ${SECOND.name} · Gatewright`);
  await checkA11y();
}

async function nothingOfTheOther(page, first, second, key, checkA11y) {
  for (const [place, heading, empty] of [
    ["keys", "API keys", "No keys yet"],
    ["models", "Models", "No models yet"],
    ["providers", "Providers", "No providers yet"],
    ["teams", "Teams", "No teams yet"],
    ["usage", "Requests", "No requests"],
    ["tokens", "Control tokens", "No control tokens yet"],
  ]) {
    await page.goto(`/o/${SECOND.slug}/${place}`);
    await assertHeading(page, heading);
    await page.getByRole("heading", { name: empty, exact: true }).waitFor();
    await assertText(page.getByRole("button", { name: /^Organization:/ }), SECOND.name);
    await checkA11y();
  }
  const theirs = await second.get(`/keys/${key.id}`);
  assert.deepEqual([theirs.status, theirs.body.error.code], [404, "not_found"]);
  assert.equal((await second.delete(`/keys/${key.id}`)).status, 404);
  assert.equal((await first.get(`/keys/${key.id}`)).body.revoked_at, null);

  await make(second, "/keys", { name: "bell-only" });
  assert.deepEqual(
    (await second.get("/keys")).body.items.map(({ name }) => name),
    ["bell-only"],
  );
}

async function switchBackAndForth(page) {
  await openMenu(page, SECOND.name);
  await page.getByRole("link", { name: new RegExp(ORGANIZATION.name) }).click();
  await page.waitForURL(`**/o/${ORGANIZATION.slug}/overview`);
  await go(page, "API keys");
  await row(page, "acme-only").waitFor();
  await assertGone(row(page, "bell-only"), "the other organization's key");

  await page.goto(`/o/${SECOND.slug}/keys`);
  await row(page, "bell-only").waitFor();
  await assertGone(row(page, "acme-only"), "the other organization's key");
  await page.reload();
  await row(page, "bell-only").waitFor();
  await page.goBack();
  await row(page, "acme-only").waitFor();
  await assertText(page.getByRole("button", { name: /^Organization:/ }), ORGANIZATION.name);

  await page.goto("/o/nobody-has-this/keys");
  await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
}

async function mintToken(page, second, url, checkA11y, screenshot) {
  await page.goto(`/o/${SECOND.slug}/tokens`);
  await assertHeading(page, "Control tokens");
  await press(page.locator(".page-head"), "Create token");
  const form = dialog(page, "Create control token");
  await fill(form, { Name: "ci" });
  await field(form, "Role").selectOption("admin");
  await checkA11y();
  await press(form, "Create token");
  const made = dialog(page, "Your token");
  const token = await made.getByRole("group", { name: "Secret", exact: true }).innerText();
  assert.match(token, /^gwt-\S{20,}$/);
  await checkA11y();
  await screenshot("token");
  await press(made, "Done");
  await assertText(row(page, "ci"), `gwt-…${token.slice(-4)}`);
  assert.ok(!(await page.content()).includes(token), "the token is shown once");
  await checkA11y();

  const program = apiOfToken(url, token, SECOND.slug);
  const { status, body } = await program.get("/configuration");
  assert.deepEqual([status, body.organization], [200, SECOND.slug]);
  assert.equal((await apiOfToken(url, token).get("/keys")).status, 404, "another organization is none of its business");
  await make(program, "/teams", { name: "made by ci" });

  await press(row(page, "ci"), "Delete ci");
  await press(dialog(page, "Delete ci?"), "Delete token");
  await assertToast(page, "ci is deleted.");
  await page.getByRole("heading", { name: "No control tokens yet" }).waitFor();
  assert.equal((await program.get("/keys")).status, 401);
  assert.deepEqual((await second.get("/tokens")).body.items, []);
}

async function readTheAuditLog(page, second, checkA11y, screenshot) {
  await go(page, "Audit log");
  const entries = page.getByRole("table", { name: "Audit log" });
  const actions = async () =>
    (await entries.locator("td[data-label=Action]").allInnerTexts()).map((text) => text.trim());
  await entries.waitFor();
  const { items } = (await second.get("/audit")).body;
  assert.deepEqual(
    await actions(),
    items.map(({ action }) => action),
  );
  for (const action of ["organization.create", "key.create", "token.create", "team.create", "token.delete"]) {
    assert.ok((await actions()).includes(action), action);
  }
  await checkA11y();
  await screenshot("audit");

  await fill(page, { Action: "team.create" });
  await field(page, "Action").press("Enter");
  await eventually("only the one action is listed", async () => (await actions()).join() === "team.create");
  assert.equal(new URL(page.url()).search, "?action=team.create");
  await page.reload();
  await entries.waitFor();
  assert.deepEqual(await actions(), ["team.create"]);
  await assertText(entries, "ci");
  await entries.getByTitle("Show the details").click();
  const drawer = dialog(page, "Team create");
  await assertText(drawer, "made by ci");
  await assertText(drawer, "127.0.0.1");
  await checkA11y();
  await screenshot("entry");
  await press(drawer, "Close");
  await drawer.waitFor({ state: "detached" });
  await press(page, "Clear");
  await eventually("everything is listed again", async () => (await actions()).length === items.length);

  await fill(page, { Action: "nothing.like.this" });
  await field(page, "Action").press("Enter");
  await page.getByRole("heading", { name: "No entries" }).waitFor();
}

async function rename(page, context, me) {
  await page.goto(`/o/${SECOND.slug}/settings`);
  await assertHeading(page, "Settings");
  await fill(page, { Name: "Bell Laboratories" });
  await press(page, "Save");
  await assertToast(page, "The organization is called Bell Laboratories now.");
  await assertText(page.getByRole("button", { name: /^Organization:/ }), "Bell Laboratories");
  const { body } = await personal(context, me).get(`/organizations/${SECOND.slug}`);
  assert.equal(body.name, "Bell Laboratories");
}

async function deleteOrganization(page, context, me, checkA11y) {
  await press(page, "Delete organization…");
  const question = dialog(page, "Delete Bell Laboratories?");
  await fill(question, { Confirmation: "bell" });
  await press(question, "Delete organization");
  assert.equal(await errorAt(question, "Confirmation"), "Does not match");
  await checkA11y();
  await fill(question, { Confirmation: SECOND.slug });
  await press(question, "Delete organization");
  await page.waitForURL(`**/o/${ORGANIZATION.slug}/overview`);
  await assertToast(page, "Bell Laboratories is deleted.");
  assert.equal((await personal(context, me).get(`/organizations/${SECOND.slug}`)).status, 404);
}

async function openMenu(page, current) {
  await page.getByRole("button", { name: `Organization: ${current}` }).click();
  await page.getByText("Organizations", { exact: true }).waitFor();
}
