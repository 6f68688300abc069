// The official libraries for JavaScript against every kind of provider, with the helpers that put streams together and
// call tools by themselves.

import assert from "node:assert/strict";
import { test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";

import * as gateway from "./gateway.mjs";
import { calling, everybody, gather } from "./gateway.mjs";

const openai = new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey: gateway.key, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: gateway.origin, apiKey: gateway.key, maxRetries: 0 });
const google = new GoogleGenAI({
    apiKey: gateway.key,
    httpOptions: { baseUrl: gateway.origin, retryOptions: { attempts: 1 } },
});

const { name, description, schema } = gateway.tool;
const user = (content) => [{ role: "user", content }];
const run = async (asked) => gateway.getWeather(asked);

for (const model of everybody) {
    test(`chat's stream of ${model} tells each piece`, async () => {
        const pieces = [];
        const stream = openai.chat.completions.stream({ model, messages: user(gateway.question) });
        stream.on("content", (piece) => pieces.push(piece));
        const { choices } = await stream.finalChatCompletion();

        assert.deepEqual([choices[0].message.content, choices[0].finish_reason], [gateway.greeting, "stop"]);
        assert.equal(pieces.join(""), gateway.greeting);
    });

    test(`every character of ${model} arrives`, async () => {
        const messages = user(gateway.runes);
        const chat = await openai.chat.completions.stream({ model, messages }).finalChatCompletion();
        assert.equal(chat.choices[0].message.content, gateway.runic);
        const message = await anthropic.messages.stream({ model, max_tokens: 4096, messages }).finalMessage();
        assert.equal(message.content.map((block) => block.text).join(""), gateway.runic);
        const pieces = await gather(await google.models.generateContentStream({ model, contents: gateway.runes }));
        assert.equal(pieces.map((piece) => piece.text ?? "").join(""), gateway.runic);
        const events = await gather(await openai.responses.create({ model, input: gateway.runes, stream: true }));
        const deltas = events.filter((event) => event.type === "response.output_text.delta");
        assert.equal(deltas.map((event) => event.delta).join(""), gateway.runic);
    });

    test(`a stream of ${model} that breaks is an error`, async () => {
        for (const question of [gateway.fail, gateway.hangUp]) {
            const messages = user(question);
            await assert.rejects(gather(await openai.chat.completions.create({ model, messages, stream: true })));
            await assert.rejects(anthropic.messages.stream({ model, max_tokens: 4096, messages }).finalMessage());
        }
    });
}

for (const model of calling) {
    test(`chat runs tools for ${model} by itself`, async () => {
        const function_ = { name, description, parameters: schema, parse: JSON.parse, function: run };
        const tools = [{ type: "function", function: function_ }];
        for (const stream of [false, true]) {
            const runner = openai.chat.completions.runTools({ model, messages: user(gateway.steps), tools, stream });
            assert.equal(await runner.finalContent(), gateway.report);
        }
    });

    test(`messages run tools for ${model} by themselves`, async () => {
        const tools = [{ name, description, input_schema: schema, run, parse: (asked) => asked }];
        for (const stream of [false, true]) {
            const asked = { model, max_tokens: 4096, messages: user(gateway.steps), tools, stream };
            const message = await anthropic.beta.messages.toolRunner(asked).runUntilDone();
            assert.deepEqual([message.content.at(-1).text, message.stop_reason], [gateway.report, "end_turn"]);
        }
    });

    test(`arguments of ${model} come whole, however long`, async () => {
        const tools = [{ type: "function", function: { name, description, parameters: schema } }];
        const asked = { model, messages: user(gateway.long), tools };
        const { choices } = await openai.chat.completions.stream(asked).finalChatCompletion();
        const [call] = choices[0].message.tool_calls;
        // Not compared as values: nobody wants to read the difference.
        assert.ok(JSON.parse(call.function.arguments).city === gateway.longCity);

        const own = [{ name, description, input_schema: schema }];
        const request = { model, max_tokens: 4096, messages: user(gateway.long), tools: own };
        const { content } = await anthropic.messages.stream(request).finalMessage();
        assert.ok(content.find((block) => block.type === "tool_use").input.city === gateway.longCity);
    });

    test(`a chat of Google's library remembers the tools of ${model}`, async () => {
        const tools = [{ functionDeclarations: [{ name, description, parametersJsonSchema: schema }] }];
        const chat = google.chats.create({ model, config: { tools } });
        let answer = await chat.sendMessage({ message: gateway.steps });
        while (answer.functionCalls?.length) {
            const message = answer.functionCalls.map(({ id, name, args }) => {
                return { functionResponse: { id, name, response: { result: gateway.getWeather(args) } } };
            });
            answer = await chat.sendMessage({ message });
        }
        assert.equal(answer.text, gateway.report);
    });
}
