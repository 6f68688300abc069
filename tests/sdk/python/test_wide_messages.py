"""Anthropic's library for Python against every kind of provider: everything a request may ask for."""

import functools
import json
import unittest

import anthropic
from anthropic import beta_tool

import gateway
from gateway import CLAUDE, EVERYBODY, GOOGLE, KEY, OPENAIS, Forecast, each, each_way

SIGNING = [*CLAUDE, *GOOGLE]
READING = [*OPENAIS, *CLAUDE, *GOOGLE, "openrouter"]
CALLING = [name for name in EVERYBODY if name != "perplexity"]
# Those that can be held to a schema.
BOUND = [name for name in EVERYBODY if name != "deepseek"]
FOREIGN = [name for name in EVERYBODY if name not in CLAUDE]
GET_WEATHER = {"name": gateway.TOOL, "description": gateway.TOOL_TEXT, "input_schema": gateway.TOOL_SCHEMA}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


@functools.cache
def client(api_key=KEY):
    return anthropic.Anthropic(base_url=gateway.ORIGIN, api_key=api_key, max_retries=0)


def user(content):
    return [{"role": "user", "content": content}]


def ask(model, stream, messages, *, max_tokens=4096, **options):
    """An answer that came whole, or one that the library has put together."""
    options |= {"model": model, "max_tokens": max_tokens, "messages": messages}
    if not stream:
        return client().messages.create(**options)
    with client().messages.stream(**options) as events:
        return events.get_final_message()


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


def calls(message):
    return [block for block in message.content if block.type == "tool_use"]


def results(called):
    content = [
        {"type": "tool_result", "tool_use_id": call.id, "content": gateway.get_weather(**call.input)}
        for call in calls(called)
    ]
    return [{"role": "assistant", "content": called.content}, *(user(content) if content else [])]


@beta_tool
def get_weather(city: str) -> str:
    """Tells the weather in a city.

    Args:
        city: The city's name.
    """
    return gateway.get_weather(city)


class Answers(unittest.TestCase):
    @each_way(EVERYBODY)
    def test_an_answer_and_its_usage(self, model, stream):
        message = ask(model, stream, user(gateway.QUESTION))

        self.assertEqual([block.type for block in message.content], ["text"])
        self.assertEqual((text(message), message.stop_reason), (gateway.GREETING, "end_turn"))
        self.assertEqual((message.role, message.type), ("assistant", "message"))
        usage = message.usage
        self.assertEqual((usage.input_tokens, usage.cache_read_input_tokens), (gateway.UNCACHED, gateway.CACHED))
        self.assertEqual(usage.output_tokens, gateway.OUTPUT)

    @each(EVERYBODY)
    def test_the_events_are_in_order(self, model):
        options = {"messages": user(gateway.QUESTION)}
        if model in CALLING:
            options = {"messages": user(gateway.WEATHER), "tools": [GET_WEATHER]}
        with client().messages.create(model=model, max_tokens=4096, stream=True, **options) as events:
            kinds = [(event.type, getattr(event, "index", None)) for event in events if event.type != "ping"]

        self.assertEqual((kinds[0][0], kinds[-2][0], kinds[-1][0]), ("message_start", "message_delta", "message_stop"))
        opened = [index for kind, index in kinds if kind == "content_block_start"]
        closed = [index for kind, index in kinds if kind == "content_block_stop"]
        self.assertEqual((opened, closed), (list(range(len(opened))),) * 2)
        within = None
        for kind, index in kinds:
            if kind == "content_block_start":
                self.assertIsNone(within)
                within = index
            if kind == "content_block_delta":
                self.assertEqual(within, index)
            if kind == "content_block_stop":
                within = None

    @each_way(EVERYBODY)
    def test_a_system_prompt_arrives(self, model, stream):
        for system in (gateway.BRIEFLY, [{"type": "text", "text": gateway.BRIEFLY, "cache_control": {"type": "ephemeral"}}]):
            self.assertEqual(text(ask(model, stream, user(gateway.QUESTION), system=system)), gateway.BRIEF)

    @each_way(EVERYBODY)
    def test_a_limit_ends_the_answer(self, model, stream):
        message = ask(model, stream, user(gateway.QUESTION), max_tokens=gateway.TIGHT_LIMIT)

        self.assertEqual((text(message), message.stop_reason), (gateway.CUT_SHORT, "max_tokens"))

    @each_way(EVERYBODY)
    def test_every_character_arrives(self, model, stream):
        self.assertEqual(text(ask(model, stream, user(gateway.RUNES))), gateway.RUNIC)

    @each_way(EVERYBODY)
    def test_a_refusal_is_told(self, model, stream):
        self.assertEqual(ask(model, stream, user(gateway.REFUSE)).stop_reason, "refusal")

    @each_way(EVERYBODY)
    def test_a_stop_sequence_arrives(self, model, stream):
        message = ask(model, stream, user(gateway.STOP), stop_sequences=[gateway.MARK])

        self.assertEqual(text(message), gateway.BEFORE_MARK)
        self.assertIn(message.stop_reason, ("stop_sequence", "end_turn"))
        if model in CLAUDE or model == "cohere":
            self.assertEqual(message.stop_reason, "stop_sequence")
        if model in CLAUDE:
            self.assertEqual(message.stop_sequence, gateway.MARK)

    @each(EVERYBODY)
    def test_nothing_is_lost_without_a_word(self, model):
        asked = {"temperature": 0.5, "top_k": 3, "stop_sequences": ["a", "b"], "metadata": {"user_id": "somebody"}}
        raw = client().messages.with_raw_response.create(
            model=model,
            max_tokens=99,
            messages=user(gateway.PARAMETERS),
            stop_sequences=asked["stop_sequences"],
            metadata=asked["metadata"],
            extra_body={"temperature": 0.5, "top_k": 3},
            extra_headers={"anthropic-version": "2023-06-01"},
        )

        told = json.loads(text(raw.parse()))
        dropped = raw.headers.get("x-gw-dropped-params", "").split(", ")
        self.assertEqual(told["limit"], 99)
        wanted = {"temperature": 0.5, "top_k": 3, "stop": ["a", "b"], "user": "somebody"}
        lost = [name for name, value in wanted.items() if told.get(name) != value and name not in dropped]
        self.assertEqual(lost, [], dropped)


