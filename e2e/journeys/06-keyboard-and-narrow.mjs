import assert from "node:assert/strict";

import { ORGANIZATION, OWNER, api, make, makeSandbox, signIn } from "../installation.mjs";
import { assertGone, assertHeading, assertText, dialog, eventually, row } from "../sight.mjs";

export const name =
  "the dashboard works without a mouse, on a telephone, in the dark, and while the server is slow or failing";

const HOME = `/o/${ORGANIZATION.slug}`;
const PAGES = ["overview", "usage", "audit", "keys", "models", "providers", "teams", "members", "tokens", "settings"];
const MOST_TABS = 80;

export async function run({ page, context, newVisitor, checkA11y, screenshot }) {
  const organization = api(context, await signIn(context));
  await makeSandbox(organization, "sturdy");
  await make(organization, "/keys", { name: "sturdy" });

  await withTheKeyboard(await newVisitor(), organization, checkA11y, screenshot);
  await onATelephone(
    await signedIn(newVisitor, { viewport: { width: 360, height: 740 }, hasTouch: true }),
    checkA11y,
    screenshot,
  );
  await inTheDark(await signedIn(newVisitor), checkA11y);
  await whileTheServerIsSlow(page, checkA11y, screenshot);
  await whileTheServerFails(page, checkA11y, screenshot);
  await whenAPartIsMissing(page);
}

async function signedIn(newVisitor, settings) {
  const page = await newVisitor(settings);
  await signIn(page.context());
  return page;
}

async function withTheKeyboard(page, organization, checkA11y, screenshot) {
  await page.goto(`${HOME}/overview`);
  await assertHeading(page, "Sign in");
  await tabTo(page, "E-mail");
  await page.keyboard.type(OWNER.email);
  await tabTo(page, "Password");
  await page.keyboard.type(OWNER.password);
  await page.keyboard.press("Enter");
  await assertHeading(page, "Overview");

  await tabTo(page, "Skip to content");
  await page.keyboard.press("Enter");
  await eventually("the focus is on the content", () => page.evaluate(() => document.activeElement.id === "main"));
  await tabTo(page, "API keys");
  await page.keyboard.press("Enter");
  await assertHeading(page, "API keys");
  await eventually("the focus goes on with the page", () => page.evaluate(() => document.activeElement.id === "main"));

  await tabTo(page, "Create key");
  await screenshot("focus", page);
  await page.keyboard.press("Enter");
  await eventually("the first field has the focus", async () => (await focused(page)) === "Name");
  await page.keyboard.press("Escape");
  await dialog(page, "Create key").waitFor({ state: "detached" });
  await eventually("the focus goes back", async () => (await focused(page)) === "Create key");

  await page.keyboard.press("Enter");
  await eventually("the first field has the focus", async () => (await focused(page)) === "Name");
  await page.keyboard.type("by-hand");
  await tabTo(page, "sturdy");
  await page.keyboard.press("Space");
  assert.ok(await page.evaluate(() => document.activeElement.checked));
  await page.keyboard.press("Enter");
  const shown = dialog(page, "Your key");
  await shown.waitFor();
  await theFocusStaysInside(page, shown);
  await tabTo(page, "Done");
  await page.keyboard.press("Enter");
  await shown.waitFor({ state: "detached" });
  await eventually("the focus goes back", async () => (await focused(page)) === "Create key");
  await row(page, "by-hand").waitFor();
  const key = (await organization.get("/keys?limit=200")).body.items.find(({ name }) => name === "by-hand");
  assert.deepEqual(key.models, ["sturdy"]);

  await tabTo(page, /^Account: /);
  await page.keyboard.press("Enter");
  await tabTo(page, "Account and sessions");
  await checkA11y(page);
  await page.keyboard.press("Escape");
  await assertGone(page.getByText("Account and sessions"), "the menu that was closed");
  await page.keyboard.press("Enter");
  await tabTo(page, "Sign out");
  await page.keyboard.press("Enter");
  await assertHeading(page, "Sign in");
  assert.equal((await page.context().request.get("/api/v1/session")).status(), 401);
}

// Presses Tab until something with this name has the focus.
async function tabTo(page, name) {
  const passed = [];
  for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
    await page.keyboard.press("Tab");
    const here = await focused(page);
    if (name instanceof RegExp ? name.test(here) : name === here) return;
    passed.push(here);
  }
  throw new Error(`Tab never came to "${name}", but to: ${passed.join(" | ")}`);
}

function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const read = element.cloneNode(true);
    for (const unread of read.querySelectorAll("[aria-hidden=true]")) unread.remove();
    const inner = [...read.childNodes].map((part) => part.textContent).join(" ");
    const text = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? inner;
    return text.replace(/\s+/g, " ").trim();
  });
}

async function theFocusStaysInside(page, shown) {
  for (let tabs = 0; tabs < 12; tabs += 1) {
    await page.keyboard.press("Tab");
    // The browser's own controls may be in between; they are outside of the document.
    const outside = await page.evaluate(
      () => document.activeElement !== document.body && !document.activeElement.closest("dialog"),
    );
    assert.ok(!outside, "the window keeps the focus");
  }
  await shown.waitFor();
}

