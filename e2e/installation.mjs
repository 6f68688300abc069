// The installation that the journeys share: its owner and first organization, which the first journey makes, and the
// way past the forms for what a journey needs but is not about.

import assert from "node:assert/strict";

export const ORGANIZATION = { name: "Acme Inc.", slug: "acme-inc" };
export const OWNER = { name: "Ada Lovelace", email: "ada@acme.test", password: "tall-ships-and-star-charts" };

// Signs a person in; the cookie stays in the browser's context.
export async function signIn(context, { email, password } = OWNER) {
  const response = await context.request.post("/api/v1/session", { data: { email, password } });
  assert.equal(response.status(), 200, await response.text());
  return response.json();
}

// Calls below `/api/v1` as the person who is signed in; gives status and body.
export function personal(context, me) {
  return callable((method, path, data) => {
    const headers = { "x-gw-csrf": me.csrf_token };
    return context.request.fetch(`/api/v1${path}`, { method, data, headers });
  });
}

// The same below an organization.
export function api(context, me, slug = ORGANIZATION.slug) {
  return within(personal(context, me), slug);
}

// Calls with a control token below an organization, by nobody who is signed in.
export function apiOfToken(url, token, slug = ORGANIZATION.slug) {
  const call = async (method, path, data) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${url}/api/v1${path}`, { method, headers, body: data && JSON.stringify(data) });
    return { status: () => response.status, text: () => response.text() };
  };
  return within(callable(call), slug);
}

// Makes something and gives it.
export async function make(client, path, data) {
  const { status, body } = await client.post(path, data);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

// A provider answered by the gateway itself, and a model that leads there.
export async function makeSandbox(client, name) {
  await make(client, "/providers", { name, kind: "sandbox" });
  await make(client, "/models", { name, route: { target: `${name}/sandbox-small` } });
}

// One request to the data plane; gives status and body.
export async function chat(url, secret, model, content = "Hello", more = {}) {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content }], ...more }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

function callable(send) {
  const call = async (method, path, data) => {
    const response = await send(method, path, data);
    const text = await response.text();
    return { status: response.status(), body: text === "" ? null : JSON.parse(text) };
  };
  return {
    get: (path) => call("GET", path),
    post: (path, data) => call("POST", path, data),
    patch: (path, data) => call("PATCH", path, data),
    delete: (path) => call("DELETE", path),
  };
}

function within(client, slug) {
  const below = (path) => `/organizations/${slug}${path}`;
  return {
    get: (path) => client.get(below(path)),
    post: (path, data) => client.post(below(path), data),
    patch: (path, data) => client.patch(below(path), data),
    delete: (path) => client.delete(below(path)),
  };
}
