// Google's official library for JavaScript against a running gateway: tests/it/sdk starts it and says where it is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, GoogleGenAI } from "@google/genai";

import * as gateway from "./gateway.mjs";
import { eachWay, fakes, gather, reasoningOf, sandbox, thinking } from "./gateway.mjs";

const client = (apiKey = gateway.key) => {
    return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway.origin, retryOptions: { attempts: 1 } } });
};
const tools = [
    {
        functionDeclarations: [
            {
                name: gateway.tool.name,
                description: gateway.tool.description,
                parametersJsonSchema: gateway.tool.schema,
            },
        ],
    },
];

// All pieces of an answer.
const ask = async (model, stream, contents = gateway.question, config = {}) => {
    const { models } = client();
    const request = { model, contents, config };
    return stream ? gather(await models.generateContentStream(request)) : [await models.generateContent(request)];
};

const parts = (answer) => answer.flatMap((piece) => piece.candidates?.[0]?.content?.parts ?? []);
const text = (answer, thought = false) => {
    const meant = parts(answer).filter((part) => Boolean(part.thought) === thought);
    return meant.map((part) => part.text ?? "").join("");
};
const finish = (answer) => answer.at(-1).candidates[0].finishReason;

for (const { model, stream } of eachWay(fakes)) {
    const way = `with ${model}, ${stream ? "streamed" : "whole"}`;

    test(`an answer ${way}`, async () => {
        const answer = await ask(model, stream);

        assert.deepEqual([text(answer), finish(answer)], [gateway.greeting, "STOP"]);
        const usage = answer.at(-1).usageMetadata;
        assert.deepEqual([usage.promptTokenCount, usage.cachedContentTokenCount], [gateway.input, gateway.cached]);
        assert.equal(usage.candidatesTokenCount, gateway.output - reasoningOf(model));
        assert.equal(usage.thoughtsTokenCount ?? 0, reasoningOf(model));
    });

    test(`a system instruction and a limit arrive ${way}`, async () => {
        const instructed = await ask(model, stream, gateway.question, { systemInstruction: gateway.briefly });
        assert.equal(text(instructed), gateway.brief);
        const limited = await ask(model, stream, gateway.question, { maxOutputTokens: gateway.tightLimit });
        assert.deepEqual([text(limited), finish(limited)], [gateway.cutShort, "MAX_TOKENS"]);
    });

    test(`two calls and their results ${way}`, async () => {
        const asked = { role: "user", parts: [{ text: gateway.weather }] };
        const called = await ask(model, stream, [asked], { tools });
        const calls = parts(called).flatMap((part) => part.functionCall ?? []);
        assert.equal(text(called), gateway.aside);
        assert.deepEqual(calls.map((call) => call.args), gateway.cities);

        const results = calls.map(({ id, name, args }) => {
            return { functionResponse: { id, name, response: { result: gateway.getWeather(args) } } };
        });
        const said = { role: "model", parts: parts(called) };
        const told = await ask(model, stream, [asked, said, { role: "user", parts: results }], { tools });
        assert.deepEqual([text(told), finish(told)], [gateway.report, "STOP"]);
    });

    test(`a limit of the provider ${way}`, async () => {
        await assert.rejects(ask(`${model}-limited`, stream), (error) => {
            assert.ok(error instanceof ApiError, `${error}`);
            assert.equal(error.status, 429);
            return true;
        });
    });
}

for (const { model, stream } of eachWay(thinking)) {
    test(`thoughts of ${model}, streamed: ${stream}`, async () => {
        const config = { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 }, maxOutputTokens: 4096 };
        const answer = await ask(model, stream, gateway.question, config);

        assert.deepEqual([text(answer, true), text(answer)], [gateway.thought, gateway.greeting]);
    });
}

for (const model of ["gemini", "openai"]) {
    test(`a slow stream of ${model} is only its answer`, async () => {
        assert.equal(text(await ask(model, true, gateway.slowly)), gateway.greeting);
    });
}

for (const { model, stream } of eachWay([sandbox])) {
    test(`the sandbox, streamed: ${stream}`, async () => {
        assert.ok(text(await ask(model, stream)).includes(gateway.question));
    });
}

test("tokens are counted, and models listed", async () => {
    const counted = await client().models.countTokens({ model: "bedrock", contents: gateway.question });
    assert.ok(counted.totalTokens > 0);
    const names = (await gather(await client().models.list())).map((model) => model.name);
    assert.deepEqual([...fakes, sandbox].filter((name) => !names.includes(`models/${name}`)), []);
});

for (const [what, status, model, key] of [
    ["a wrong key", 401, "gemini", gateway.wrongKey],
    ["an unknown model", 404, "nope", gateway.key],
]) {
    test(what, async () => {
        const call = client(key).models.generateContent({ model, contents: gateway.question });
        await assert.rejects(call, (error) => error instanceof ApiError && error.status === status);
    });
}

test("embeddings of each text, shorter ones, and those of nobody", async () => {
    const { models } = client();
    for (const model of ["openai", "compatible", "gemini"]) {
        const { embeddings } = await models.embedContent({ model, contents: ["a", "b"] });
        assert.deepEqual(
            embeddings.map(({ values }) => values),
            [
                [0.5, -0.25, 0.125, 0.0625],
                [0.5, -0.25, 0.125, 0.0625],
            ],
        );
        const config = { outputDimensionality: 2, taskType: "CLUSTERING" };
        const shorter = await models.embedContent({ model, contents: "a", config });
        assert.deepEqual(shorter.embeddings[0].values, [0.5, -0.25]);
    }
    const refused = models.embedContent({ model: "anthropic", contents: "a" });
    await assert.rejects(refused, (error) => error instanceof ApiError && error.status === 400);
});
