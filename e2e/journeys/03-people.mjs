import assert from "node:assert/strict";

import { ORGANIZATION, OWNER, api, make, makeSandbox, personal, signIn } from "../installation.mjs";
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
  press,
  row,
} from "../sight.mjs";

export const name =
  "an invited viewer reads and changes nothing, a change of role opens more, and a session can be ended from another";

const HOME = `/o/${ORGANIZATION.slug}`;
const GRACE = { name: "Grace Hopper", email: "grace@acme.test", password: "a-compiler-for-everyone" };
const KEY = "people-key";
// Of another browser, so that its session is told apart from the first.
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

export async function run({ page, context, newVisitor, checkA11y, screenshot }) {
  const me = await signIn(context);
  const owner = api(context, me);
  await makeSandbox(owner, "people");
  await make(owner, "/teams", { name: "People team" });
  await make(owner, "/keys", { name: KEY });

  const link = await invite(page, owner, checkA11y);
  const visitor = await newVisitor();
  await accept(visitor, link, checkA11y, screenshot);
  const grace = await (await visitor.context().request.get("/api/v1/session")).json();
  assert.deepEqual(
    grace.memberships.map(({ organization, role }) => [organization.slug, role]),
    [[ORGANIZATION.slug, "viewer"]],
  );

  await aViewerSeesNothingToChange(visitor, checkA11y, screenshot);
  await theServerRefusesAViewer(api(visitor.context(), grace));
  await becomeAMember(page, visitor, grace, owner, checkA11y);
  await endTheOtherSession(page, context, me, newVisitor, checkA11y, screenshot);
}