class Tools(unittest.TestCase):
    @each_way(CALLING)
    def test_parallel_calls_and_their_results(self, model, stream):
        messages = user(gateway.WEATHER)
        called = ask(model, stream, messages, tools=[GET_WEATHER])
        self.assertEqual((text(called), called.stop_reason), (gateway.ASIDE, "tool_use"))
        self.assertEqual([call.input for call in calls(called)], gateway.CITIES)
        self.assertEqual(len({call.id for call in calls(called)}), 2)

        told = ask(model, stream, messages + results(called), tools=[GET_WEATHER])
        self.assertEqual((text(told), told.stop_reason), (gateway.REPORT, "end_turn"))

    @each_way(CALLING)
    def test_calls_one_after_the_other(self, model, stream):
        messages, texts = user(gateway.STEPS), []
        options = {"thinking": BUDGET} if model in SIGNING else {}
        for _ in range(3):
            message = ask(model, stream, messages, tools=[GET_WEATHER], **options)
            texts.append(text(message))
            messages += results(message)
            if options:
                self.assertEqual([block.thinking for block in message.content if block.type == "thinking"][0], gateway.THOUGHT)

        self.assertEqual(texts, [gateway.ASIDE, gateway.ASIDE, gateway.REPORT])

    @each_way(CALLING)
    def test_the_library_runs_tools(self, model, stream):
        runner = client().beta.messages.tool_runner(
            model=model, max_tokens=4096, tools=[get_weather], messages=user(gateway.STEPS), stream=stream
        )
        messages = [one.get_final_message() if stream else one for one in runner]

        self.assertEqual([text(message) for message in messages], [gateway.ASIDE, gateway.ASIDE, gateway.REPORT])

    @each_way(CALLING)
    def test_a_tool_is_forced(self, model, stream):
        for choice in ({"type": "any"}, {"type": "tool", "name": gateway.TOOL, "disable_parallel_tool_use": True}):
            message = ask(model, stream, user(gateway.WEATHER), tools=[GET_WEATHER], tool_choice=choice)
            self.assertEqual(([call.input for call in calls(message)], text(message)), ([{"city": "Paris"}], ""))
            self.assertEqual(message.stop_reason, "tool_use")

    @each_way(CALLING)
    def test_no_tool_is_to_be_called(self, model, stream):
        message = ask(model, stream, user(gateway.QUESTION), tools=[GET_WEATHER], tool_choice={"type": "none"})

        self.assertEqual((text(message), message.stop_reason), (gateway.GREETING, "end_turn"))

    @each_way(CALLING)
    def test_long_arguments_arrive(self, model, stream):
        message = ask(model, stream, user(gateway.LONG), tools=[GET_WEATHER])

        self.assertEqual([call.input for call in calls(message)], [{"city": gateway.LONG_CITY}])

    @each_way(CALLING)
    def test_a_call_without_arguments_has_an_object(self, model, stream):
        message = ask(model, stream, user(gateway.BARE), tools=[GET_WEATHER])

        self.assertEqual(([call.input for call in calls(message)], message.stop_reason), ([{}], "tool_use"))

    @each_way(CALLING)
    def test_a_failed_result_arrives(self, model, stream):
        messages = user(gateway.WEATHER)
        called = ask(model, stream, messages, tools=[GET_WEATHER])
        said, [*content] = {"role": "assistant", "content": called.content}, []
        for call in calls(called):
            blocks = [{"type": "text", "text": gateway.get_weather(**call.input)}]
            content.append({"type": "tool_result", "tool_use_id": call.id, "is_error": True, "content": blocks})
        content.append({"type": "text", "text": "And?"})
        told = ask(model, stream, [*messages, said, *user(content)], tools=[GET_WEATHER])

        self.assertEqual(text(told), gateway.REPORT)


