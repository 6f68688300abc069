import assert from "node:assert/strict";

import { api, chat, make, makeSandbox, personal, signIn } from "../installation.mjs";
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
  press,
} from "../sight.mjs";

export const name = "an owner says whose traces are kept, and reads why a request went where it went";

const SLUG = "decisions";
const HOME = `/o/${SLUG}`;
const MODEL = "careful";

export async function run({ page, context, url, checkA11y, screenshot }) {
  const me = await signIn(context);
  await make(personal(context, me), "/organizations", { slug: SLUG, name: "Decisions" });
  const organization = api(context, me, SLUG);
  await makeSandbox(organization, "first");
  await makeSandbox(organization, "second");
  await keepTraces(page, organization, checkA11y, screenshot);

  const request = await fallBack(organization, url);
  await page.goto(`${HOME}/usage`);
  await assertHeading(page, "Requests");
  await readDecision(page, request, checkA11y, screenshot);
}

// What the server refuses is said next to the field it is about.
async function keepTraces(page, organization, checkA11y, screenshot) {
  await page.goto(`${HOME}/settings`);
  await assertHeading(page, "Settings");
  await assertFields(page, { Requests: "failures", "Kept for": "7d" });
  const part = "Of those that went well, in percent";
  assert.equal(await field(page, part).count(), 0, "failures are kept as a whole");
  await field(page, "Requests").selectOption("all");
  await fill(page, { [part]: "1.5", "Kept for": "soon" });
  await press(page, "Save traces");
  assert.match(await errorAt(page, part), /Must be a whole number/);
  assert.match(await errorAt(page, "Kept for"), /duration like/);
  await fill(page, { [part]: "0", "Kept for": "1s" });
  await press(page, "Save traces");
  await eventually("the server refuses it", async () => /Must be from 1 to 100/.test(await errorAt(page, part)));
  assert.match(await errorAt(page, "Kept for"), /Must be from 1h to 90d/);
  await checkA11y();
  await screenshot("traces-refused");
  await fill(page, { [part]: "50", "Kept for": "2d" });
  await press(page, "Save traces");
  await assertToast(page, "How traces are kept is saved.");
  const { body } = await organization.get("");
  assert.deepEqual(body.traces, { requests: "all", sample: 50, keep: "2d" });
  assert.equal(body.name, "Decisions");
}

// Of three targets the first has too little room, the second fails, and the third answers.
async function fallBack(organization, url) {
  await make(organization, "/catalog/overlays", {
    kind: "sandbox",
    model: "sandbox-tiny",
    facts: { context: 8 },
  });
  await make(organization, "/models", {
    name: MODEL,
    route: {
      fallback: [
        { target: "first/sandbox-tiny" },
        { target: { provider: "first", model: "sandbox-small", fault: { kind: "error" } } },
        { target: "second/sandbox-large" },
      ],
    },
    retries: { attempts: 0 },
  });
  const { secret } = await make(organization, "/keys", { name: "asking" });
  const question = "Why did it go there? ".repeat(20);
  const answer = await eventually("the model can be called", async () => {
    const answer = await chat(url, secret, MODEL, question);
    return answer.headers.get("x-gw-attempts") === "2" && answer;
  });
  assert.equal(answer.status, 200);
  const id = answer.headers.get("x-gw-request-id");
  await eventually("it is counted", async () => {
    const { items } = (await organization.get("/usage?limit=50")).body;
    return items.some((item) => item.id === id);
  });
  return id;
}

async function explainAgain(page, detail, checkA11y) {
  await press(detail, "Explain with today's configuration");
  await assertText(detail, "It would go the same way.");
  await assertText(detail, "what its messages, tools and files say");
  await checkA11y();
}

async function readDecision(page, request, checkA11y, screenshot) {
  await page.getByRole("row").filter({ hasText: MODEL }).first().getByTitle("Show the details").click();
  const detail = dialog(page, "Request");
  await assertText(detail, request);
  const section = (title) => detail.locator("section").filter({ has: page.getByRole("heading", { name: title }) });

  const candidates = section("It can go to").getByRole("listitem");
  await candidates.first().waitFor();
  assert.equal(await candidates.count(), 3);
  const dropped = candidates.filter({ hasText: "first/sandbox-tiny" });
  await assertText(dropped, "Dropped:");
  await assertText(dropped, "takes 8 tokens");
  for (const kept of ["first/sandbox-small", "second/sandbox-large"]) {
    const text = await candidates.filter({ hasText: kept }).innerText();
    assert.doesNotMatch(text, /Dropped/, kept);
  }

  const attempts = section("Calls to providers").getByRole("listitem");
  assert.equal(await attempts.count(), 2, "what was dropped is not called");
  await assertText(attempts.nth(0), "first/sandbox-small first choice");
  await assertText(attempts.nth(0), "error 500");
  await assertText(attempts.nth(1), "second/sandbox-large stands in answered 200");
  await assertText(section("The gateway itself took"), "Routing");
  await checkA11y();
  await explainAgain(page, detail, checkA11y);
  await section("Calls to providers").scrollIntoViewIfNeeded();
  await screenshot("timeline");

  await detail.getByRole("link", { name: "Show it on the route" }).click();
  await assertHeading(page, MODEL);
  await eventually("the way is lit", async () => (await page.locator(".node.is-dropped").count()) === 1);
  await screenshot("on-the-route");
}
