// The official OpenAI library for JavaScript against a running gateway: tests/it/sdk starts it and says where it is.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";

const baseURL = process.env.GATEWAY_URL;
const apiKey = process.env.GATEWAY_KEY;
const narrowKey = process.env.GATEWAY_NARROW_KEY;
const messages = [{ role: "user", content: "Say hello." }];

const client = (options = {}) => new OpenAI({ baseURL, apiKey, ...options });

const gather = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
};

const text = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("");

test("an answer in one piece", async () => {
    const answer = await client().chat.completions.create({ model: "plain", messages });

    assert.equal(answer.choices[0].message.content, "Hello there");
    assert.deepEqual([answer.usage.prompt_tokens, answer.usage.completion_tokens], [9, 2]);
});

test("the sandbox", async () => {
    const answer = await client().chat.completions.create({ model: "echo", messages });

    assert.ok(answer.choices[0].message.content.includes("Say hello."));
});

test("gateway headers are within reach", async () => {
    const { response } = await client().chat.completions.create({ model: "plain", messages }).withResponse();

    assert.match(response.headers.get("x-gw-request-id"), /^req_[0-9a-f]{32}$/);
});

test("a stream has no usage unless asked", async () => {
    const chunks = await gather(await client().chat.completions.create({ model: "plain", messages, stream: true }));

    assert.equal(text(chunks), "Hello there");
    assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
    assert.ok(chunks.every((chunk) => chunk.usage == null));
});

test("a stream ends with usage when asked", async () => {
    for (const model of ["plain", "echo"]) {
        const options = { model, messages, stream: true, stream_options: { include_usage: true } };
        const chunks = await gather(await client().chat.completions.create(options));

        assert.deepEqual(chunks.at(-1).choices, []);
        assert.ok(chunks.at(-1).usage.total_tokens > 0);
    }
});

test("comments that keep a slow stream alive are not seen", async () => {
    const chunks = await gather(await client().chat.completions.create({ model: "slow", messages, stream: true }));

    assert.equal(text(chunks), "late");
});

test("the stream helper gathers the whole answer", async () => {
    const stream = client().chat.completions.stream({ model: "plain", messages });

    assert.equal((await stream.finalChatCompletion()).choices[0].message.content, "Hello there");
});

test("many calls at once", async () => {
    const ask = () => client().chat.completions.create({ model: "echo", messages });
    const answers = await Promise.all(Array.from({ length: 30 }, ask));

    assert.equal(new Set(answers.map((answer) => answer.id)).size, 30);
});

test("the list of models is the key's own", async () => {
    const ids = async (options) => (await gather(await client(options).models.list())).map((model) => model.id);

    assert.ok((await ids()).includes("echo"));
    assert.deepEqual(await ids({ apiKey: narrowKey }), ["plain"]);
    await assert.rejects(client({ maxRetries: 0 }).models.retrieve("nope"), OpenAI.NotFoundError);
});

for (const [name, kind, status, code, model, options] of [
    ["a wrong key", OpenAI.AuthenticationError, 401, "invalid_api_key", "plain", { apiKey: "gw-wrong" }],
    ["an unknown model", OpenAI.NotFoundError, 404, "model_not_found", "nope"],
    ["a model that is not allowed", OpenAI.PermissionDeniedError, 403, "model_not_allowed", "echo", { apiKey: narrowKey }],
    ["a request the provider refuses", OpenAI.BadRequestError, 400, "invalid_value", "bad"],
    ["a rate limit", OpenAI.RateLimitError, 429, "rate_limit_exceeded", "limited"],
    ["a provider that fails", OpenAI.InternalServerError, 502, "upstream_error", "broken"],
    ["a provider that refuses the gateway", OpenAI.InternalServerError, 502, "upstream_auth", "refused"],
]) {
    test(`${name} is told by its class`, async () => {
        const call = client(options).chat.completions.create({ model, messages });

        await assert.rejects(call, (error) => {
            assert.ok(error instanceof kind, `${error}`);
            assert.deepEqual([error.status, error.code], [status, code]);
            return true;
        });
    });
}

test("a stream that breaks ends in an error", async () => {
    for (const model of ["cut", "told"]) {
        const stream = await client().chat.completions.create({ model, messages, stream: true });
        await assert.rejects(gather(stream), OpenAI.APIError);
    }
});
