// A tiny model provider on this machine: lists one model, answers every chat the same, knows one key.

import { createServer } from "node:http";

export const USED = { prompt_tokens: 1000, completion_tokens: 200, total_tokens: 1200 };

export async function startUpstream(model) {
  const state = { key: "sk-first" };
  const answers = {
    "GET /v1/models": { object: "list", data: [{ id: model, object: "model" }] },
    "POST /v1/chat/completions": {
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1,
      model,
      choices: [{ index: 0, message: { role: "assistant", content: "From next door." }, finish_reason: "stop" }],
      usage: USED,
    },
  };
  const server = createServer((request, response) => {
    const send = (status, body) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    request.resume().on("end", () => {
      if (request.headers.authorization !== `Bearer ${state.key}`) {
        return send(401, {
          error: { message: "Incorrect API key provided.", type: "invalid_request_error", code: "invalid_api_key" },
        });
      }
      const answer = answers[`${request.method} ${request.url}`];
      return answer
        ? send(200, answer)
        : send(404, { error: { message: "No such address.", type: "invalid_request_error" } });
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    // From here on only this key is known.
    changeKey: (key) => (state.key = key),
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
