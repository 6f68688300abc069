// What every journey holds its pages to, whatever it does there: no error in the console, no breach of the content
// security policy, nothing fetched from elsewhere, no serious accessibility problem in light or dark.

import axe from "axe-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];

// Collects in `mistakes` what goes wrong on the pages of a context. An API's refusal is none: a 401 or 403 may be what
// a journey wants, and the browser writes each of them into the console.
export function watch(context, url, mistakes) {
  const isApi = (address) => URL.canParse(address) && new URL(address).pathname.startsWith("/api/");
  context.on("weberror", (event) => mistakes.push(`script error: ${event.error().message}`));
  context.on("page", (page) => page.on("crash", () => mistakes.push("the page crashed")));
  context.on("console", (message) => {
    const refused = message.text().startsWith("Failed to load resource") && isApi(message.location().url);
    const breach = /content security policy/i.test(message.text());
    if (breach || (message.type() === "error" && !refused)) mistakes.push(`console: ${message.text()}`);
  });
  context.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(url).origin && !["data:", "blob:"].includes(protocol)) {
      mistakes.push(`a request to another host: ${request.url()}`);
    }
  });
}

// One line per rule that is broken seriously, with the elements that break it. Colours are looked at in both themes.
export async function accessibilityProblems(page) {
  await page.evaluate(axe.source);
  const light = await broken(page, { type: "tag", values: RULES });
  const chosen = await page.evaluate(() => document.documentElement.getAttribute("data-theme"));
  if (chosen !== null) return light;
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await broken(page, { type: "rule", values: ["color-contrast"] });
  await page.emulateMedia({ colorScheme: "light" });
  await stillness(page);
  return [...light, ...dark.map((problem) => `dark: ${problem}`)];
}

async function broken(page, runOnly) {
  await stillness(page);
  const { violations } = await page.evaluate(
    (runOnly) => window.axe.run(document, { resultTypes: ["violations"], runOnly }),
    runOnly,
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

// Lets moves and fades finish: half-transparent text fails for its contrast, and looks unfinished in a picture.
export async function stillness(page) {
  await page.waitForFunction(() => {
    const moves = (animation) =>
      animation.playState === "running" && animation.effect?.getTiming().iterations !== Infinity;
    return !document.getAnimations().some(moves);
  });
}
