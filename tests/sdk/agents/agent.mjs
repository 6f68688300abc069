// Runs an agent's command line in a directory of its own, with nothing of ours around it but where the gateway is.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const origin = process.env.GATEWAY_ORIGIN;
export const key = process.env.GATEWAY_KEY;
// Names of models at the gateway: by default those of all its providers.
export const models = (process.env.GATEWAY_MODELS ?? "openai,compatible,anthropic,gemini,bedrock").split(",");

// What the fakes expect and say; see scene.py.
export const question = "Say hello.";
export const greeting = "Hello there.";
export const errand = "Run the errand.";
export const done = "The errand is done.";
export const said = "the shell was here";
export const patching = "Apply the patch.";
export const patched = { file: "note.txt", text: 'The "patch"\twas applied.\n' };

const programs = join(dirname(fileURLToPath(import.meta.url)), "node_modules", ".bin");
const limit = 60_000;

// What it wrote, line by line, when it was content. `look` sees the directory it worked in before that is gone.
export const run = async (program, args, environment, prepare = async () => {}, look = async () => {}) => {
    const home = await mkdtemp(join(tmpdir(), "agent-"));
    const work = join(home, "work");
    try {
        await mkdir(work);
        await prepare(home);
        const env = { PATH: process.env.PATH, HOME: home, ...environment(home) };
        const told = await new Promise((resolve, reject) => {
            const child = execFile(join(programs, program), args, { cwd: work, env, timeout: limit }, (error, out, err) =>
                error ? reject(new Error(`${program} failed: ${error.message}\n${out}\n${err}`)) : resolve(lines(out)),
            );
            // Both would wait for more of the question.
            child.stdin.end();
        });
        await look(work);
        return told;
    } finally {
        await rm(home, { recursive: true, force: true, maxRetries: 5 });
    }
};

const lines = (text) =>
    text
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line));
