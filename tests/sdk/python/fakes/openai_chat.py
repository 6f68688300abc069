"""OpenAI's chat completions, and those of vendors that speak the same with an accent; see vendors.py."""

import json
from itertools import zip_longest

from . import scene
from .exchange import Failed, Reply, event, stream
from .scene import Invalid
from .types import check

LIMITS = {"max_tokens", "max_completion_tokens"}


def answer(call, vendor):
    body = call.body
    check(vendor.request, vendor.known(body))
    if body["model"] == "limited":
        error = {"message": "slow down", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        return Reply(429, {"error": error})
    if len(LIMITS & body.keys()) > 1:
        raise Invalid("max_tokens and max_completion_tokens are the same")
    turn = scene.play(read(body, vendor), call.raw)
    if body.get("stream"):
        usage_wanted = vendor.usage_unasked or (body.get("stream_options") or {}).get("include_usage")
        return stream(chunks(body, turn, vendor, usage_wanted))
    return Reply(body=whole(body, turn, vendor))


def read(body, vendor):
    asked = scene.Asked(limit=body.get("max_completion_tokens") or body.get("max_tokens"))
    asked.thinking = vendor.thinks(body)
    asked.tools = [tool["function"]["name"] for tool in body.get("tools") or []]
    asked.choice = choice(body.get("tool_choice") or "auto")
    schema = (body.get("response_format") or {}).get("json_schema") or {}
    asked.schema = schema.get("schema")
    asked.parameters = parameters(body, vendor)
    for message in body["messages"]:
        if message["role"] in ("system", "developer"):
            asked.system += text(message["content"])
        if message["role"] == "user" and isinstance(message["content"], list):
            asked.media += [found for part in message["content"] if (found := medium(part))]
        if message["role"] == "assistant":
            calls = message.get("tool_calls") or []
            asked.calls += [(one["id"], json.loads(one["function"]["arguments"])) for one in calls]
        if message["role"] == "tool":
            asked.results.append((message["tool_call_id"], text(message["content"])))
    return asked


def choice(choice):
    if isinstance(choice, dict):
        return choice["function"]["name"]
    return {"required": "any"}.get(choice, choice)


def parameters(body, vendor):
    same = ["temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "user"]
    found = scene.given(body, **{name: name for name in same}, parallel="parallel_tool_calls", seed=vendor.seed)
    if body.get("stop"):
        found["stop"] = [body["stop"]] if isinstance(body["stop"], str) else body["stop"]
    return found


def medium(part):
    if part["type"] == "image_url":
        return data_url(part["image_url"]["url"])
    if part["type"] == "file":
        return data_url(part["file"]["file_data"])
    return None


def data_url(url):
    if not url.startswith("data:"):
        return "address", url
    kind, data = url.removeprefix("data:").split(";base64,")
    return kind, data


def text(content):
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or [])


def usage():
    return {
        "prompt_tokens": scene.INPUT,
        "completion_tokens": scene.OUTPUT,
        "total_tokens": scene.INPUT + scene.OUTPUT,
        "prompt_tokens_details": {"cached_tokens": scene.INPUT_CACHED, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": scene.OUTPUT_REASONING, "audio_tokens": 0},
    }


def tool_call(turn, number, arguments, vendor):
    function = {"name": turn.tool, "arguments": arguments}
    return {"id": vendor.call_id(turn.step + number), "type": "function", "function": function}


def finish(turn):
    return "length" if turn.cut_short else "tool_calls" if turn.calls else "stop"


def whole(body, turn, vendor):
    if turn.end in ("failed", "gone"):
        # Errors in answers that say they are fine.
        return {"error": {"message": "broke off", "type": "server_error", "param": None, "code": None}}
    message = {"role": "assistant", "content": "".join(turn.text) or None, "refusal": None, "annotations": []}
    if turn.end == "refused":
        message |= {"content": None, "refusal": "".join(turn.text)}
    if turn.thought:
        message |= vendor.thought(turn, "".join(turn.thought), message["content"])
    if turn.calls:
        calls = enumerate(turn.calls)
        message["tool_calls"] = [tool_call(turn, number, json.dumps(one), vendor) for number, one in calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish(turn)}
    common = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": f"{body['model']}-2026-01-01"}
    return {**common, "choices": [choice], "usage": usage(), "service_tier": "default", "system_fingerprint": "fp_1"}


def chunks(body, turn, vendor, usage_wanted):
    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    if usage_wanted and not vendor.usage_unasked:
        common["usage"] = None

    def chunk(delta, reason=None, **more):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event({**common, "choices": [choice], **more})

    if vendor.begins_empty:
        yield event({**common, "choices": [], "prompt_filter_results": [{"prompt_index": 0}]})
    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in turn.thought:
        yield chunk(vendor.thought(turn, piece, None))
    for piece in turn.text:
        yield chunk({"refusal" if turn.end == "refused" else "content": piece})
    if turn.end == "failed":
        yield event({"error": {"message": "broke off", "type": "server_error", "param": None, "code": None}})
        return
    if turn.end == "gone":
        raise Failed
    yield from (chunk({"tool_calls": [piece]}) for piece in call_pieces(turn, vendor))
    if vendor.usage_unasked:
        yield chunk({}, finish(turn), usage=usage())
    else:
        yield chunk({}, finish(turn))
        if usage_wanted:
            yield event({**common, "choices": [], "usage": usage()})
    yield b"data: [DONE]\n\n"


def call_pieces(turn, vendor):
    calls = [begun(turn, number, one, vendor) for number, one in enumerate(turn.calls)]
    if vendor.side_by_side:
        return [piece for pieces in zip_longest(*calls) for piece in pieces if piece]
    return [piece for pieces in calls for piece in pieces]


def begun(turn, number, one, vendor):
    first = {"index": number, **tool_call(turn, number, "", vendor)}
    return [first, *({"index": number, "function": {"arguments": piece}} for piece in scene.pieces(one))]
