// Codex's command line against a running gateway: an answer, and a command that it runs for the model.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import * as agent from "./agent.mjs";

const config = `
model_provider = "gateway"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.gateway]
name = "gateway"
base_url = "${agent.origin}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
`;
const place = (home) => join(home, "codex");

const ask = (model, prompt) => {
    // It may do what it likes: there is nothing in its directory, and the only command is an echo.
    const args = ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];
    const environment = (home) => ({ CODEX_HOME: place(home), GATEWAY_KEY: agent.key });
    return agent.run("codex", [...args, "--model", model, prompt], environment, async (home) => {
        await mkdir(place(home));
        await writeFile(join(place(home), "config.toml"), config);
    });
};

const items = (told, type) =>
    told.filter((one) => one.type === "item.completed" && one.item.type === type).map((one) => one.item);
const texts = (told) => items(told, "agent_message").map((item) => item.text);

for (const model of agent.models) {
    test(`it answers with ${model}`, async () => {
        const told = await ask(model, agent.question);

        assert.deepEqual(texts(told), [agent.greeting]);
        const { type, usage } = told.at(-1);
        assert.deepEqual([type, usage.input_tokens, usage.cached_input_tokens, usage.output_tokens], ["turn.completed", 20, 8, 7]);
    });

    test(`it runs a command for ${model}`, async () => {
        const told = await ask(model, agent.errand);

        assert.equal(texts(told).at(-1), agent.done);
        const [ran] = items(told, "command_execution");
        assert.deepEqual([ran.aggregated_output.trim(), ran.exit_code], [agent.said, 0]);
    });
}
