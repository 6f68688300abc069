// Must stay the first: it makes the installation the others work in.

import assert from "node:assert/strict";

import { ORGANIZATION, OWNER } from "../installation.mjs";
import { assertFields, assertHeading, assertText, errorAt, field, fill, press, row } from "../sight.mjs";

export const name = "whoever holds the setup link becomes the owner of the first organization";

export async function run({ page, context, newVisitor, setupLink, checkA11y, screenshot }) {
  await page.goto("/setup");
  await assertHeading(page, "Set up Gatewright");
  await page.getByText("This page needs the one-time link").waitFor();
  await checkA11y();

  await page.goto(setupLink);
  // Only the fragment has changed, so nothing was loaded yet.
  await page.reload();
  await assertHeading(page, "Set up Gatewright");
  await checkA11y();
  await mistakesAreShownBesideTheirFields(page);
  await checkA11y();
  await screenshot("errors");

  await fill(page, { "Your name": OWNER.name, "E-mail": OWNER.email, Password: OWNER.password });
  await press(page, "Create organization");
  await assertHeading(page, "Overview");
  await page.waitForURL(`**/o/${ORGANIZATION.slug}/overview`);
  await page.getByRole("heading", { name: "No requests in the last 24 hours" }).waitFor();
  for (const [step, place] of [
    ["Providers", "providers"],
    ["Models", "models"],
    ["API keys", "keys"],
  ]) {
    const link = page.getByRole("main").getByRole("link", { name: step, exact: true });
    assert.equal(await link.getAttribute("href"), `/o/${ORGANIZATION.slug}/${place}`);
  }
  assert.equal(await page.title(), `Overview · ${ORGANIZATION.name} · Gatewright`);
  await checkA11y();

  const me = await (await context.request.get("/api/v1/session")).json();
  assert.deepEqual([me.email, me.name], [OWNER.email, OWNER.name]);
  const membership = me.memberships.find(({ organization }) => organization.slug === ORGANIZATION.slug);
  assert.equal(membership.role, "owner");
  assert.equal(membership.organization.name, ORGANIZATION.name);
  assert.deepEqual(await (await context.request.get("/api/v1/setup")).json(), { needed: false });
  await thePlaygroundIsTheirs(page, me);
  await theLinkIsUsedUp(await newVisitor(), setupLink, checkA11y);
}

async function mistakesAreShownBesideTheirFields(page) {
  await press(page, "Create organization");
  for (const label of ["Organization", "Short name", "Your name", "E-mail", "Password"]) {
    assert.equal(await errorAt(page, label), "Is required");
  }
  const focused = () => page.evaluate(() => document.activeElement.labels[0].textContent);
  assert.equal(await focused(), "Organization", "the first field that is wrong has the focus");

  await field(page, "Organization").fill(ORGANIZATION.name);
  await assertFields(page, { "Short name": ORGANIZATION.slug });
  const typed = { "Short name": "Acme!", "Your name": "Ada", "E-mail": "nobody", Password: "long-enough-for-now" };
  await fill(page, typed);
  await press(page, "Create organization");
  await errorAt(page, "Short name");
  await errorAt(page, "E-mail");
  await assertFields(page, { Organization: ORGANIZATION.name, ...typed });

  const refused = { "Short name": ORGANIZATION.slug, "E-mail": OWNER.email, Password: "short" };
  await fill(page, refused);
  await press(page, "Create organization");
  assert.match(await errorAt(page, "Password"), /10 characters/);
  await assertFields(page, { Organization: ORGANIZATION.name, "Your name": "Ada", ...refused });
}

// What the first start made to call right away can be seen by whoever sets up.
async function thePlaygroundIsTheirs(page, me) {
  const roles = Object.fromEntries(me.memberships.map(({ organization, role }) => [organization.slug, role]));
  assert.equal(roles.playground, "owner");
  await page.goto("/o/playground/keys");
  await row(page, "first steps").waitFor();
}

async function theLinkIsUsedUp(page, setupLink, checkA11y) {
  await page.goto(setupLink);
  await page.getByText("This installation has been set up already.").waitFor();
  await checkA11y(page);
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await assertHeading(page, "Sign in");
  await checkA11y(page);

  await fill(page, { "E-mail": OWNER.email, Password: "not-the-password" });
  await press(page, "Sign in");
  await assertText(page.locator(".form-message"), "do not belong together");
  await assertFields(page, { "E-mail": OWNER.email, Password: "not-the-password" });

  await fill(page, { Password: OWNER.password });
  await press(page, "Sign in");
  await page.waitForURL(`**/o/${ORGANIZATION.slug}/overview`);
}
