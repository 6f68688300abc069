"""Anthropic's messages."""

from anthropic.types.beta.message_create_params import MessageCreateParams as BetaMessageCreateParams
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParams

from . import scene
from .exchange import SECRET, Failed, Reply, event, stream
from .openai_chat import text
from .scene import Invalid
from .types import check

# From this version on, sampling parameters are refused, and the library's types do not know them any more.
NO_SAMPLING = "2026-10-21"
NO_THREADS = "thread_unsupported_request"
SAMPLING = {"temperature", "top_p", "top_k"}


# What clouds put around it, and where their addresses say what the body does elsewhere.
VERTEX = {"anthropic_version": "vertex-2023-10-16"}
BEDROCK = {"anthropic_version": "bedrock-2023-05-31"}


def on_vertex(call, model, verb):
    """`rawPredict` and `streamRawPredict`."""
    body = call.body
    opened(body, VERTEX, "model")
    if verb.startswith("stream") != bool(body.get("stream")):
        raise Invalid(f"{verb} does not go with stream: {body.get('stream')}")
    body["model"] = model
    return messages(call, body)


def on_bedrock(call, model, streamed):
    """`invoke` and `invoke-with-response-stream`: what would be answered, to whom, and the events of it."""
    body = call.body
    opened(body, BEDROCK, "model", "stream")
    betas = body.pop("anthropic_beta", [])
    if not isinstance(betas, list) or not all(isinstance(name, str) for name in betas):
        raise Invalid("anthropic_beta is a list of names")
    if "anthropic-beta" in call.headers:
        raise Invalid("betas are named in the body")
    body |= {"model": model} | ({"stream": True} if streamed else {})
    judge(body, betas)
    return body, scene.play(read(body), call.raw)


def opened(body, envelope, *named_by_address):
    if {name: body.pop(name, None) for name in envelope} != envelope:
        raise Invalid(f"the body says {envelope}")
    for name in named_by_address:
        if name in body:
            raise Invalid(f"the address says the {name}")


def answer(call):
    call.needs_header("x-api-key", SECRET)
    if call.path == "v1/messages/count_tokens":
        check(MessageCountTokensParams, call.body)
        return Reply(body={"input_tokens": scene.INPUT})
    if call.path != "v1/messages":
        raise Invalid(f"there is no {call.path}")
    version = call.headers["anthropic-version"]
    if version >= NO_SAMPLING and SAMPLING & call.body.keys():
        raise Invalid(f"version {version} has no sampling parameters")
    return messages(call, call.body)


def messages(call, body):
    if "thread" in body:
        # Then the library sends all of the conversation.
        error = {"type": "invalid_request_error", "message": "no threads", "details": {"error_code": NO_THREADS}}
        return Reply(400, {"type": "error", "error": error, "request_id": "req_1"})
    judge(body, call.headers.get("anthropic-beta"))
    if body["model"] == "limited":
        error = {"type": "rate_limit_error", "message": "slow down"}
        return Reply(429, {"type": "error", "error": error, "request_id": "req_1"})
    turn = scene.play(read(body), call.raw)
    if body.get("stream"):
        return stream(events(body, turn))
    if turn.end in ("failed", "gone"):
        return Reply(body={"type": "error", "error": {"type": "api_error", "message": "broke off"}})
    return Reply(body=whole(body, turn))


def judge(body, betas):
    kind = BetaMessageCreateParams if betas else MessageCreateParams
    check(kind, {name: value for name, value in body.items() if name not in SAMPLING})


def whole(body, turn):
    return message(body, blocks(turn), stop_reason(turn), scene.OUTPUT)


def read(body):
    asked = scene.Asked(system=text(body.get("system") or ""), limit=body["max_tokens"])
    asked.tools = [tool["name"] for tool in body.get("tools") or []]
    thinking = body.get("thinking") or {"type": "disabled"}
    asked.thinking = thinking["type"] != "disabled"
    asked.choice = choice(body.get("tool_choice") or {"type": "auto"})
    asked.schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    asked.parameters = scene.given(body, temperature="temperature", top_p="top_p", top_k="top_k", stop="stop_sequences")
    asked.parameters |= scene.given(body.get("metadata") or {}, user="user_id")
    if disabled := (body.get("tool_choice") or {}).get("disable_parallel_tool_use"):
        asked.parameters["parallel"] = not disabled
    if asked.choice not in ("auto", "none") and asked.thinking:
        raise Invalid("thinking may not be enabled when tool_choice forces tool use")
    signatures = []
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
        signatures += [block["signature"] for block in thoughts]
        asked.media += [found for block in content if (found := medium(block))]
        asked.calls += [(block["id"], block["input"]) for block in calls]
        results = [block for block in content if block["type"] == "tool_result"]
        if results != content[: len(results)]:
            raise Invalid("tool results must come first in their message")
        asked.results += [(block["tool_use_id"], text(block.get("content") or "")) for block in results]
    scene.check_signatures(signatures)
    return asked


def choice(choice):
    return choice["name"] if choice["type"] == "tool" else choice["type"]


def medium(block):
    if block["type"] not in ("image", "document"):
        return None
    source = block["source"]
    return ("address", source["url"]) if source["type"] == "url" else (source["media_type"], source["data"])


def blocks(turn):
    found = []
    if turn.thought:
        found.append({"type": "thinking", "thinking": "".join(turn.thought), "signature": turn.signature})
    if turn.text:
        found.append({"type": "text", "text": "".join(turn.text), "citations": None})
    for number, one in enumerate(turn.calls, turn.step):
        found.append({"type": "tool_use", "id": f"toolu_{number}", "name": turn.tool, "input": one})
    return found


def stop_reason(turn):
    told = {"short": "max_tokens", "refused": "refusal", "mark": "stop_sequence"}
    return told.get(turn.end, "tool_use" if turn.calls else "end_turn")


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
    mark = scene.MARK if reason == "stop_sequence" else None
    return {**common, "stop_reason": reason, "stop_sequence": mark, "usage": usage(output)}


def events(body, turn):
    for one in told(body, turn):
        yield event(one, one["type"])


def told(body, turn):
    def tell(kind, **members):
        return {"type": kind, **members}

    yield tell("message_start", message=message(body, [], None, 1))
    yield tell("ping")
    for index, block in enumerate(blocks(turn)):
        begin, deltas = {"thinking": thinking, "text": said, "tool_use": tool_use}[block["type"]](block, turn)
        yield tell("content_block_start", index=index, content_block=begin)
        for delta in deltas:
            yield tell("content_block_delta", index=index, delta=delta)
        if turn.end == "failed":
            yield tell("error", error={"type": "overloaded_error", "message": "broke off"})
            return
        if turn.end == "gone":
            raise Failed
        yield tell("content_block_stop", index=index)
    reason = stop_reason(turn)
    mark = scene.MARK if reason == "stop_sequence" else None
    yield tell("message_delta", delta={"stop_reason": reason, "stop_sequence": mark}, usage=usage(scene.OUTPUT))
    yield tell("message_stop")


def thinking(block, turn):
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in turn.thought]
    deltas.append({"type": "signature_delta", "signature": turn.signature})
    return {**block, "thinking": "", "signature": ""}, deltas


def said(block, turn):
    return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in turn.text]


def tool_use(block, _):
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *scene.pieces(block["input"])]]
    return {**block, "input": {}}, deltas
