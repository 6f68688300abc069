"""Google's generateContent."""

import base64
from typing import Optional

from google.genai import types
from pydantic import TypeAdapter, ValidationError
from typing_extensions import Required, TypedDict

from . import anthropic, scene
from .exchange import SECRET, Failed, Reply, event, stream
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
    {
        "model": Required[str],
        "content": Required[types.Content],
        "taskType": Optional[str],
        "title": Optional[str],
        "outputDimensionality": Optional[int],
    },
    total=False,
)
Counted = TypedDict("Counted", {**Request.__annotations__, "model": Required[str]}, total=False)
COUNTS = TypeAdapter(
    TypedDict("Counts", {"contents": list[types.Content], "generateContentRequest": Counted}, total=False)
)
EMBEDS = TypeAdapter(TypedDict("Embeds", {"requests": Required[list[Embed]]}))
# Google says to send the latter with calls that another model made.
SKIP = base64.urlsafe_b64decode("skip_thought_signature_validator")


def answer(call):
    call.needs_header("x-goog-api-key", SECRET)
    *place, name = call.path.split("/")
    model, verb = name.rsplit(":", 1)
    if "anthropic" in place:
        return anthropic.on_vertex(call, model, verb)
    if verb == "batchEmbedContents":
        return embeddings(model, valid(EMBEDS, call))
    if verb == "countTokens":
        return count(model, valid(COUNTS, call))
    body = valid(REQUEST, call)
    if model == "limited":
        error = {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}
        return Reply(429, {"error": error})
    turn = scene.play(read(model, body), call.raw)
    if verb == "streamGenerateContent?alt=sse":
        return stream(event(one, end="\r\n") for one in chunks(model, turn))
    if verb != "generateContent":
        raise Invalid(f"there is no {call.path}")
    if turn.end in ("failed", "gone"):
        return Reply(body=BROKEN)
    if turn.end == "refused":
        return Reply(body=blocked(model, turn))
    return Reply(body=response(model, turn, parts(turn), finish(turn)))


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


def read(model, body):
    config = body.get("generationConfig") or types.GenerationConfig()
    asked = scene.Asked(limit=config.max_output_tokens)
    system = body.get("systemInstruction")
    asked.system = "".join(part.text or "" for part in system.parts) if system else ""
    thinking = config.thinking_config
    asked.thinking = bool(thinking and thinking.include_thoughts)
    asked.schema = config.response_json_schema
    if config.response_schema:
        asked.schema = config.response_schema.model_dump(exclude_none=True)
    if asked.schema and config.response_mime_type != "application/json":
        raise Invalid("a schema goes with its media type")
    calling = (body.get("toolConfig") or types.ToolConfig()).function_calling_config
    if calling:
        [*only] = calling.allowed_function_names or []
        # A validated choice is a free one.
        asked.choice = only[0] if only else calling.mode.value.lower().replace("validated", "auto")
    asked.parameters = parameters(config)
    signatures, first = [], True
    for tool in body.get("tools") or []:
        asked.tools += [declared.name for declared in tool.function_declarations or []]
    for content in body["contents"]:
        if content.role not in ("user", "model"):
            raise Invalid(f"there is no role {content.role}")
        # The library sends pieces of a turn as contents of their own.
        first = first or content.role == "user"
        for part in content.parts:
            if part.thought_signature not in (None, SKIP):
                signatures.append(base64.b64encode(part.thought_signature).decode())
            if part.inline_data:
                data = base64.b64encode(part.inline_data.data).decode()
                asked.media.append((part.inline_data.mime_type, data))
            if part.file_data:
                asked.media.append(("address", part.file_data.file_uri))
            if part.function_call:
                if first and part.thought_signature is None and model.startswith("gemini-3"):
                    raise Invalid("the first call of a turn has no signature")
                first = False
                asked.calls.append((part.function_call.id, part.function_call.args))
            if part.function_response:
                if content.role != "user":
                    raise Invalid("the model answers its own calls")
                asked.results.append((part.function_response.id, str(part.function_response.response)))
    scene.check_signatures(signatures)
    return asked


def parameters(config):
    told = config.model_dump(exclude_none=True)
    same = ["temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty"]
    return scene.given(told, **{name: name for name in same}, stop="stop_sequences")


def parts(turn):
    found = []
    if turn.thought:
        found.append({"text": "".join(turn.thought), "thought": True})
    if turn.text:
        found.append({"text": "".join(turn.text)})
    return found + call_parts(turn)


def call_parts(turn):
    found = [{"functionCall": {"name": turn.tool, "args": one}} for one in turn.calls]
    if found:
        # Only the first of several calls is signed.
        found[0]["thoughtSignature"] = turn.signature
    return found


def finish(turn):
    return "MAX_TOKENS" if turn.cut_short else "STOP"


BROKEN = {"error": {"code": 503, "message": "broke off", "status": "UNAVAILABLE"}}


def blocked(model, turn):
    """Nothing is said, not even why in words."""
    return {**response(model, turn, []), "candidates": [{"finishReason": "SAFETY", "index": 0}]}


def response(model, turn, parts, reason=None):
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    step = turn.step + 1
    usage = {
        "promptTokenCount": scene.INPUT,
        "cachedContentTokenCount": scene.INPUT_CACHED,
        "candidatesTokenCount": scene.OUTPUT_TEXT,
        "thoughtsTokenCount": scene.OUTPUT_REASONING,
        "totalTokenCount": scene.INPUT + scene.OUTPUT,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": scene.INPUT}],
    }
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": f"r-{step}"}


def chunks(model, turn):
    for piece in turn.thought:
        yield response(model, turn, [{"text": piece, "thought": True}])
    if turn.end == "refused":
        yield blocked(model, turn)
        return
    for piece in turn.text:
        yield response(model, turn, [{"text": piece}])
    if turn.end == "failed":
        yield BROKEN
        return
    if turn.end == "gone":
        raise Failed
    for part in call_parts(turn):
        yield response(model, turn, [part])
    yield response(model, turn, [{"text": ""}], finish(turn))
