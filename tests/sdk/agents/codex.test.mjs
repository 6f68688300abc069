// Codex's command line against a running gateway: an answer, a command that it runs for the model, and a patch that it
// applies, which comes as plain text whatever the model's provider knows of such tools.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
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
// What Codex has to know of a model before it offers it the tool that edits files.
const catalog = {
    models: agent.models.map((slug) => ({
        slug,
        display_name: slug,
        description: "",
        base_instructions: "Edit files.",
        apply_patch_tool_type: "freeform",
        shell_type: "shell_command",
        visibility: "list",
        supported_in_api: true,
        priority: 1,
        supported_reasoning_levels: [],
        supports_reasoning_summaries: false,
        support_verbosity: false,
        supports_parallel_tool_calls: true,
        truncation_policy: { mode: "tokens", limit: 10000 },
        context_window: 272000,
        experimental_supported_tools: [],
        availability_nux: null,
        upgrade: null,
    })),
};
const place = (home) => join(home, "codex");

const ask = (model, prompt, look) => {
    // It may do what it likes: there is nothing in its directory, and the only command is an echo.
    const args = ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];
    const environment = (home) => ({ CODEX_HOME: place(home), GATEWAY_KEY: agent.key });
    const prepare = async (home) => {
        await mkdir(place(home));
        const known = join(place(home), "models.json");
        await writeFile(known, JSON.stringify(catalog));
        await writeFile(join(place(home), "config.toml"), `model_catalog_json = ${JSON.stringify(known)}\n${config}`);
    };
    return agent.run("codex", [...args, "--model", model, prompt], environment, prepare, look);
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

    test(`it applies a patch for ${model}`, async () => {
        let text;
        const told = await ask(model, agent.patching, async (work) => {
            text = await readFile(join(work, agent.patched.file), "utf8");
        });

        assert.equal(text, agent.patched.text);
        assert.equal(texts(told).at(-1), agent.done);
        const [changed] = items(told, "file_change");
        assert.deepEqual([changed.changes.length, changed.status], [1, "completed"]);
    });
}
