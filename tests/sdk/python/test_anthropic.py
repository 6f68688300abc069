"""The official Anthropic library for Python against a running gateway: tests/it/sdk starts it and says where it is."""

import functools
import unittest

import anthropic

import gateway
from gateway import ANTHROPIC, BEDROCK, FAKES, GEMINI, KEY, SANDBOX, THINKING, each, each_way

TOOLS = [{"name": gateway.TOOL, "description": gateway.TOOL_TEXT, "input_schema": gateway.TOOL_SCHEMA}]
BUDGET = {"type": "enabled", "budget_tokens": 1024}


@functools.cache
def client(api_key=KEY):
    return anthropic.Anthropic(base_url=gateway.ORIGIN, api_key=api_key, max_retries=0)


def ask(model, stream, *, messages=None, max_tokens=4096, **options):
    """An answer that came whole, or one that the library has put together."""
    options |= {"model": model, "max_tokens": max_tokens}
    options["messages"] = messages or [{"role": "user", "content": gateway.QUESTION}]
    if not stream:
        return client().messages.create(**options)
    with client().messages.stream(**options) as events:
        return events.get_final_message()


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


class Messages(unittest.TestCase):
    @each_way(FAKES)
    def test_an_answer(self, model, stream):
        message = ask(model, stream)

        self.assertEqual([block.type for block in message.content], ["text"])
        self.assertEqual((text(message), message.stop_reason), (gateway.GREETING, "end_turn"))
        usage = message.usage
        self.assertEqual((usage.input_tokens, usage.cache_read_input_tokens), (gateway.UNCACHED, gateway.CACHED))
        self.assertEqual(usage.output_tokens, gateway.OUTPUT)

    @each_way([SANDBOX])
    def test_the_sandbox(self, model, stream):
        message = ask(model, stream)

        self.assertIn(gateway.QUESTION, text(message))
        self.assertEqual(message.stop_reason, "end_turn")
        self.assertGreater(min(message.usage.input_tokens, message.usage.output_tokens), 0)

    @each(FAKES)
    def test_text_comes_as_it_is_made(self, model):
        messages = [{"role": "user", "content": gateway.QUESTION}]
        with client().messages.stream(model=model, max_tokens=100, messages=messages) as events:
            pieces = list(events.text_stream)

        self.assertEqual(pieces, ["Hello", " there", "."])

    @each([ANTHROPIC, GEMINI])
    def test_a_slow_stream_is_only_its_answer(self, model):
        self.assertEqual(text(ask(model, True, messages=[{"role": "user", "content": gateway.SLOWLY}])), gateway.GREETING)

    @each_way(FAKES)
    def test_a_system_prompt_arrives(self, model, stream):
        self.assertEqual(text(ask(model, stream, system=gateway.BRIEFLY)), gateway.BRIEF)

    @each_way(FAKES)
    def test_a_limit_arrives_and_ends_the_answer(self, model, stream):
        message = ask(model, stream, max_tokens=gateway.TIGHT_LIMIT)

        self.assertEqual((text(message), message.stop_reason), (gateway.CUT_SHORT, "max_tokens"))


class Tools(unittest.TestCase):
    def rounds(self, model, stream, **options):
        messages = [{"role": "user", "content": gateway.WEATHER}]
        called = ask(model, stream, messages=messages, tools=TOOLS, **options)
        calls = [block for block in called.content if block.type == "tool_use"]
        self.assertEqual((text(called), called.stop_reason), (gateway.ASIDE, "tool_use"))
        self.assertEqual([call.input for call in calls], gateway.CITIES)
        self.assertEqual({call.name for call in calls}, {gateway.TOOL})
        self.assertEqual(len({call.id for call in calls}), 2)

        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": gateway.get_weather(**call.input)}
            for call in calls
        ]
        messages += [{"role": "assistant", "content": called.content}, {"role": "user", "content": results}]
        told = ask(model, stream, messages=messages, tools=TOOLS, **options)
        self.assertEqual((text(told), told.stop_reason), (gateway.REPORT, "end_turn"))
        return called, told

    @each_way(FAKES)
    def test_two_calls_and_their_results(self, model, stream):
        self.rounds(model, stream)

    @each_way(THINKING)
    def test_thoughts_go_with_the_calls(self, model, stream):
        for message in self.rounds(model, stream, thinking=BUDGET):
            self.assertEqual(message.content[0].thinking, gateway.THOUGHT)


class Thinking(unittest.TestCase):
    @each_way(THINKING)
    def test_thoughts_come_before_the_answer(self, model, stream):
        message = ask(model, stream, thinking=BUDGET)

        self.assertEqual([block.type for block in message.content], ["thinking", "text"])
        self.assertEqual((message.content[0].thinking, text(message)), (gateway.THOUGHT, gateway.GREETING))
        if model in (ANTHROPIC, BEDROCK):
            self.assertEqual(message.content[0].signature, "c2lnbmVkLWJ5LXRoZS1mYWtl")


class Others(unittest.TestCase):
    @each([*FAKES, SANDBOX])
    def test_tokens_are_counted_without_an_answer(self, model):
        messages = [{"role": "user", "content": gateway.QUESTION}]
        self.assertGreater(client().messages.count_tokens(model=model, messages=messages).input_tokens, 0)

    def test_models(self):
        names = [model.id for model in client().models.list()]

        self.assertLessEqual({*FAKES, SANDBOX}, set(names))
        self.assertEqual(client().models.retrieve(ANTHROPIC).id, ANTHROPIC)
        with self.assertRaises(anthropic.NotFoundError):
            client().models.retrieve("nope")


class Errors(unittest.TestCase):
    def fails(self, kind, told, model, *, stream=False, api_key=KEY):
        messages = [{"role": "user", "content": gateway.QUESTION}]
        with self.assertRaises(kind) as caught:
            client(api_key).messages.create(model=model, max_tokens=9, messages=messages, stream=stream)
        self.assertIs(type(caught.exception), kind)
        self.assertEqual(caught.exception.body["error"]["type"], told)
        self.assertTrue(caught.exception.request_id.startswith("req_"))

    def test_a_wrong_key(self):
        self.fails(anthropic.AuthenticationError, "authentication_error", ANTHROPIC, api_key=gateway.WRONG_KEY)

    def test_an_unknown_model(self):
        self.fails(anthropic.NotFoundError, "not_found_error", "nope")

    @each_way(FAKES)
    def test_a_limit_of_the_provider(self, model, stream):
        self.fails(anthropic.RateLimitError, "rate_limit_error", f"{model}-limited", stream=stream)


if __name__ == "__main__":
    unittest.main()
