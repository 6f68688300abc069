"""What well known clients send, as `profiles` has it, to every kind of provider: nobody fails, nothing is lost without a
word, and what comes back is what the clients' libraries read. A profile says whether it was recorded from the client
itself or written after its documentation."""

import gzip
import json
import pathlib
import unittest

import httpx
import zstandard
from anthropic.types import RawMessageStreamEvent
from anthropic.types.message import Message
from google.genai.types import GenerateContentResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

import gateway
from gateway import EVERYBODY, OPENAIS

PROFILES = sorted((pathlib.Path(__file__).parent / "profiles").glob("*.json"))
CALLING = [name for name in EVERYBODY if name != "perplexity"]
CLIENT = httpx.Client(base_url=gateway.ORIGIN, timeout=30)

CHAT, RESPONSES, MESSAGES, GEMINI = "/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/{model}:"
ANSWERS = {CHAT: ChatCompletion, RESPONSES: Response, MESSAGES: Message, GEMINI: GenerateContentResponse}
EVENTS = {
    CHAT: ChatCompletionChunk,
    RESPONSES: ResponseStreamEvent,
    MESSAGES: RawMessageStreamEvent,
    GEMINI: GenerateContentResponse,
}
SPOKEN_BY = {
    CHAT: gateway.VENDORS + gateway.SERVERS + OPENAIS,
    RESPONSES: OPENAIS,
    MESSAGES: gateway.CLAUDE,
    GEMINI: gateway.GOOGLE,
}
CODINGS = {"gzip": gzip.compress, "zstd": zstandard.compress}
# Those of a request's members that every provider is asked for, in words of its own.
CARRIED = {
    *("model", "messages", "system", "tools", "tool_choice", "max_tokens", "stream", "stream_options", "thinking"),
    *("input", "instructions", "store", "include", "max_completion_tokens"),
    *("contents", "systemInstruction", "generationConfig"),
    # OpenAI asks for summaries of thoughts, which are shown wherever there are any.
    *("reasoning", "parallel_tool_calls", "temperature", "output_config", "metadata", "user"),
}


def dialect(path):
    return next(known for known in ANSWERS if path.startswith(known))


def streams(path, body):
    return body.get("stream") or ":stream" in path


def send(request, model, coding=None):
    path = request["path"].replace("{model}", model)
    headers = {**request["headers"], "authorization": f"Bearer {gateway.KEY}"}
    content = None
    if request["body"] is not None:
        content = json.dumps(request["body"]).replace('"{model}"', json.dumps(model)).encode()
    if coding:
        content, headers["content-encoding"] = CODINGS[coding](content), coding
    return CLIENT.request(request["method"], path, headers=headers, content=content)


def events(text):
    """Of a stream, each a name and its data."""
    found = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":")]
        fields = dict(lines)
        if fields.get("data") not in (None, "[DONE]"):
            found.append((fields.get("event"), json.loads(fields["data"])))
    return found


def ends(known, answer):
    """Why the answer ended, and whether tools are called, from all that was told."""
    if known == CHAT:
        choices = [one["choices"][0] for one in answer if one["choices"]]
        [reason] = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
        sides = [choice.get("delta") or choice.get("message") or {} for choice in choices]
        return {"stop": False, "tool_calls": True}[reason], any(side.get("tool_calls") for side in sides)
    if known == MESSAGES:
        reasons = [one.get("stop_reason") or one.get("delta", {}).get("stop_reason") for one in answer]
        [reason] = [reason for reason in reasons if reason]
        blocks = [one["content_block"] for one in answer if "content_block" in one] + (answer[0].get("content") or [])
        return {"end_turn": False, "tool_use": True}[reason], any(block["type"] == "tool_use" for block in blocks)
    if known == RESPONSES:
        response = answer[-1].get("response") or answer[-1]
        assert response["status"] == "completed", response
        calls = any(item["type"] == "function_call" for item in response["output"])
        return calls, calls
    [reason] = [one["candidates"][0]["finishReason"] for one in answer if one["candidates"][0].get("finishReason")]
    assert reason == "STOP", reason
    return None, None


class Profiles(unittest.TestCase):
    def check(self, request, model, answer):
        path, body = request["path"], request["body"]
        if body is not None and answer.status_code == 400 and model in SPOKEN_BY[dialect(path)]:
            # What a vendor does not take of a request in its own dialect, it refuses itself, and by name.
            self.assertRegex(answer.text, "(user|store): Extra inputs are not permitted")
            return
        self.assertEqual(answer.status_code, 200, answer.text[:600])
        if body is None:
            return
        known = dialect(path)
        if streams(path, body):
            self.assertEqual(answer.headers["content-type"].split(";")[0], "text/event-stream")
            told = [event for event in events(answer.text) if event[0] != "ping"]
            kind = TypeAdapter(EVENTS[known])
            for name, data in told:
                # What passes as it is is the provider's own.
                if model not in SPOKEN_BY[known]:
                    kind.validate_python(data)
                if known in (MESSAGES, RESPONSES):
                    self.assertEqual(name, data["type"])
            told = [data for _, data in told]
        else:
            told = [answer.json()]
            TypeAdapter(ANSWERS[known]).validate_python(told[0])
        self.assertEqual(*ends(known, told))
        if model in SPOKEN_BY[known]:
            return
        dropped = answer.headers.get("x-gw-dropped-params", "").split(", ")
        lost = [name for name in body if name not in CARRIED and not any(one.split(".")[0] == name for one in dropped)]
        self.assertEqual(lost, [], dropped)

    def test_every_request_to_every_kind_of_provider(self):
        self.assertGreaterEqual(len(PROFILES), 10)
        for profile in PROFILES:
            told = json.loads(profile.read_text())
            self.assertTrue(told["source"].startswith(("recorded", "written after")))
            for number, request in enumerate(told["requests"]):
                # What a client sends once is the same for all of them.
                for model in CALLING if request["body"] else [gateway.OPENAI]:
                    with self.subTest(client=profile.stem, number=number, model=model):
                        self.check(request, model, send(request, model))

    def test_requests_may_be_compressed(self):
        for profile in PROFILES:
            for number, request in enumerate(json.loads(profile.read_text())["requests"]):
                for coding in CODINGS if request["body"] else []:
                    for model in (gateway.OPENAI, gateway.ANTHROPIC, gateway.GEMINI):
                        with self.subTest(client=profile.stem, number=number, coding=coding, model=model):
                            self.check(request, model, send(request, model, coding))


if __name__ == "__main__":
    unittest.main()
