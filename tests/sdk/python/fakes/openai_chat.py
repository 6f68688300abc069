"""OpenAI's chat completions."""

import json

from openai.types.chat.completion_create_params import CompletionCreateParams

from . import scene
from .exchange import Reply, event, stream
from .types import check

# What compatible servers know besides: thoughts go into the answer, and may come back.
ALSO = {"reasoning_content"}


def answer(call):
    body = call.body
    messages = [{name: value for name, value in message.items() if name not in ALSO} for message in body["messages"]]
    check(CompletionCreateParams, {**body, "messages": messages})
    if body["model"] == "limited":
        error = {"message": "slow down", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        return Reply(429, {"error": error})
    turn = scene.play(read(body), call.raw)
    if body.get("stream"):
        usage_wanted = (body.get("stream_options") or {}).get("include_usage")
        return stream(chunks(body, turn, usage_wanted))
    return Reply(body=whole(body, turn))


def read(body):
    asked = scene.Asked(limit=body.get("max_completion_tokens") or body.get("max_tokens"))
    asked.thinking = body.get("reasoning_effort") not in (None, "none")
    asked.tools = [tool["function"]["name"] for tool in body.get("tools") or []]
    for message in body["messages"]:
        if message["role"] in ("system", "developer"):
            asked.system += text(message["content"])
        if message["role"] == "assistant":
            calls = message.get("tool_calls") or []
            asked.calls += [(one["id"], json.loads(one["function"]["arguments"])) for one in calls]
        if message["role"] == "tool":
            asked.results.append((message["tool_call_id"], text(message["content"])))
    return asked


def text(content):
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def usage():
    return {
        "prompt_tokens": scene.INPUT,
        "completion_tokens": scene.OUTPUT,
        "total_tokens": scene.INPUT + scene.OUTPUT,
        "prompt_tokens_details": {"cached_tokens": scene.INPUT_CACHED, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": scene.OUTPUT_REASONING, "audio_tokens": 0},
    }


def tool_call(turn, number, arguments):
    function = {"name": turn.tool, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


def finish(turn):
    return "length" if turn.cut_short else "tool_calls" if turn.calls else "stop"


def whole(body, turn):
    message = {"role": "assistant", "content": "".join(turn.text), "refusal": None, "annotations": []}
    if turn.thought:
        message["reasoning_content"] = "".join(turn.thought)
    if turn.calls:
        message["tool_calls"] = [tool_call(turn, number, json.dumps(one)) for number, one in enumerate(turn.calls)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish(turn)}
    common = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": f"{body['model']}-2026-01-01"}
    return {**common, "choices": [choice], "usage": usage(), "service_tier": "default", "system_fingerprint": "fp_1"}


def chunks(body, turn, usage_wanted):
    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    if usage_wanted:
        common["usage"] = None

    def chunk(delta, reason=None):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event({**common, "choices": [choice]})

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in turn.thought:
        yield chunk({"reasoning_content": piece})
    for piece in turn.text:
        yield chunk({"content": piece})
    for number, one in enumerate(turn.calls):
        yield chunk({"tool_calls": [{"index": number, **tool_call(turn, number, "")}]})
        for piece in scene.pieces(one):
            yield chunk({"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
    yield chunk({}, finish(turn))
    if usage_wanted:
        yield event({**common, "choices": [], "usage": usage()})
    yield b"data: [DONE]\n\n"