// Gives the link that the owner is shown.
async function invite(page, owner, checkA11y) {
  await page.goto(`${HOME}/members`);
  await assertHeading(page, "Members");
  await press(page, "Invite");
  const form = dialog(page, "Invite somebody");
  await fill(form, { "E-mail": "grace" });
  await press(form, "Make invitation");
  await errorAt(form, "E-mail");
  await fill(form, { "E-mail": GRACE.email });
  await field(form, "Role").selectOption("viewer");
  await checkA11y();
  await press(form, "Make invitation");

  const link = await form.getByRole("group", { name: "Invitation link" }).innerText();
  assert.match(link, /\/invitation#token=.{20,}$/);
  await checkA11y();
  await press(form, "Done");
  const invitations = page.getByRole("table", { name: "Open invitations" });
  await assertText(row(invitations, GRACE.email), "viewer");
  await checkA11y();
  const { items } = (await owner.get("/invitations")).body;
  assert.deepEqual(
    items.filter(({ email }) => email === GRACE.email).map(({ role }) => role),
    ["viewer"],
  );
  assert.ok(!JSON.stringify(items).includes(link.split("token=")[1]), "the list does not tell the link");
  return link;
}

async function accept(page, link, checkA11y, screenshot) {
  await page.goto(link);
  await assertHeading(page, "Join an organization");
  for (const text of [ORGANIZATION.name, "viewer", GRACE.email]) await assertText(page.locator(".facts"), text);
  await fill(page, { "Your name": GRACE.name, "Choose a password": "short" });
  await press(page, "Join");
  assert.match(await errorAt(page, "Choose a password"), /10 characters/);
  await checkA11y(page);
  await screenshot("invitation", page);
  await fill(page, { "Choose a password": GRACE.password });
  await press(page, "Join");
  await assertHeading(page, "Overview");
  await page.waitForURL(`**${HOME}/overview`);
}

async function aViewerSeesNothingToChange(page, checkA11y, screenshot) {
  const navigation = page.getByRole("navigation", { name: "Main" });
  assert.deepEqual(await navigation.getByRole("link").allInnerTexts(), [
    "Overview",
    "Requests",
    "API keys",
    "Models",
    "Catalogue",
    "Providers",
    "Budgets",
    "Limits",
    "Chargeback",
    "Teams",
    "Members",
    "Settings",
  ]);
  for (const [place, heading, action, needed] of [
    ["keys", "API keys", "Create key", "member"],
    ["models", "Models", "Add model", "admin"],
    ["providers", "Providers", "Add provider", "admin"],
    ["teams", "Teams", "Create team", "admin"],
    ["members", "Members", "Invite", "admin"],
  ]) {
    await navigation.getByRole("link", { name: heading, exact: true }).click();
    await assertHeading(page, heading);
    await page.locator(".table, .provider, .panel").first().waitFor();
    const button = page.locator(".page-head").getByRole("button", { name: action });
    assert.equal(await button.getAttribute("aria-disabled"), "true", `${action} on ${place}`);
    assert.equal(await button.getAttribute("title"), `Your role here is viewer; this needs ${needed}.`);
    await button.click({ force: true });
    await assertGone(page.getByRole("dialog"), `a form behind "${action}"`);
    await assertGone(
      page.locator("td.actions button, .card-actions button, td select"),
      `something to change on ${place}`,
    );
    await checkA11y(page);
  }
  await navigation.getByRole("link", { name: "Settings", exact: true }).click();
  await assertHeading(page, "Settings");
  await assertGone(page.getByRole("button", { name: "Delete organization…" }), "the button that deletes everything");
  await assertGone(page.getByRole("button", { name: "Save" }), "the form that renames");

  for (const [place, heading] of [
    ["audit", "Audit log"],
    ["tokens", "Control tokens"],
  ]) {
    await page.goto(`${HOME}/${place}`);
    await assertHeading(page, heading);
    await page.getByRole("heading", { name: "Not open to your role" }).waitFor();
    await page.getByText("Your role here is viewer; this needs admin.").waitFor();
    await checkA11y(page);
  }
  await screenshot("closed", page);
}

async function theServerRefusesAViewer(viewer) {
  for (const [path, data] of [
    ["/keys", { name: "sneaked in" }],
    ["/teams", { name: "sneaked in" }],
    ["/providers", { name: "sneaked-in", kind: "sandbox" }],
    ["/invitations", { email: "mallory@acme.test", role: "viewer" }],
    ["/tokens", { name: "sneaked in", role: "viewer" }],
  ]) {
    const { status, body } = await viewer.post(path, data);
    assert.deepEqual([status, body.error.code], [403, "forbidden"], `POST ${path}`);
  }
  for (const path of ["/audit", "/tokens", "/configuration"]) assert.equal((await viewer.get(path)).status, 403, path);
  assert.equal((await viewer.delete("")).status, 403);
  assert.equal((await viewer.get("/keys")).status, 200);
}

async function becomeAMember(page, visitor, grace, owner, checkA11y) {
  await page.reload();
  const select = page.getByLabel(`Role of ${GRACE.name}`);
  assert.equal(await select.inputValue(), "viewer");
  await select.selectOption("member");
  await assertToast(page, `${GRACE.name} is member from now on.`);
  await checkA11y();
  const { items } = (await owner.get("/members")).body;
  assert.equal(items.find(({ email }) => email === GRACE.email).role, "member");

  await visitor.goto(`${HOME}/keys`);
  await assertHeading(visitor, "API keys");
  await press(visitor.locator(".page-head"), "Create key");
  const form = dialog(visitor, "Create key");
  await fill(form, { Name: "grace-key" });
  await press(form, "Create key");
  await press(dialog(visitor, "Your key"), "Done");
  await assertText(row(visitor, "grace-key"), GRACE.name);
  const member = api(visitor.context(), grace);
  assert.equal((await member.post("/teams", { name: "still refused" })).status, 403);
}

async function endTheOtherSession(page, context, me, newVisitor, checkA11y, screenshot) {
  const other = await newVisitor({ userAgent: FIREFOX });
  await signIn(other.context());
  await other.goto(`${HOME}/keys`);
  await row(other, KEY).waitFor();

  await page.goto("/account");
  await assertHeading(page, "Account");
  const sessions = page.getByRole("table", { name: "Sessions" });
  const there = row(sessions, /Firefox on Windows/);
  await assertText(row(sessions, /this one/), "Chrome on Linux");
  await checkA11y();
  await screenshot("account");
  const listed = async () =>
    (await personal(context, me).get("/sessions")).body.items.filter(({ user_agent: agent }) => agent === FIREFOX);
  assert.equal((await listed()).length, 1);
  await press(there, "End");
  await assertToast(page, "The session is ended.");
  await there.waitFor({ state: "detached" });
  assert.equal((await listed()).length, 0);

  await eventually(
    "the ended session is refused",
    async () => (await other.context().request.get("/api/v1/session")).status() === 401,
  );
  await other.getByRole("link", { name: "Teams", exact: true }).click();
  await assertHeading(other, "Sign in");
  assert.equal(new URL(other.url()).searchParams.get("next"), `${HOME}/teams`);
  await checkA11y(other);
  await fill(other, { "E-mail": OWNER.email, Password: OWNER.password });
  await press(other, "Sign in");
  await assertHeading(other, "Teams");
  await row(other, "People team").waitFor();
}
