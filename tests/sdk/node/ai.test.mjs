// Vercel's AI SDK on its providers for OpenAI (chat and responses) and Anthropic, against a running gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

import * as gateway from "./gateway.mjs";
import { eachWay, fakes, sandbox } from "./gateway.mjs";

const options = (apiKey) => ({ baseURL: `${gateway.origin}/v1`, apiKey });
const dialects = {
    chat: (model, key = gateway.key) => createOpenAI(options(key)).chat(model),
    responses: (model, key = gateway.key) => createOpenAI(options(key)).responses(model),
    messages: (model, key = gateway.key) => createAnthropic(options(key))(model),
};
const tools = {
    get_weather: tool({
        description: gateway.tool.description,
        inputSchema: jsonSchema(gateway.tool.schema),
        execute: async (asked) => gateway.getWeather(asked),
    }),
};

// What an answer came to, at last, in one piece or as a stream.
const ask = async (model, stream, more = {}) => {
    // Otherwise it refers to items of earlier answers instead of sending them, which only who keeps them can resolve.
    const providerOptions = { openai: { store: false } };
    const request = { model, prompt: gateway.question, maxRetries: 0, providerOptions, ...more };
    if (!stream) return generateText(request);
    let failure;
    const result = streamText({ ...request, onError: ({ error }) => (failure = error) });
    await result.consumeStream();
    if (failure) throw failure;
    const steps = await result.steps;
    return { text: await result.text, finishReason: await result.finishReason, usage: await result.usage, steps };
};

for (const [dialect, of] of Object.entries(dialects)) {
    for (const { model, stream } of eachWay(fakes)) {
        const way = `by ${dialect} with ${model}, ${stream ? "streamed" : "whole"}`;

        test(`an answer ${way}`, async () => {
            const { text, finishReason, usage } = await ask(of(model), stream);

            assert.deepEqual([text, finishReason], [gateway.greeting, "stop"]);
            assert.deepEqual([usage.inputTokens, usage.outputTokens], [gateway.input, gateway.output]);
            assert.equal(usage.inputTokenDetails.cacheReadTokens, gateway.cached);
        });

        test(`a limit arrives and ends the answer ${way}`, async () => {
            const { text, finishReason } = await ask(of(model), stream, { maxOutputTokens: gateway.tightLimit });

            assert.deepEqual([text, finishReason], [gateway.cutShort, "length"]);
        });

        test(`tools are called ${way}`, async () => {
            const request = { prompt: gateway.weather, tools, stopWhen: stepCountIs(3) };
            const { text, steps } = await ask(of(model), stream, request);

            assert.equal(text, gateway.report);
            assert.deepEqual(steps[0].toolCalls.map((call) => call.input), gateway.cities);
        });

        test(`a limit of the provider ${way}`, async () => {
            await assert.rejects(ask(of(`${model}-limited`), stream), (error) => {
                assert.ok(APICallError.isInstance(error), `${error}`);
                assert.equal(error.statusCode, 429);
                return true;
            });
        });
    }

    for (const { model, stream } of eachWay([sandbox])) {
        test(`the sandbox by ${dialect}, streamed: ${stream}`, async () => {
            assert.ok((await ask(of(model), stream)).text.includes(gateway.question));
        });
    }

    test(`a wrong key and an unknown model by ${dialect}`, async () => {
        for (const [status, model] of [
            [401, of("openai", gateway.wrongKey)],
            [404, of("nope")],
        ]) {
            await assert.rejects(ask(model, false), (error) => APICallError.isInstance(error) && error.statusCode === status);
        }
    });
}
