// Runs every journey in journeys/ against one server, in the order of their file names: the first of them sets the
// installation up. Prints a line per journey, writes a summary for `cargo xtask test`, and decides nothing about what a
// journey looks at.

import { readdir, writeFile, mkdir } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import path from "node:path";
import { chromium } from "playwright-core";

import { accessibilityProblems, stillness, watch } from "./page.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const JOURNEY_LIMIT_MS = 120_000;
const STEP_LIMIT_MS = 15_000;

// Chromium's own calls home only fail, slowly, on a machine without the internet.
const BROWSER_FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string" },
    "setup-link": { type: "string" },
    browser: { type: "string", default: "/usr/bin/chromium" },
    summary: { type: "string" },
    screenshots: { type: "string", default: path.join(HERE, "screenshots") },
    journeys: { type: "string", default: path.join(HERE, "journeys") },
  },
});

if (!options.url || !options["setup-link"]) {
  console.error("usage: node run.mjs --url URL --setup-link LINK [--browser FILE] [--summary FILE] [FILTER…]");
  console.error("`cargo xtask test --only browser` starts a server and calls this with its address.");
  process.exit(64);
}

async function journeys() {
  const names = (await readdir(options.journeys)).filter((name) => name.endsWith(".mjs")).sort();
  const found = [];
  for (const file of names) {
    const { name, run } = await import(pathToFileURL(path.join(options.journeys, file)));
    if (typeof name !== "string" || typeof run !== "function") {
      throw new Error(`${file} must export a string \`name\` and a function \`run\``);
    }
    found.push({ file: file.replace(/\.mjs$/, ""), name, run });
  }
  return found;
}

// The first journey is always taken, because the others need an installation that is set up.
function chosen(all) {
  if (filters.length === 0) return all;
  const wanted = ({ file, name }) => filters.some((word) => file.includes(word) || name.includes(word));
  return all.some(wanted) ? all.filter((journey, index) => index === 0 || wanted(journey)) : [];
}

function within(limit, work) {
  let timer;
  const expired = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${limit / 1000} s`)), limit);
  });
  return Promise.race([work, expired]).finally(() => clearTimeout(timer));
}

async function take(browser, journey) {
  const mistakes = [];
  const contexts = [];
  // A browser of its own for one more person, held to the same as the first.
  const newVisitor = async (settings = {}) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      baseURL: options.url,
      ...settings,
    });
    contexts.push(context);
    context.setDefaultTimeout(STEP_LIMIT_MS);
    watch(context, options.url, mistakes);
    return context.newPage();
  };
  const page = await newVisitor();
  const picture = (name) => path.join(options.screenshots, `${journey.file}-${name}.png`);
  const screenshot = async (name, target = page) => {
    await stillness(target);
    // A window over the page belongs to what is in sight, whatever the length of the page.
    const fullPage = (await target.locator("dialog[open]").count()) === 0;
    await target.screenshot({ path: picture(name), fullPage });
  };
  const checkA11y = async (target = page) => {
    const problems = await accessibilityProblems(target);
    if (problems.length > 0) throw new Error(`accessibility of ${target.url()}: ${problems.join("\n  ")}`);
  };
  const tools = { page, context: page.context(), browser, newVisitor, screenshot, checkA11y };
  try {
    await within(JOURNEY_LIMIT_MS, journey.run({ ...tools, url: options.url, setupLink: options["setup-link"] }));
    if (mistakes.length > 0) throw new Error(`the pages made mistakes: ${mistakes.join("\n  ")}`);
  } catch (error) {
    const pages = contexts.flatMap((context) => context.pages());
    await Promise.all(pages.map((page, index) => screenshot(`failure-${index + 1}`, page).catch(() => {})));
    throw error;
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
  }
}

async function main() {
  await mkdir(options.screenshots, { recursive: true });
  const browser = await chromium.launch({
    executablePath: options.browser,
    // Chromium's sandbox refuses to work for root, which CI is.
    chromiumSandbox: process.getuid?.() !== 0,
    args: BROWSER_FLAGS,
  });
  const results = [];
  try {
    for (const journey of chosen(await journeys())) {
      const start = performance.now();
      const error = await take(browser, journey).then(
        () => null,
        (thrown) => thrown,
      );
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${error ? "FAILED" : "ok    "} ${journey.name} (${seconds} s)`);
      if (error) console.log(String(error.stack ?? error).replace(/^/gm, "       "));
      results.push({
        name: journey.name,
        seconds: Number(seconds),
        error: error ? String(error.message ?? error) : null,
      });
    }
  } finally {
    await browser.close();
  }
  const failed = results.filter((result) => result.error !== null).length;
  const summary = JSON.stringify({ passed: results.length - failed, failed, journeys: results });
  console.log(summary);
  if (options.summary) await writeFile(options.summary, summary);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
