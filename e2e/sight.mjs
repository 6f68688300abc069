// What a person sees, and where they look for it: fields with what is wrong with them, rows, windows, messages.

import assert from "node:assert/strict";

const PATIENCE_MS = 15_000;

// Asks again until the answer is not false, null or undefined.
export async function eventually(what, ask) {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`this never came about: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function assertHeading(page, text) {
  await page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor();
}

export async function assertToast(page, text) {
  await page.locator(".toasts").getByText(text, { exact: true }).waitFor();
}

// The field with this label; labels that merely contain the words are others.
export function field(scope, label) {
  return scope.getByLabel(label, { exact: true });
}

// Waits until a field is marked as wrong, and gives what is written next to it.
export async function errorAt(scope, label) {
  const input = field(scope, label);
  await eventually(`"${label}" is marked as wrong`, async () => (await input.getAttribute("aria-invalid")) === "true");
  return input.evaluate((element) => document.getElementById(element.getAttribute("aria-describedby")).textContent);
}

export async function assertFields(scope, values) {
  for (const [label, value] of Object.entries(values)) {
    assert.equal(await field(scope, label).inputValue(), value, `what the field "${label}" holds`);
  }
}

export async function fill(scope, values) {
  for (const [label, value] of Object.entries(values)) await field(scope, label).fill(value);
}

export async function press(scope, name) {
  await scope.getByRole("button", { name, exact: true }).click();
}

// The window over the page with this title.
export function dialog(page, title) {
  return page.getByRole("dialog", { name: title, exact: true });
}

// The row of a table with this in its heading; the scope is a page or a part of one.
export function row(scope, name) {
  const page = scope.page?.() ?? scope;
  return scope.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
}

// Goes to a page of the organization by the navigation.
export async function go(page, title) {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: title, exact: true }).click();
  await assertHeading(page, title);
}

export async function assertText(locator, text) {
  const seen = await eventually(`"${text}" is shown`, async () => {
    const found = (await locator.allInnerTexts()).map((part) => part.replace(/\s+/g, " ").trim());
    return found.some((part) => part.includes(text)) ? found : false;
  });
  return seen;
}

export async function assertGone(locator, what) {
  assert.equal(await locator.count(), 0, `${what} must not be there`);
}
