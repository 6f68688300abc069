"""Bedrock's Converse, judged by the service's own model, and Claude in its maker's dialect, judged by its maker's types."""

import base64
import binascii
import json
import struct
from functools import cache
from urllib.parse import unquote

import botocore.session
from botocore.validate import ParamValidator

from . import anthropic, scene
from .exchange import SECRET, Failed, Reply
from .openai_chat import text
from .scene import Invalid


TYPES = {"png": "image/png", "pdf": "application/pdf"}
INVOKE = {"invoke": "InvokeModel", "invoke-with-response-stream": "InvokeModelWithResponseStream"}
LIMITED = ("limited", "anthropic.claude-limited")
ENOUGH = {"message": "Too many requests, please wait before trying again."}


@cache
def input_shape(operation):
    session = botocore.session.get_session()
    return session.get_service_model("bedrock-runtime").operation_model(operation).input_shape


def answer(call):
    call.needs_header("authorization", f"Bearer {SECRET}")
    _, model, verb = call.path.split("/")
    model = unquote(model)
    if verb in INVOKE:
        return invoke(call, model, verb)
    shape = input_shape({"converse": "Converse", "converse-stream": "ConverseStream"}[verb])
    validate({"modelId": model, **decoded(shape, call.body)}, shape)
    if model in LIMITED:
        return Reply(429, ENOUGH)
    turn = scene.play(read(call.body), call.raw)
    if verb == "converse-stream":
        return Reply(pieces=frames(turn), kind="application/vnd.amazon.eventstream")
    if turn.end in ("failed", "gone"):
        return Reply(503, {"message": "broke off"})
    message = {"role": "assistant", "content": blocks(turn)}
    return Reply(
        body={
            "output": {"message": message},
            "stopReason": stop_reason(turn),
            "usage": usage(),
            "metrics": {"latencyMs": 5},
        }
    )


def invoke(call, model, verb):
    kind = call.headers.get("content-type")
    validate({"modelId": model, "body": call.raw, "contentType": kind}, input_shape(INVOKE[verb]))
    if kind != "application/json":
        raise Invalid(f"the body is said to be {kind}")
    if "anthropic.claude" not in model:
        raise Invalid(f"{model} does not speak this")
    if model in LIMITED:
        return Reply(429, ENOUGH)
    body, turn = anthropic.on_bedrock(call, model, verb != "invoke")
    if verb != "invoke":
        return Reply(pieces=chunks(body, turn), kind="application/vnd.amazon.eventstream")
    if turn.end in ("failed", "gone"):
        return Reply(503, {"message": "broke off"})
    return Reply(body=anthropic.whole(body, turn))


def validate(parameters, shape):
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise Invalid(report.generate_report())


