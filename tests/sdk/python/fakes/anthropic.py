"""Anthropic's messages."""

from anthropic.types.beta.message_create_params import MessageCreateParams as BetaMessageCreateParams
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParams

from . import scene
from .exchange import SECRET, Reply, event, stream
from .openai_chat import text
from .scene import Invalid
from .types import check

# From this version on, sampling parameters are refused.
NO_SAMPLING = "2026-10-21"


def answer(call):
    call.needs_header("x-api-key", SECRET)
    if call.path == "v1/messages/count_tokens":
        check(MessageCountTokensParams, call.body)
        return Reply(body={"input_tokens": scene.INPUT})
    if call.path != "v1/messages":
        raise Invalid(f"there is no {call.path}")
    body = call.body
    check(BetaMessageCreateParams if call.headers.get("anthropic-beta") else MessageCreateParams, body)
    version = call.headers["anthropic-version"]
    if version >= NO_SAMPLING and {"temperature", "top_p", "top_k"} & body.keys():
        raise Invalid(f"version {version} has no sampling parameters")
    if body["model"] == "limited":
        error = {"type": "rate_limit_error", "message": "slow down"}
        return Reply(429, {"type": "error", "error": error, "request_id": "req_1"})
    turn = scene.play(read(body), call.raw)
    if body.get("stream"):
        return stream(events(body, turn))
    return Reply(body=message(body, blocks(turn), stop_reason(turn), scene.OUTPUT))


def read(body):
    asked = scene.Asked(system=text(body.get("system") or ""), limit=body["max_tokens"])
    asked.tools = [tool["name"] for tool in body.get("tools") or []]
    thinking = body.get("thinking") or {"type": "disabled"}
    asked.thinking = thinking["type"] != "disabled"
    if thinking.get("budget_tokens", 0) >= body["max_tokens"]:
        raise Invalid("max_tokens must be greater than thinking.budget_tokens")
    if body["messages"][0]["role"] != "user":
        raise Invalid("the first message must be the user's")
    for message in body["messages"]:
        content = message["content"]
        content = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if any(block["type"] == "text" and not block["text"].strip() for block in content):
            raise Invalid("text content blocks must contain text")
        calls = [block for block in content if block["type"] == "tool_use"]
        thoughts = [block for block in content if block["type"] == "thinking"]
        if calls and asked.thinking and content[0]["type"] != "thinking":
            raise Invalid("with thinking, a turn that calls tools must begin with its thoughts")
        if any(block["signature"] != scene.SIGNATURE for block in thoughts):
            raise Invalid(f"the signature of thoughts is wrong: {thoughts}")
        asked.calls += [(block["id"], block["input"]) for block in calls]
        results = [block for block in content if block["type"] == "tool_result"]
        if results != content[: len(results)]:
            raise Invalid("tool results must come first in their message")
        asked.results += [(block["tool_use_id"], text(block.get("content") or "")) for block in results]
    return asked


def blocks(turn):
    found = []
    if turn.thought:
        found.append({"type": "thinking", "thinking": "".join(turn.thought), "signature": scene.SIGNATURE})
    found.append({"type": "text", "text": "".join(turn.text), "citations": None})
    for number, one in enumerate(turn.calls):
        found.append({"type": "tool_use", "id": f"toolu_{number}", "name": turn.tool, "input": one})
    return found


def stop_reason(turn):
    return "max_tokens" if turn.cut_short else "tool_use" if turn.calls else "end_turn"


def usage(output):
    return {
        "input_tokens": scene.INPUT_UNCACHED,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": scene.INPUT_CACHED,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": min(output, scene.OUTPUT_REASONING)},
        "service_tier": "standard",
    }


def message(body, content, reason, output):
    common = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": content}
    return {**common, "stop_reason": reason, "stop_sequence": None, "usage": usage(output)}


def events(body, turn):
    def tell(kind, **members):
        return event({"type": kind, **members}, kind)

    yield tell("message_start", message=message(body, [], None, 1))
    yield tell("ping")
    for index, block in enumerate(blocks(turn)):
        begin, deltas = {"thinking": thinking, "text": said, "tool_use": tool_use}[block["type"]](block, turn)
        yield tell("content_block_start", index=index, content_block=begin)
        for delta in deltas:
            yield tell("content_block_delta", index=index, delta=delta)
        yield tell("content_block_stop", index=index)
    yield tell("message_delta", delta={"stop_reason": stop_reason(turn), "stop_sequence": None}, usage=usage(scene.OUTPUT))
    yield tell("message_stop")


def thinking(block, turn):
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in turn.thought]
    deltas.append({"type": "signature_delta", "signature": scene.SIGNATURE})
    return {**block, "thinking": "", "signature": ""}, deltas


def said(block, turn):
    return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in turn.text]


def tool_use(block, _):
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *scene.pieces(block["input"])]]
    return {**block, "input": {}}, deltas
