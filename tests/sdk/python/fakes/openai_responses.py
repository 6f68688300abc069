"""OpenAI's responses."""

import json

from openai.types.responses.response_create_params import ResponseCreateParams

from . import scene
from .exchange import Failed, Reply, event, stream
from .openai_chat import data_url, text
from .scene import Invalid
from .types import check

# Of one step after the other.
SEALED = ["sealed-by-the-fake", "sealed-again", "sealed-at-last"]


def answer(call):
    body = call.body
    check(ResponseCreateParams, tolerated(body))
    if body["model"] == "limited":
        error = {"message": "slow down", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        return Reply(429, {"error": error})
    turn = scene.play(read(body), call.raw)
    if body.get("stream"):
        return stream(events(body, turn))
    return Reply(body=response(body, turn, end(turn), items(body, turn)))


def tolerated(body):
    """The types ask for what OpenAI itself does not, and LangChain leaves out; and Codex sends what they do not know."""
    body = {name: value for name, value in body.items() if name != "client_metadata"}
    if "tools" in body:
        body["tools"] = [{"strict": None, **tool} if tool["type"] == "function" else tool for tool in body["tools"]]
    if isinstance(body["input"], list):
        said = {"status": "completed"}
        items = [without(item, "id") if is_question(item) else item for item in body["input"]]
        # It is in OpenAI's answers, and Codex sends it back as it came.
        items = [without(item, "status") if item.get("type") == "custom_tool_call" else item for item in items]
        body["input"] = [{**said, **item} if is_answer(item) else item for item in items]
    return body


def is_question(item):
    return item.get("type") == "message" and item["role"] != "assistant"


def without(item, member):
    return {name: value for name, value in item.items() if name != member}


def is_answer(item):
    return item.get("role") == "assistant" and isinstance(item["content"], list)


def read(body):
    asked = scene.Asked(system=body.get("instructions") or "", limit=body.get("max_output_tokens"))
    asked.thinking = (body.get("reasoning") or {}).get("effort") not in (None, "none")
    asked.tools = [tool.get("name") for tool in body.get("tools") or []]
    chosen = body.get("tool_choice") or "auto"
    asked.choice = chosen["name"] if isinstance(chosen, dict) else {"required": "any"}.get(chosen, chosen)
    asked.schema = ((body.get("text") or {}).get("format") or {}).get("schema")
    asked.parameters = scene.given(
        body, temperature="temperature", top_p="top_p", user="user", parallel="parallel_tool_calls"
    )
    sealed = []
    for item in [] if isinstance(body["input"], str) else body["input"]:
        kind = item.get("type", "message")
        if kind == "message" and item["role"] in ("system", "developer"):
            asked.system += text(item["content"])
        if kind == "message" and item["role"] == "user" and isinstance(item["content"], list):
            asked.media += [found for part in item["content"] if (found := medium(part))]
        if kind == "function_call":
            asked.calls.append((item["call_id"], json.loads(item["arguments"])))
        if kind == "custom_tool_call":
            asked.calls.append((item["call_id"], {"input": item["input"]}))
        if kind in ("function_call_output", "custom_tool_call_output"):
            asked.results.append((item["call_id"], text(item["output"])))
        if kind == "reasoning" and item.get("encrypted_content") is not None:
            sealed.append(item["encrypted_content"])
    if sealed != SEALED[: len(sealed)]:
        raise Invalid(f"sealed thoughts were changed: {sealed}")
    return asked


def medium(part):
    if part["type"] == "input_image":
        return data_url(part["image_url"])
    if part["type"] == "input_file":
        return data_url(part["file_data"])
    return None


def end(turn):
    return "incomplete" if turn.cut_short else "failed" if turn.end in ("failed", "gone") else "completed"


def items(body, turn):
    takes_text = turn.tool in [tool["name"] for tool in body.get("tools") or [] if tool["type"] == "custom"]
    found = []
    if turn.thought:
        summary = [{"type": "summary_text", "text": "".join(turn.thought)}]
        sealed = {"encrypted_content": SEALED[turn.step]}
        found.append({"id": f"rs_{turn.step}", "type": "reasoning", "summary": summary, **sealed})
    status = "incomplete" if turn.cut_short else "completed"
    content = {"type": "output_text", "text": "".join(turn.text), "annotations": [], "logprobs": []}
    if turn.end == "refused":
        content = {"type": "refusal", "refusal": "".join(turn.text)}
    if turn.text:
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": [content]}
        found.append(message)
    for number, one in enumerate(turn.calls, turn.step):
        call = {"call_id": f"call_{number}", "status": "completed", "name": turn.tool}
        if takes_text:
            found.append({**call, "id": f"ctc_{number}", "type": "custom_tool_call", "input": one["input"]})
        else:
            found.append({**call, "id": f"fc_{number}", "type": "function_call", "arguments": json.dumps(one)})
    return found


def response(body, turn, status, output):
    over = status in ("completed", "incomplete")
    usage = {
        "input_tokens": scene.INPUT,
        "input_tokens_details": {"cached_tokens": scene.INPUT_CACHED, "cache_write_tokens": 0},
        "output_tokens": scene.OUTPUT,
        "output_tokens_details": {"reasoning_tokens": scene.OUTPUT_REASONING},
        "total_tokens": scene.INPUT + scene.OUTPUT,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "error": {"code": "server_error", "message": "broke off"} if status == "failed" else None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": body.get("instructions"),
        "metadata": {},
        "model": f"{body['model']}-2026-01-01",
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "top_p": 1.0,
        "usage": usage if over else None,
    }


def events(body, turn):
    numbers = iter(range(1000))

    def tell(kind, **members):
        return event({"type": kind, "sequence_number": next(numbers), **members}, kind)

    yield tell("response.created", response=response(body, turn, "in_progress", []))
    yield tell("response.in_progress", response=response(body, turn, "in_progress", []))
    found = items(body, turn)
    for index, item in enumerate(found):
        place = {"item_id": item["id"], "output_index": index}
        empty = {name: [] if name in ("content", "summary") else value for name, value in item.items()}
        for given in ("arguments", "input"):
            if given in item:
                empty[given] = ""
        yield tell("response.output_item.added", output_index=index, item=empty)
        yield from FILLED[item["type"]](tell, place, item, turn)
        if turn.end == "gone":
            raise Failed
        yield tell("response.output_item.done", output_index=index, item=item)
    yield tell(f"response.{end(turn)}", response=response(body, turn, end(turn), found))


def reasoning(tell, place, item, turn):
    place = {**place, "summary_index": 0}
    [part] = item["summary"]
    kind = "response.reasoning_summary"
    yield tell(f"{kind}_part.added", **place, part={**part, "text": ""})
    for piece in turn.thought:
        yield tell(f"{kind}_text.delta", **place, delta=piece)
    yield tell(f"{kind}_text.done", **place, text=part["text"])
    yield tell(f"{kind}_part.done", **place, part=part)


def message(tell, place, item, turn):
    place = {**place, "content_index": 0}
    [part] = item["content"]
    if part["type"] == "refusal":
        yield tell("response.content_part.added", **place, part={**part, "refusal": ""})
        for piece in turn.text:
            yield tell("response.refusal.delta", **place, delta=piece)
        yield tell("response.refusal.done", **place, refusal=part["refusal"])
        yield tell("response.content_part.done", **place, part=part)
        return
    yield tell("response.content_part.added", **place, part={**part, "text": ""})
    for piece in turn.text:
        yield tell("response.output_text.delta", **place, delta=piece, logprobs=[])
    yield tell("response.output_text.done", **place, text=part["text"], logprobs=[])
    yield tell("response.content_part.done", **place, part=part)


def function_call(tell, place, item, _):
    for piece in scene.pieces(json.loads(item["arguments"])):
        yield tell("response.function_call_arguments.delta", **place, delta=piece)
    done = {"name": item["name"], "arguments": item["arguments"]}
    yield tell("response.function_call_arguments.done", **place, **done)


def custom_tool_call(tell, place, item, _):
    for piece in (item["input"][:5], item["input"][5:]):
        yield tell("response.custom_tool_call_input.delta", **place, delta=piece)
    yield tell("response.custom_tool_call_input.done", **place, input=item["input"])


FILLED = {
    "reasoning": reasoning,
    "message": message,
    "function_call": function_call,
    "custom_tool_call": custom_tool_call,
}