class Formats(unittest.TestCase):
    @each_way(BOUND)
    def test_the_library_parses_answers(self, model, stream):
        options = {"model": model, "max_tokens": 4096, "messages": user(gateway.QUESTION), "output_format": Forecast}
        if stream:
            with client().messages.stream(**options) as events:
                message = events.get_final_message()
        else:
            message = client().messages.parse(**options)

        self.assertEqual(message.parsed_output, Forecast(**gateway.FORECAST))


class Media(unittest.TestCase):
    def look(self, model, stream, kind, media_type, data):
        block = {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}}
        return text(ask(model, stream, user([{"type": "text", "text": gateway.LOOK}, block])))

    @each_way(EVERYBODY)
    def test_a_picture_arrives(self, model, stream):
        shown = self.look(model, stream, "image", "image/png", gateway.PIXEL)

        self.assertEqual(shown, gateway.shown("image/png", gateway.PIXEL))

    @each_way(READING)
    def test_a_document_arrives(self, model, stream):
        shown = self.look(model, stream, "document", "application/pdf", gateway.PAPER)

        self.assertEqual(shown, gateway.shown("application/pdf", gateway.PAPER))

    @each([name for name in EVERYBODY if name not in READING])
    def test_a_document_that_cannot_be_read_is_refused(self, model):
        with self.assertRaises(anthropic.BadRequestError) as caught:
            self.look(model, False, "document", "application/pdf", gateway.PAPER)
        self.assertIn("documents", str(caught.exception))

    @each_way([name for name in CALLING if name not in ("gemini", "vertex")])
    def test_a_picture_in_a_result_arrives(self, model, stream):
        called = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": gateway.TOOL, "input": {}}]}
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": gateway.PIXEL}}
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "seen"}, image]}
        message = ask(model, stream, [*user(gateway.LOOK), called, *user([result])], tools=[GET_WEATHER])

        self.assertIn(text(message), (gateway.shown("image/png", gateway.PIXEL), ""))


class Failures(unittest.TestCase):
    @each_way(EVERYBODY)
    def test_a_limit_of_the_provider(self, model, stream):
        with self.assertRaises(anthropic.RateLimitError) as caught:
            ask(f"{model}-limited", stream, user(gateway.QUESTION))
        self.assertEqual(caught.exception.body["error"]["type"], "rate_limit_error")

    @each(EVERYBODY)
    def test_a_stream_that_breaks_is_an_error(self, model):
        for question in (gateway.FAIL, gateway.HANG_UP):
            with self.assertRaises(anthropic.APIError, msg=question):
                ask(model, True, user(question))

    @each(EVERYBODY)
    def test_an_answer_that_is_an_error(self, model):
        with self.assertRaises((anthropic.InternalServerError, anthropic.APIStatusError)) as caught:
            ask(model, False, user(gateway.FAIL))
        self.assertGreaterEqual(caught.exception.status_code, 500)


if __name__ == "__main__":
    unittest.main()