def decoded(shape, value):
    """What the model calls a blob is text on the wire."""
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        known = shape.members
        return {name: decoded(known[name], one) if name in known else one for name, one in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [decoded(shape.member, one) for one in value]
    return value


def read(body):
    asked = scene.Asked(system=text(body.get("system") or []))
    asked.limit = (body.get("inferenceConfig") or {}).get("maxTokens")
    thinking = (body.get("additionalModelRequestFields") or {}).get("thinking") or {"type": "disabled"}
    asked.thinking = thinking["type"] != "disabled"
    asked.tools = [tool["toolSpec"]["name"] for tool in (body.get("toolConfig") or {}).get("tools", [])]
    chosen = (body.get("toolConfig") or {}).get("toolChoice") or {"auto": {}}
    [(how, which)] = chosen.items()
    asked.choice = which["name"] if how == "tool" else how
    if asked.choice != "auto" and asked.thinking:
        raise Invalid("thinking may not be enabled when tool_choice forces tool use")
    schema = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure", {}).get("jsonSchema")
    asked.schema = json.loads(schema["schema"]) if schema else None
    config = body.get("inferenceConfig") or {}
    asked.parameters = scene.given(config, temperature="temperature", top_p="topP", stop="stopSequences")
    asked.parameters |= scene.given(body.get("additionalModelRequestFields") or {}, top_k="top_k")
    last, signatures = None, []
    for message in body["messages"]:
        if message["role"] == last:
            raise Invalid("roles must alternate")
        last = message["role"]
        thoughts = [block["reasoningContent"] for block in message["content"] if "reasoningContent" in block]
        calls = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        if calls and asked.thinking and not thoughts:
            raise Invalid("with thinking, a turn that calls tools must begin with its thoughts")
        signatures += [one["reasoningText"]["signature"] for one in thoughts]
        asked.calls += [(one["toolUseId"], one["input"]) for one in calls]
        for block in message["content"]:
            for medium in (block.get("image"), block.get("document")):
                if medium:
                    asked.media.append((TYPES[medium["format"]], medium["source"]["bytes"]))
            if result := block.get("toolResult"):
                asked.results.append((result["toolUseId"], json.dumps(result["content"])))
    scene.check_signatures(signatures)
    return asked


def stop_reason(turn):
    told = {"short": "max_tokens", "refused": "content_filtered", "mark": "stop_sequence"}
    return told.get(turn.end, "tool_use" if turn.calls else "end_turn")


def usage():
    return {
        "inputTokens": scene.INPUT_UNCACHED,
        "outputTokens": scene.OUTPUT,
        "totalTokens": scene.INPUT + scene.OUTPUT,
        "cacheReadInputTokens": scene.INPUT_CACHED,
        "cacheWriteInputTokens": 0,
    }


def blocks(turn):
    found = []
    if turn.thought:
        thought = {"text": "".join(turn.thought), "signature": turn.signature}
        found.append({"reasoningContent": {"reasoningText": thought}})
    if turn.text:
        found.append({"text": "".join(turn.text)})
    for number, one in enumerate(turn.calls, turn.step):
        found.append({"toolUse": {"toolUseId": f"tooluse_{number}", "name": turn.tool, "input": one}})
    return found


def frames(turn):
    yield frame("messageStart", {"role": "assistant"})
    index = 0
    if turn.thought:
        thoughts = [{"text": piece} for piece in turn.thought] + [{"signature": turn.signature}]
        for one in thoughts:
            yield frame("contentBlockDelta", {"contentBlockIndex": index, "delta": {"reasoningContent": one}})
        yield frame("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    for piece in turn.text:
        yield frame("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": piece}})
    if turn.text:
        yield frame("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    if turn.end == "failed":
        yield frame("modelStreamErrorException", {"message": "broke off"}, "exception")
        return
    if turn.end == "gone":
        raise Failed
    for number, one in enumerate(turn.calls, turn.step):
        start = {"toolUse": {"toolUseId": f"tooluse_{number}", "name": turn.tool}}
        yield frame("contentBlockStart", {"contentBlockIndex": index, "start": start})
        for piece in scene.pieces(one):
            yield frame("contentBlockDelta", {"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}})
        yield frame("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    yield frame("messageStop", {"stopReason": stop_reason(turn)})
    yield frame("metadata", {"usage": usage(), "metrics": {"latencyMs": 5}})


def chunks(body, turn):
    """Events of Anthropic's, each in base64 and with what hides its length."""
    for one in anthropic.told(body, turn):
        if one["type"] == "error":
            yield frame("modelStreamErrorException", {"message": one["error"]["message"]}, "exception")
            return
        if one["type"] == "message_stop":
            one["amazon-bedrock-invocationMetrics"] = {
                "inputTokenCount": scene.INPUT_UNCACHED,
                "outputTokenCount": scene.OUTPUT,
                "cacheReadInputTokenCount": scene.INPUT_CACHED,
                "cacheWriteInputTokenCount": 0,
                "invocationLatency": 5,
                "firstByteLatency": 4,
            }
        yield frame("chunk", {"bytes": base64.b64encode(json.dumps(one).encode()).decode(), "p": "abcdefgh"})


def frame(kind, payload, what="event"):
    """A message of an AWS event stream."""
    told = {f":{what}-type": kind, ":content-type": "application/json", ":message-type": what}
    headers = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
        for name, value in told.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    prelude += struct.pack(">I", binascii.crc32(prelude))
    whole = prelude + headers + body
    return whole + struct.pack(">I", binascii.crc32(whole))
