// Pictures of every page for people to look at: light and dark, wide and narrow. It asserts what needs no eyes.

import assert from "node:assert/strict";

import { ORGANIZATION, api, chat, make, makeSandbox, personal, signIn } from "../installation.mjs";
import { dialog, errorAt, eventually, field, fill, press } from "../sight.mjs";

export const name = "every page has its picture, in light and dark, wide and narrow";

const SLUG = "looks";
const HOME = `/o/${SLUG}`;
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };
const PLACES = [
  "overview",
  "usage",
  "audit",
  "keys",
  "models",
  "models?view=prices",
  "models?view=health",
  "models/new",
  "catalog",
  "catalog?view=refreshes",
  "providers",
  "budgets",
  "budgets?view=requests",
  "limits",
  "chargeback",
  "chargeback?by=team",
  "teams",
  "members",
  "tokens",
  "settings",
];

export async function run({ page, context, newVisitor, url, screenshot, checkA11y }) {
  const me = await signIn(context);
  await make(personal(context, me), "/organizations", { slug: SLUG, name: "Looks & Sons" });
  const organization = api(context, me, SLUG);
  await fillOrganization(organization, url);

  const sideways = [];
  const takePictures = async (name, of = page) => {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await of.setViewportSize(viewport);
      if (await of.evaluate(() => document.documentElement.scrollWidth > window.innerWidth))
        sideways.push(`${name}, ${size}`);
      for (const theme of ["light", "dark"]) {
        await of.emulateMedia({ colorScheme: theme });
        await screenshot(`${name}-${theme}-${size}`, of);
      }
    }
    await checkA11y(of);
    await of.setViewportSize(SIZES.wide);
  };
  await inFrontOfTheDoor(await newVisitor(), takePictures);
  for (const place of PLACES) {
    await open(page, `${HOME}/${place}`);
    await takePictures(place.replace(/\?(view|by)=|\//, "-"));
  }
  await open(page, "/account");
  await takePictures("account");
  await open(page, `/o/${ORGANIZATION.slug}/nowhere`);
  await takePictures("not-found");
  await windows(page, takePictures);
  await modelPage(page, organization, takePictures);
  await budgetPages(page, takePictures);
  assert.deepEqual(sideways, [], "no page scrolls sideways");
}

async function open(page, address) {
  await page.goto(address);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
}

async function inFrontOfTheDoor(page, takePictures) {
  for (const [address, name] of [
    ["/sign-in", "sign-in"],
    ["/setup", "setup"],
    ["/invitation#token=gwi-of-nobody", "invitation"],
  ]) {
    await open(page, address);
    await takePictures(name, page);
  }
}

async function windows(page, takePictures) {
  for (const [place, button, title, name] of [
    ["keys", "Create key", "Create key", "window-key"],
    ["providers", "Add provider", "Add provider", "window-provider"],
    ["models?view=prices", "Set price", "Set price", "window-price"],
    ["members", "Invite", "Invite somebody", "window-invitation"],
  ]) {
    await open(page, `${HOME}/${place}`);
    await press(page.locator(".page-head"), button);
    await dialog(page, title).waitFor();
    await takePictures(name);
  }
  await open(page, `${HOME}/models?view=prices`);
  await press(page.locator(".page-head"), "Set price");
  const price = dialog(page, "Set price");
  await price.getByText("Other units", { exact: true }).click();
  await fill(price, { Input: "2", "Other tiers": "above 200000: input 6, output 22.5\nflex: input 1, output5" });
  await field(price, "Provider").selectOption("sandbox");
  await fill(price, { "The provider's model": "sandbox-large" });
  await press(price, "Set price");
  await errorAt(price, "Other tiers");
  await field(price, "Other tiers").scrollIntoViewIfNeeded();
  await takePictures("window-price-tiers");
  await open(page, `${HOME}/providers`);
  await press(page, "Edit internal-models-of-the-research-department");
  await page.getByLabel("Private key", { exact: true }).scrollIntoViewIfNeeded();
  await takePictures("window-provider-network");
  await page.getByText("Breaker", { exact: true }).click();
  await page.getByLabel("Left alone for", { exact: true }).scrollIntoViewIfNeeded();
  await takePictures("window-provider-breaker");

  await open(page, `${HOME}/keys`);
  await press(page, "Revoke batch");
  await dialog(page, "Revoke batch?").waitFor();
  await takePictures("window-revoke");

  await open(page, `${HOME}/usage`);
  await page.getByRole("row").filter({ hasText: "sandbox-large" }).first().getByTitle("Show the details").click();
  await dialog(page, "Request").waitFor();
  await takePictures("window-request");

  await open(page, `${HOME}/providers`);
  for (const button of await page.getByRole("button", { name: "Test", exact: true }).all()) await button.click();
  await eventually(
    "every test has a result",
    async () => (await page.getByText("unreachable", { exact: true }).count()) === 2,
  );
  await page.getByText("works", { exact: true }).waitFor();
  await takePictures("providers-tested");
}

// A route of more than twenty targets, as graph and as text.
async function modelPage(page, organization, takePictures) {
  const { items } = (await organization.get("/models?limit=200")).body;
  await open(page, `${HOME}/models/${items.find(({ name }) => name === "everything").id}`);
  await page.getByRole("treeitem").first().waitFor();
  await takePictures("model");
  await page.getByRole("treeitem", { name: /sandbox-large/ }).first().click();
  await takePictures("model-target");
  await press(page, "YAML");
  await takePictures("model-text");
  const text = page.getByLabel("Route as YAML", { exact: true });
  await text.fill(`# Since the outage of March.\n${await text.inputValue()}`);
  await takePictures("model-text-commented");
  await press(page, "Graph");
  await takePictures("model-commented");
}

async function budgetPages(page, takePictures) {
  for (const [title, name] of [["Team Search", "budget"], ["Each end user", "budget-for-each"]]) {
    await open(page, `${HOME}/budgets`);
    await page.getByRole("link", { name: title, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
    await takePictures(name);
  }
  await open(page, `${HOME}/budgets`);
  await press(page.locator(".page-head"), "Create budget");
  const form = dialog(page, "Create budget");
  await form.getByLabel("Once it is spent", { exact: true }).selectOption("downgrade");
  await form.getByText("Alerts, carry-over and exceptions").click();
  await takePictures("window-budget");
  await open(page, `${HOME}/limits`);
  await press(page.locator(".page-head"), "Create limit");
  await dialog(page, "Create limit").waitFor();
  await takePictures("window-limit");
}

async function fillOrganization(organization, url) {
  await makeSandbox(organization, "sandbox");
  await make(organization, "/models", {
    name: "large",
    route: { target: "sandbox/sandbox-large" },
    timeouts: { connect: "2s", total: "10m" },
  });
  await make(organization, "/providers", {
    name: "internal-models-of-the-research-department",
    kind: "openai-compatible",
    base_url: "http://127.0.0.1:9/a/rather/long/path/to/the/models/v1",
    timeouts: { first_token: "90s", total: "10m" },
    network: { proxy: { url: "http://127.0.0.1:3128", username: "gateway", password: "canary" } },
    credentials: [
      { name: "default", api_key: "sk-0001", weight: 1 },
      { name: "the second account", api_key: "sk-0002", weight: 3 },
    ],
  });
  const target = "internal-models-of-the-research-department/meta-llama/Llama-4-Maverick-17B-128E-Instruct";
  await make(organization, "/models", { name: "research", route: { target } });
  await make(organization, "/models", { name: "everything", route: everything(target) });
  await make(organization, "/prices", {
    provider: "sandbox",
    model: "sandbox-large",
    rates: { input: "2.5", output: "10", cache_read: "0.25" },
    tiers: [{ above_input_tokens: 200000, rates: { input: "5" } }],
  });
  const team = await make(organization, "/teams", { name: "Search" });
  await make(organization, "/teams", { name: "Recommendations and everything around them" });
  await make(organization, "/invitations", {
    email: "a.person.with.a.long.name@subsidiary.example.com",
    role: "member",
  });
  await make(organization, "/tokens", { name: "ci", role: "admin" });
  await make(organization, "/keys", { name: "batch", models: ["large", "research", "sandbox"], team: team.id });
  const revoked = await make(organization, "/keys", { name: "old" });
  await organization.delete(`/keys/${revoked.key.id}`);
  const { secret } = await make(organization, "/keys", { name: "search-prod", team: team.id });

  await eventually("the models can be called", async () => (await chat(url, secret, "large")).status === 200);
  await Promise.all(
    [..."abcdefgh"].map((word) => chat(url, secret, "large", `${word} [[sandbox delay=${word.charCodeAt(0) * 2}ms]]`)),
  );
  await chat(url, secret, "sandbox", "small");
  await chat(url, secret, "research", "nobody there");
  await chat(url, secret, "nothing-of-this-name");
  await eventually(
    "all of it is accounted for",
    async () => (await organization.get("/usage?limit=50")).body.items.length >= 12,
  );
  await fillBudgets(organization, team);
  await spend(organization, url, secret);
}

// Two cents each: the team's budget is nearly spent, and the model's.
async function spend(organization, url, secret) {
  for (const user of ["ada", "grace", "ada"]) {
    await chat(url, secret, "large", "[[sandbox tokens=2000]]", { max_tokens: 2000, user });
  }
  await eventually("the budgets are told as spent", async () => {
    const { items } = (await organization.get("/budgets")).body;
    return items.filter(({ state }) => state.reached.length > 0).length === 2;
  });
}

async function fillBudgets(organization, team) {
  await make(organization, "/budgets", { scope: "organization", amount: "500", window: "month", time_zone: "Europe/Berlin" });
  const action = { downgrade: "sandbox" };
  const scope = { team: team.id };
  const { id } = await make(organization, "/budgets", { scope, amount: "0.08", soft: "0.05", window: "day", action });
  await make(organization, "/budgets", { scope: { end_user: { each: true } }, amount: "2", window: { rolling: "30d" } });
  await make(organization, "/budgets", { scope: { model: "large" }, amount: "0.1", window: "hour", action: "ask" });
  await make(organization, `/budgets/${id}/requests`, { amount: "25", reason: "A demonstration for customers" });
  const expires_at = "2099-01-01T00:00:00Z";
  await make(organization, `/budgets/${id}/increases`, { amount: "0.02", reason: "Backfill", expires_at });
  await make(organization, "/limits", { scope: "organization", rpm: 6000, tpd: 50000000, concurrency: 200 });
  const units = "tokens.input + 0.1 * tokens.cache_read + 4.0 * tokens.output";
  await make(organization, "/limits", { scope: { end_user: { each: true } }, rpm: 60, tpm: 100000, units, shadow: true });
  const tags = [{ name: "project", required: false, values: ["apollo", "gemini"] }, { name: "cost-centre" }];
  const changed = await organization.patch("", { name: "Looks & Sons", tags });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
}

// Every strategy once, and more targets than fit on a screen.
function everything(far) {
  const small = { target: "sandbox/sandbox-small" };
  const large = { target: "sandbox/sandbox-large" };
  const farther = { target: far };
  return {
    when: [
      { if: 'request.stream', route: { sticky: { routes: [large, farther] } } },
      {
        if: 'now.getHours() < 6',
        route: { task: { code: { fastest: [large, farther] }, prose: { cheapest: [small, farther] } }, otherwise: small },
      },
    ],
    otherwise: {
      fallback: [
        {
          weighted: [
            { weight: 90, route: { least_busy: [large, large, farther] } },
            { weight: 9, route: { lowest_usage: [small, large] } },
            { weight: 1, route: { canary: { stable: large, candidate: farther, percent: 5, ramp: { step: 10, every: "1h" } } } },
          ],
        },
        { on: ["timeout", "rate_limit"], route: { round_robin: [large, small, farther] } },
        { target: { provider: "sandbox", model: "sandbox-small", params: { temperature: 0 }, fault: { kind: "slow", percent: 10, delay: "2s" } } },
      ],
    },
  };
}
