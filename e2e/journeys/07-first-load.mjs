import assert from "node:assert/strict";

import { signIn } from "../installation.mjs";
import { assertHeading } from "../sight.mjs";

export const name = "the first load is light, comes compressed, and the second comes from the cache";

const MOST_BYTES = 700_000;

export async function run({ page, context, checkA11y }) {
  await signIn(context);
  const first = await transferred(page, () => page.goto("/"));
  const list = first.map(({ path, bytes }) => `${path} ${bytes}`).join(", ");
  const sum = first.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(sum < MOST_BYTES, `the first load takes ${sum} bytes: ${list}`);
  const assets = first.filter(({ path }) => path.startsWith("/assets/"));
  assert.deepEqual([...new Set(assets.map(({ path }) => path.split(".").at(-1)))].sort(), ["css", "js", "wasm"]);
  for (const { path, headers, bytes } of assets) {
    // A file of a few hundred bytes is not worth it.
    if (bytes > 1000) assert.equal(headers["content-encoding"], "br", path);
    assert.match(headers["cache-control"], /immutable/, path);
  }
  assert.match(assets.find(({ path }) => path.endsWith(".wasm")).headers["content-type"], /^application\/wasm/);

  const html = first.find(({ path }) => path === "/");
  const policy = html.headers["content-security-policy"];
  assert.match(policy, /default-src 'self'/);
  assert.ok(!policy.includes("unsafe-inline") && !policy.includes("'unsafe-eval'"), policy);
  assert.equal(html.headers["x-content-type-options"], "nosniff");
  assert.equal(html.headers["cache-control"], "no-cache");

  const second = await transferred(page, () => page.reload());
  const again = second.filter(({ path, bytes }) => path.startsWith("/assets/") && bytes > 0);
  assert.deepEqual(
    again.map(({ path }) => path),
    [],
  );
  await checkA11y();
}

// What comes over the wire until the overview is there.
async function transferred(page, load) {
  const session = await page.context().newCDPSession(page);
  const seen = new Map();
  session.on("Network.responseReceived", ({ requestId, response }) => {
    const headers = Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const path = new URL(response.url).pathname;
    if (response.url.startsWith("http")) seen.set(requestId, { path, headers, bytes: 0 });
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const one = seen.get(requestId);
    if (one) one.bytes = encodedDataLength;
  });
  await session.send("Network.enable");
  await load();
  await assertHeading(page, "Overview");
  await page.locator(".stats, .first-steps").first().waitFor();
  await page.waitForLoadState("networkidle");
  await session.detach();
  return [...seen.values()];
}
