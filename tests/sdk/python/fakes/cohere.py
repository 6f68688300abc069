"""Cohere's chat, version 2, judged by its library's types."""

import inspect
from typing import get_type_hints

import cohere.v2.client
from pydantic import TypeAdapter, ValidationError

from . import scene
from .exchange import SECRET, Failed, Reply, event, stream
from .openai_chat import data_url, text
from .scene import Invalid

METHOD = cohere.v2.client.V2Client.chat
HINTS = get_type_hints(METHOD)
NEEDED = [
    name
    for name, parameter in inspect.signature(METHOD).parameters.items()
    if name != "self" and parameter.default is inspect.Parameter.empty
]


def answer(call):
    call.needs_header("authorization", f"Bearer {SECRET}")
    if call.path != "v2/chat":
        raise Invalid(f"there is no {call.path}")
    body = dict(call.body)
    streams = body.pop("stream")
    check(body)
    if body["model"] == "limited":
        return Reply(429, {"id": "1", "message": "slow down"})
    turn = scene.play(read(body), call.raw)
    if streams:
        return stream(events(turn))
    if turn.end in ("failed", "gone"):
        return Reply(503, {"id": "1", "message": "broke off"})
    message = {"role": "assistant", **content(turn)}
    return Reply(body={"id": "c-1", "finish_reason": finish(turn), "message": message, "usage": usage()})


def check(body):
    if missing := [name for name in NEEDED if name not in body]:
        raise Invalid(f"{missing} are missing")
    if unknown := [name for name in body if name not in HINTS or name == "request_options"]:
        raise Invalid(f"{unknown} are not known")
    for name, value in body.items():
        try:
            TypeAdapter(HINTS[name]).validate_python(value)
        except ValidationError as error:
            raise Invalid(f"{name}: {error}") from error
    for message in body["messages"]:
        known = {"role", "content", "tool_calls", "tool_plan", "tool_call_id", "citations"}
        if not message.keys() <= known:
            raise Invalid(f"{message} has members that are not known")


def read(body):
    asked = scene.Asked(limit=body.get("max_tokens"))
    asked.thinking = (body.get("thinking") or {}).get("type") == "enabled"
    asked.tools = [tool["function"]["name"] for tool in body.get("tools") or []]
    asked.choice = {"REQUIRED": "any", "NONE": "none"}.get(body.get("tool_choice"), "auto")
    asked.schema = (body.get("response_format") or {}).get("json_schema")
    same = ["temperature", "seed", "frequency_penalty", "presence_penalty"]
    asked.parameters = scene.given(body, **{name: name for name in same}, top_p="p", top_k="k", stop="stop_sequences")
    for message in body["messages"]:
        if message["role"] == "system":
            asked.system += text(message["content"])
        if message["role"] == "user":
            images = [part for part in message["content"] if part["type"] == "image_url"]
            asked.media += [data_url(part["image_url"]["url"]) for part in images]
        if message["role"] == "assistant":
            calls = message.get("tool_calls") or []
            asked.calls += [(one["id"], scene.json.loads(one["function"]["arguments"])) for one in calls]
        if message["role"] == "tool":
            asked.results.append((message["tool_call_id"], text(message["content"])))
    return asked


def finish(turn):
    told = {"short": "MAX_TOKENS", "refused": "ERROR_TOXIC", "mark": "STOP_SEQUENCE"}
    return told.get(turn.end, "TOOL_CALL" if turn.calls else "COMPLETE")


def usage():
    tokens = {"input_tokens": scene.INPUT, "output_tokens": scene.OUTPUT}
    return {"billed_units": tokens, "tokens": tokens, "cached_tokens": scene.INPUT_CACHED}


def call(turn, number, arguments):
    function = {"name": turn.tool, "arguments": arguments}
    return {"id": f"call_{turn.step + number}", "type": "function", "function": function}


def content(turn):
    found = [{"type": "thinking", "thinking": "".join(turn.thought)}] if turn.thought else []
    if not turn.calls:
        return {"content": [*found, {"type": "text", "text": "".join(turn.text)}]}
    calls = [call(turn, number, scene.json.dumps(one)) for number, one in enumerate(turn.calls)]
    return {"content": found, "tool_plan": "".join(turn.text), "tool_calls": calls}


def events(turn):
    def tell(kind, delta=None, **members):
        return event({"type": kind, **members, **({"delta": delta} if delta else {})}, kind)

    yield tell("message-start", {"message": {"role": "assistant", "content": [], "tool_plan": ""}}, id="c-1")
    index = 0
    if turn.thought:
        yield from block(tell, index, "thinking", turn.thought)
        index += 1
    if turn.calls:
        for piece in turn.text:
            yield tell("tool-plan-delta", {"message": {"tool_plan": piece}})
        for number, one in enumerate(turn.calls):
            yield tell("tool-call-start", {"message": {"tool_calls": call(turn, number, "")}}, index=number)
            for piece in scene.pieces(one):
                arguments = {"function": {"arguments": piece}}
                yield tell("tool-call-delta", {"message": {"tool_calls": arguments}}, index=number)
            yield tell("tool-call-end", index=number)
    else:
        yield from block(tell, index, "text", turn.text)
    if turn.end == "gone":
        raise Failed
    reason = "ERROR" if turn.end == "failed" else finish(turn)
    error = {"error": "broke off"} if turn.end == "failed" else {}
    yield tell("message-end", {"finish_reason": reason, "usage": usage(), **error})


def block(tell, index, kind, pieces):
    yield tell("content-start", {"message": {"content": {"type": kind, kind: ""}}}, index=index)
    for piece in pieces:
        yield tell("content-delta", {"message": {"content": {kind: piece}}}, index=index)
    yield tell("content-end", index=index)
