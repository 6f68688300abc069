// The official OpenAI library for JavaScript against models behind other dialects: chat and responses.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";

import * as gateway from "./gateway.mjs";
import { eachWay, fakes, gather, reasoningOf, sandbox, thinking } from "./gateway.mjs";

const client = (apiKey = gateway.key) => new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey, maxRetries: 0 });
const declared = { name: gateway.tool.name, description: gateway.tool.description, parameters: gateway.tool.schema };

const chat = (model, stream, options = {}) => {
    const request = { model, messages: [{ role: "user", content: gateway.question }], ...options };
    if (!stream) return client().chat.completions.create(request);
    const streamed = client().chat.completions.stream({ ...request, stream_options: { include_usage: true } });
    return streamed.finalChatCompletion();
};

const respond = async (model, stream, options = {}) => {
    const request = { model, input: gateway.question, ...options };
    if (!stream) return client().responses.create(request);
    const events = await gather(await client().responses.create({ ...request, stream: true }));
    assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
    return events.at(-1).response;
};

const text = (response) => {
    const content = response.output.flatMap((item) => (item.type === "message" ? item.content : []));
    return content.map((part) => part.text).join("");
};

for (const { model, stream } of eachWay(fakes)) {
    const way = `with ${model}, ${stream ? "streamed" : "whole"}`;

    test(`a completion ${way}`, async () => {
        const { choices, usage } = await chat(model, stream);

        assert.deepEqual([choices[0].message.content, choices[0].finish_reason], [gateway.greeting, "stop"]);
        assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [gateway.input, gateway.output]);
        assert.equal(usage.prompt_tokens_details.cached_tokens, gateway.cached);
    });

    test(`a completion with tools ${way}`, async () => {
        const tools = [{ type: "function", function: declared }];
        const messages = [{ role: "user", content: gateway.weather }];
        const called = (await chat(model, stream, { messages, tools })).choices[0];
        const calls = called.message.tool_calls.map(({ id, function: { name, arguments: given } }) => {
            return { id, type: "function", function: { name, arguments: given } };
        });
        assert.deepEqual([called.message.content, called.finish_reason], [gateway.aside, "tool_calls"]);
        assert.deepEqual(calls.map((call) => JSON.parse(call.function.arguments)), gateway.cities);

        messages.push({ role: "assistant", content: called.message.content, tool_calls: calls });
        for (const call of calls) {
            const content = gateway.getWeather(JSON.parse(call.function.arguments));
            messages.push({ role: "tool", tool_call_id: call.id, content });
        }
        const told = (await chat(model, stream, { messages, tools })).choices[0];
        assert.deepEqual([told.message.content, told.finish_reason], [gateway.report, "stop"]);
    });

    test(`a response ${way}`, async () => {
        const response = await respond(model, stream);

        assert.deepEqual([text(response), response.status], [gateway.greeting, "completed"]);
        const { input_tokens, input_tokens_details, output_tokens, output_tokens_details } = response.usage;
        assert.deepEqual([input_tokens, output_tokens], [gateway.input, gateway.output]);
        assert.equal(input_tokens_details.cached_tokens, gateway.cached);
        assert.equal(output_tokens_details.reasoning_tokens, reasoningOf(model));
    });

    test(`instructions and a limit arrive ${way}`, async () => {
        assert.equal(text(await respond(model, stream, { instructions: gateway.briefly })), gateway.brief);
        const limited = await respond(model, stream, { max_output_tokens: gateway.tightLimit });
        assert.deepEqual([text(limited), limited.status], [gateway.cutShort, "incomplete"]);
    });

    test(`a response with tools ${way}`, async () => {
        const tools = [{ type: "function", strict: true, ...declared }];
        const input = [{ role: "user", content: gateway.weather }];
        const called = await respond(model, stream, { input, tools });
        const calls = called.output.filter((item) => item.type === "function_call");
        assert.equal(text(called), gateway.aside);
        assert.deepEqual(calls.map((call) => JSON.parse(call.arguments)), gateway.cities);

        input.push(...called.output);
        for (const { call_id, arguments: given } of calls) {
            input.push({ type: "function_call_output", call_id, output: gateway.getWeather(JSON.parse(given)) });
        }
        const told = await respond(model, stream, { input, tools });
        assert.deepEqual([text(told), told.status], [gateway.report, "completed"]);
    });

    test(`a limit of the provider ${way}`, async () => {
        for (const call of [chat, respond]) {
            await assert.rejects(call(`${model}-limited`, stream), OpenAI.RateLimitError);
        }
    });
}

for (const { model, stream } of eachWay(["openai", ...thinking])) {
    test(`thoughts of ${model}, streamed: ${stream}`, async () => {
        const reasoning = { effort: "low", summary: "auto" };
        const { output } = await respond(model, stream, { reasoning, max_output_tokens: 8192 });

        assert.deepEqual(output.map((item) => item.type), ["reasoning", "message"]);
        assert.equal((output[0].summary[0] ?? output[0].content[0]).text, gateway.thought);
    });
}

for (const model of ["openai", "bedrock"]) {
    test(`a slow stream of ${model} is only its answer`, async () => {
        assert.equal(text(await respond(model, true, { input: gateway.slowly })), gateway.greeting);
    });
}

for (const { model, stream } of eachWay([sandbox])) {
    test(`the sandbox, streamed: ${stream}`, async () => {
        assert.ok((await chat(model, stream)).choices[0].message.content.includes(gateway.question));
        assert.ok(text(await respond(model, stream)).includes(gateway.question));
    });
}

test("vectors are the same in either encoding", async () => {
    for (const model of ["openai", "compatible", "gemini"]) {
        for (const encoding of [{}, { encoding_format: "float" }]) {
            const { data, usage } = await client().embeddings.create({ model, input: ["a"], ...encoding });
            assert.deepEqual(data[0].embedding, [0.5, -0.25, 0.125, 0.0625]);
            assert.equal(usage.prompt_tokens, 5);
        }
    }
});

test("a wrong key and an unknown model", async () => {
    const ask = (key, model) => client(key).responses.create({ model, input: gateway.question });
    await assert.rejects(ask(gateway.wrongKey, "openai"), OpenAI.AuthenticationError);
    await assert.rejects(ask(gateway.key, "nope"), OpenAI.NotFoundError);
});
