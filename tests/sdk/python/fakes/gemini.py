"""Google's generateContent."""

import base64
from typing import Optional

from google.genai import types
from pydantic import TypeAdapter, ValidationError
from typing_extensions import Required, TypedDict

from . import scene
from .exchange import SECRET, Reply, event, stream
from .scene import Invalid

Request = TypedDict(
    "Request",
    {
        "contents": Required[list[types.Content]],
        "systemInstruction": Optional[types.Content],
        "tools": Optional[list[types.Tool]],
        "toolConfig": Optional[types.ToolConfig],
        "safetySettings": Optional[list[types.SafetySetting]],
        "generationConfig": Optional[types.GenerationConfig],
        "cachedContent": Optional[str],
    },
    total=False,
)
REQUEST = TypeAdapter(Request)
Embed = TypedDict(
    "Embed",
    {"model": Required[str], "content": Required[types.Content], "outputDimensionality": Optional[int]},
    total=False,
)
Counted = TypedDict("Counted", {**Request.__annotations__, "model": Required[str]}, total=False)
COUNTS = TypeAdapter(
    TypedDict("Counts", {"contents": list[types.Content], "generateContentRequest": Counted}, total=False)
)
EMBEDS = TypeAdapter(TypedDict("Embeds", {"requests": Required[list[Embed]]}))
# Google says to send the latter with calls that another model made.
SIGNATURES = [base64.b64decode(scene.SIGNATURE), b"skip_thought_signature_validator"]


def answer(call):
    call.needs_header("x-goog-api-key", SECRET)
    _, _, model, verb = call.path.replace("?", "/").replace(":", "/").split("/", 3)
    if verb == "batchEmbedContents":
        return embeddings(model, valid(EMBEDS, call))
    if verb == "countTokens":
        return count(model, valid(COUNTS, call))
    body = valid(REQUEST, call)
    if model == "limited":
        error = {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}
        return Reply(429, {"error": error})
    turn = scene.play(read(body), call.raw)
    if verb == "streamGenerateContent/alt=sse":
        return stream(event(one, end="\r\n") for one in chunks(model, turn))
    if verb != "generateContent":
        raise Invalid(f"there is no {call.path}")
    return Reply(body=response(model, parts(turn), finish(turn)))


def valid(adapter, call):
    try:
        return adapter.validate_json(call.raw, extra="forbid")
    except ValidationError as error:
        raise Invalid(str(error)) from error


def count(model, body):
    if len(body) != 1:
        raise Invalid("either contents or a whole request is counted")
    if body.get("generateContentRequest", {"model": f"models/{model}"})["model"] != f"models/{model}":
        raise Invalid("the request within is for another model")
    return Reply(body={"totalTokens": scene.INPUT})


def embeddings(model, body):
    found = []
    for one in body["requests"]:
        if one["model"] != f"models/{model}":
            raise Invalid(f"{one['model']} is not the model of the address")
        found.append({"values": scene.VECTOR[: one.get("outputDimensionality") or len(scene.VECTOR)]})
    return Reply(body={"embeddings": found, "usageMetadata": {"promptTokenCount": scene.EMBEDDED}})


def read(body):
    config = body.get("generationConfig") or types.GenerationConfig()
    asked = scene.Asked(limit=config.max_output_tokens)
    system = body.get("systemInstruction")
    asked.system = "".join(part.text or "" for part in system.parts) if system else ""
    thinking = config.thinking_config
    asked.thinking = bool(thinking and thinking.include_thoughts)
    for tool in body.get("tools") or []:
        asked.tools += [declared.name for declared in tool.function_declarations or []]
    for content in body["contents"]:
        if content.role not in ("user", "model"):
            raise Invalid(f"there is no role {content.role}")
        for part in content.parts:
            if part.thought_signature not in (None, *SIGNATURES):
                raise Invalid(f"the signature of thoughts is wrong: {part}")
            if part.function_call:
                asked.calls.append((part.function_call.id, part.function_call.args))
            if part.function_response:
                if content.role != "user":
                    raise Invalid("the model answers its own calls")
                asked.results.append((part.function_response.id, str(part.function_response.response)))
    return asked


def parts(turn):
    found = []
    if turn.thought:
        found.append({"text": "".join(turn.thought), "thought": True})
    found.append({"text": "".join(turn.text)})
    return found + call_parts(turn)


def call_parts(turn):
    found = [{"functionCall": {"name": turn.tool, "args": one}} for one in turn.calls]
    if found:
        # Only the first of several calls is signed.
        found[0]["thoughtSignature"] = scene.SIGNATURE
    return found


def finish(turn):
    return "MAX_TOKENS" if turn.cut_short else "STOP"


def response(model, parts, reason=None):
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    usage = {
        "promptTokenCount": scene.INPUT,
        "cachedContentTokenCount": scene.INPUT_CACHED,
        "candidatesTokenCount": scene.OUTPUT_TEXT,
        "thoughtsTokenCount": scene.OUTPUT_REASONING,
        "totalTokenCount": scene.INPUT + scene.OUTPUT,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": scene.INPUT}],
    }
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "r-1"}


def chunks(model, turn):
    for piece in turn.thought:
        yield response(model, [{"text": piece, "thought": True}])
    for piece in turn.text:
        yield response(model, [{"text": piece}])
    for part in call_parts(turn):
        yield response(model, [part])
    yield response(model, [{"text": ""}], finish(turn))
