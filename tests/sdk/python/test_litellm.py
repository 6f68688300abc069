"""LiteLLM as a client, in three of the dialects that it speaks."""

import json
import os
import unittest

# It asks for a list of prices over the network otherwise.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from litellm.exceptions import MidStreamFallbackError

import gateway
from gateway import FAKES, KEY, SANDBOX, each_way

litellm.telemetry = False
litellm.suppress_debug_info = True

TOOLS = [
    {
        "type": "function",
        "function": {"name": gateway.TOOL, "description": gateway.TOOL_TEXT, "parameters": gateway.TOOL_SCHEMA},
    }
]


class Suite:
    """A test case has `dialect`, and below which address of the gateway that is."""

    def ask(self, model, stream, messages=None, api_key=KEY, **options):
        messages = messages or [{"role": "user", "content": gateway.QUESTION}]
        options |= {"api_base": self.address, "api_key": api_key, "num_retries": 0, "max_retries": 0}
        if stream:
            options["stream_options"] = {"include_usage": True}
        answer = litellm.completion(model=f"{self.dialect}/{model}", messages=messages, stream=stream, **options)
        return litellm.stream_chunk_builder(list(answer), messages=messages) if stream else answer

    @each_way(FAKES)
    def test_an_answer(self, model, stream):
        answer = self.ask(model, stream)

        choice, usage = answer.choices[0], answer.usage
        self.assertEqual((choice.message.content, choice.finish_reason), (gateway.GREETING, "stop"))
        self.assertEqual((usage.prompt_tokens, usage.completion_tokens), (gateway.INPUT, gateway.OUTPUT))
        self.assertEqual(usage.prompt_tokens_details.cached_tokens, gateway.CACHED)

    @each_way([SANDBOX])
    def test_the_sandbox(self, model, stream):
        self.assertIn(gateway.QUESTION, self.ask(model, stream).choices[0].message.content)

    @each_way(FAKES)
    def test_two_calls_and_their_results(self, model, stream):
        messages = [{"role": "user", "content": gateway.WEATHER}]
        called = self.ask(model, stream, messages, tools=TOOLS).choices[0]
        calls = called.message.tool_calls
        self.assertEqual((called.message.content, called.finish_reason), (gateway.ASIDE, "tool_calls"))
        self.assertEqual([json.loads(call.function.arguments) for call in calls], gateway.CITIES)

        said = {"role": "assistant", "content": called.message.content, "tool_calls": []}
        messages.append(said)
        for call in calls:
            function = {"name": call.function.name, "arguments": call.function.arguments}
            said["tool_calls"].append({"id": call.id, "type": "function", "function": function})
            result = gateway.get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        told = self.ask(model, stream, messages, tools=TOOLS).choices[0]
        self.assertEqual((told.message.content, told.finish_reason), (gateway.REPORT, "stop"))

    @each_way(FAKES)
    def test_a_limit_of_the_provider(self, model, stream):
        # It says so of a stream that failed before it began, too.
        with self.assertRaises((litellm.RateLimitError, MidStreamFallbackError)) as caught:
            self.ask(f"{model}-limited", stream)
        original = getattr(caught.exception, "original_exception", None) or caught.exception
        self.assertIsInstance(original, litellm.RateLimitError)

    def test_a_wrong_key_and_an_unknown_model(self):
        with self.assertRaises(litellm.AuthenticationError):
            self.ask(FAKES[0], False, api_key=gateway.WRONG_KEY)
        with self.assertRaises(litellm.NotFoundError):
            self.ask("nope", False)


class Openai(Suite, unittest.TestCase):
    dialect, address = "openai", f"{gateway.ORIGIN}/v1"


class Anthropic(Suite, unittest.TestCase):
    dialect, address = "anthropic", gateway.ORIGIN


class Gemini(Suite, unittest.TestCase):
    dialect, address = "gemini", f"{gateway.ORIGIN}/v1beta"


if __name__ == "__main__":
    unittest.main()
