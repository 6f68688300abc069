// The official Anthropic library for JavaScript against a running gateway: tests/it/sdk starts it and says where it is.

import assert from "node:assert/strict";
import { test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import * as gateway from "./gateway.mjs";
import { eachWay, fakes, gather, sandbox, thinking } from "./gateway.mjs";

const client = (apiKey = gateway.key) => new Anthropic({ baseURL: gateway.origin, apiKey, maxRetries: 0 });
const tools = [
    { name: gateway.tool.name, description: gateway.tool.description, input_schema: gateway.tool.schema },
];

const ask = (model, stream, options = {}) => {
    const request = { model, max_tokens: 4096, messages: [{ role: "user", content: gateway.question }], ...options };
    return stream ? client().messages.stream(request).finalMessage() : client().messages.create(request);
};

const text = (message) => message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

for (const { model, stream } of eachWay(fakes)) {
    const way = `with ${model}, ${stream ? "streamed" : "whole"}`;

    test(`an answer ${way}`, async () => {
        const message = await ask(model, stream);

        assert.deepEqual([text(message), message.stop_reason], [gateway.greeting, "end_turn"]);
        const { input_tokens, cache_read_input_tokens, output_tokens } = message.usage;
        assert.deepEqual([input_tokens, cache_read_input_tokens, output_tokens], [12, gateway.cached, gateway.output]);
    });

    test(`a system prompt and a limit arrive ${way}`, async () => {
        assert.equal(text(await ask(model, stream, { system: gateway.briefly })), gateway.brief);
        const message = await ask(model, stream, { max_tokens: gateway.tightLimit });
        assert.deepEqual([text(message), message.stop_reason], [gateway.cutShort, "max_tokens"]);
    });

    test(`two calls and their results ${way}`, async () => {
        const messages = [{ role: "user", content: gateway.weather }];
        const called = await ask(model, stream, { messages, tools });
        const calls = called.content.filter((block) => block.type === "tool_use");
        assert.deepEqual([text(called), called.stop_reason], [gateway.aside, "tool_use"]);
        assert.deepEqual(calls.map((call) => call.input), gateway.cities);

        const results = calls.map((call) => {
            return { type: "tool_result", tool_use_id: call.id, content: gateway.getWeather(call.input) };
        });
        messages.push({ role: "assistant", content: called.content }, { role: "user", content: results });
        const told = await ask(model, stream, { messages, tools });
        assert.deepEqual([text(told), told.stop_reason], [gateway.report, "end_turn"]);
    });

    test(`a limit of the provider ${way}`, async () => {
        await assert.rejects(ask(`${model}-limited`, stream), (error) => {
            assert.ok(error instanceof Anthropic.RateLimitError, `${error}`);
            assert.match(error.requestID, /^req_[0-9a-f]{32}$/);
            return true;
        });
    });
}

for (const { model, stream } of eachWay(thinking)) {
    test(`thoughts of ${model}, streamed: ${stream}`, async () => {
        const message = await ask(model, stream, { thinking: { type: "enabled", budget_tokens: 1024 } });

        assert.deepEqual(message.content.map((block) => block.type), ["thinking", "text"]);
        assert.deepEqual([message.content[0].thinking, text(message)], [gateway.thought, gateway.greeting]);
    });
}

for (const model of ["anthropic", "openai"]) {
    test(`a slow stream of ${model} is only its answer`, async () => {
        assert.equal(text(await ask(model, true, { messages: [{ role: "user", content: gateway.slowly }] })), gateway.greeting);
    });
}

for (const { model, stream } of eachWay([sandbox])) {
    test(`the sandbox, streamed: ${stream}`, async () => {
        assert.ok(text(await ask(model, stream)).includes(gateway.question));
    });
}

test("tokens are counted, and models listed", async () => {
    const messages = [{ role: "user", content: gateway.question }];
    assert.ok((await client().messages.countTokens({ model: "gemini", messages })).input_tokens > 0);
    const names = (await gather(client().models.list())).map((model) => model.id);
    assert.deepEqual([...fakes, sandbox].filter((name) => !names.includes(name)), []);
});

test("a wrong key and an unknown model", async () => {
    const request = { model: "anthropic", max_tokens: 9, messages: [{ role: "user", content: gateway.question }] };
    await assert.rejects(client(gateway.wrongKey).messages.create(request), Anthropic.AuthenticationError);
    await assert.rejects(client().messages.create({ ...request, model: "nope" }), Anthropic.NotFoundError);
});