async function onATelephone(page, checkA11y, screenshot) {
  for (const place of PAGES) {
    await page.goto(`${HOME}/${place}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
    await assertNoSidewaysScroll(page, place);
  }
  await page.goto(`${HOME}/keys`);
  await row(page, "sturdy").first().waitFor();
  const toggle = page.getByRole("button", { name: "Navigation", exact: true });
  const link = page.getByRole("link", { name: "Members", exact: true });
  assert.ok(!(await link.isVisible()), "the navigation is folded away");
  await toggle.tap();
  await link.waitFor();
  assert.equal(await toggle.getAttribute("aria-expanded"), "true");
  await assertNoSidewaysScroll(page, "the navigation");
  await checkA11y(page);
  await screenshot("navigation", page);
  await link.tap();
  await assertHeading(page, "Members");
  await link.waitFor({ state: "hidden" });
  await checkA11y(page);

  await page.getByRole("button", { name: "Invite", exact: true }).tap();
  const form = dialog(page, "Invite somebody");
  await form.waitFor();
  await assertNoSidewaysScroll(page, "a window");
  const box = await form.boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 360, `the window fits: ${JSON.stringify(box)}`);
  await screenshot("window", page);
}

async function assertNoSidewaysScroll(page, what) {
  // A page that has just come may be laid out once more.
  await page.waitForFunction(() => document.documentElement.scrollWidth <= 360, null, { timeout: 3000 }).catch(() => {});
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `${what} is ${width} px wide`);
}

async function inTheDark(page, checkA11y) {
  await page.goto("/account");
  await assertHeading(page, "Account");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const theme = page.getByRole("main").getByRole("group", { name: "Theme" });
  await theme.waitFor();
  const light = await ground();
  await theme.getByRole("button", { name: "Dark", exact: true }).click();
  await eventually("it gets dark", async () => (await ground()) !== light);
  const dark = await ground();
  await checkA11y(page);
  await page.reload();
  await theme.waitFor();
  assert.equal(await ground(), dark, "it is dark after a reload");
  assert.equal(await theme.getByRole("button", { name: "Dark", exact: true }).getAttribute("aria-pressed"), "true");
  await page.goto(`${HOME}/overview`);
  await assertHeading(page, "Overview");
  assert.equal(await ground(), dark, "it is dark on another page");

  await page.goto("/account");
  await theme.getByRole("button", { name: "System", exact: true }).click();
  await eventually("the system decides", async () => (await ground()) === light);
  await page.emulateMedia({ colorScheme: "dark" });
  await eventually("the system decides", async () => (await ground()) === dark);
}

async function whileTheServerIsSlow(page, checkA11y, screenshot) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route(/\/keys(\?|$)/, async (route) => {
    if (!new URL(route.request().url()).pathname.startsWith("/api/")) return route.continue();
    await released;
    return route.continue();
  });
  await page.goto(`${HOME}/keys`);
  await assertHeading(page, "API keys");
  const waiting = page.getByRole("main").getByRole("status").filter({ hasText: "Loading" }).first();
  await waiting.waitFor();
  // Another one stands for whatever else of the page has yet to come.
  await eventually("only the list is waited for", async () => (await page.locator(".skeleton").count()) === 1);
  await checkA11y();
  await screenshot("loading");
  release();
  await row(page, "sturdy").first().waitFor();
  await assertGone(waiting, "the skeleton of what is there");
  await page.unrouteAll({ behavior: "wait" });
}

async function whileTheServerFails(page, checkA11y, screenshot) {
  const problem = {
    error: { code: "internal", message: "something went wrong here", fields: {}, request_id: "req_1234" },
  };
  for (const [answer, sentence] of [
    [(route) => route.fulfill({ status: 500, json: problem }), "Something went wrong here."],
    [
      (route) => route.fulfill({ status: 502, body: "Bad Gateway" }),
      "The server gave an unexpected answer (status 502).",
    ],
    [(route) => route.abort(), "The server could not be reached. Check the connection and try again."],
  ]) {
    for (const [place, resource] of [
      ["keys", "keys"],
      ["overview", "usage/series"],
      ["providers", "providers"],
    ]) {
      await page.route(new RegExp(`/api/v1/organizations/[^/]+/${resource}(\\?|$)`), answer);
      await page.goto(`${HOME}/${place}`);
      const alert = page.getByRole("main").getByRole("alert");
      await assertText(alert, "This could not be loaded");
      await assertText(alert, sentence);
      if (sentence.startsWith("Something")) await assertText(alert, "req_1234");
      if (place === "keys") await checkA11y();
      if (place === "keys") await screenshot("failing");
      await page.unrouteAll({ behavior: "wait" });
      await page.getByRole("button", { name: "Try again", exact: true }).click();
      await alert.waitFor({ state: "detached" });
      await page.locator(".table, .provider, .stats, .first-steps").first().waitFor();
    }
  }

  await page.goto(`${HOME}/teams`);
  await page.getByRole("button", { name: "Create team", exact: true }).first().click();
  const form = dialog(page, "Create team");
  await form.getByLabel("Name", { exact: true }).fill("Search");
  await page.route("**/teams", (route) => route.fulfill({ status: 500, json: problem }));
  await form.getByRole("button", { name: "Create team", exact: true }).click();
  await assertText(form.locator(".form-message"), "Something went wrong here.");
  assert.equal(await form.getByLabel("Name", { exact: true }).inputValue(), "Search");
  await page.unrouteAll({ behavior: "wait" });
}

// The server itself cannot be asked who is there.
async function whenAPartIsMissing(page) {
  await page.route("**/api/v1/session", (route) => route.abort());
  await page.goto(`${HOME}/keys`);
  await page.getByText("The server could not be reached.").waitFor();
  await page.unrouteAll({ behavior: "wait" });
  await page.getByRole("button", { name: "Try again", exact: true }).click();
  await assertHeading(page, "API keys");
}
