// Claude Code's command line against a running gateway: an answer, and a command that it runs for the model.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as agent from "./agent.mjs";

const ask = (model, prompt) => {
    const args = ["-p", prompt, "--model", model, "--output-format", "stream-json", "--verbose"];
    return agent.run("claude", [...args, "--allowedTools", "Bash(echo:*)"], () => ({
        ANTHROPIC_BASE_URL: agent.origin,
        ANTHROPIC_AUTH_TOKEN: agent.key,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        CLAUDE_CODE_MAX_RETRIES: "0",
        DISABLE_AUTOUPDATER: "1",
    }));
};

const results = (told) =>
    told
        .filter((one) => one.type === "user")
        .flatMap((one) => one.message.content)
        .filter((block) => block.type === "tool_result");

for (const model of agent.models) {
    test(`it answers with ${model}`, async () => {
        const told = await ask(model, agent.question);

        const { is_error, result, num_turns, usage } = told.at(-1);
        assert.deepEqual([is_error, result, num_turns], [false, agent.greeting, 1]);
        assert.deepEqual([usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens], [12, 8, 7]);
    });

    test(`it runs a command for ${model}`, async () => {
        const told = await ask(model, agent.errand);

        const { is_error, result, num_turns } = told.at(-1);
        assert.deepEqual([is_error, result, num_turns], [false, agent.done, 2]);
        assert.deepEqual(results(told).map((one) => one.content), [agent.said]);
    });
}
