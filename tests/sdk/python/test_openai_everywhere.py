"""The official OpenAI library for Python against models behind other dialects: chat, responses and embeddings."""

import functools
import json
import unittest

import openai

import gateway
from gateway import ANTHROPIC, COMPATIBLE, COUNTING_THOUGHTS, FAKES, GEMINI, KEY, OPENAI, SANDBOX, THINKING
from gateway import each, each_way

# Their providers keep no responses: the gateway does.
FORGETFUL = [model for model in FAKES if model != OPENAI]

FUNCTION = {"name": gateway.TOOL, "description": gateway.TOOL_TEXT, "parameters": gateway.TOOL_SCHEMA}


@functools.cache
def client(api_key=KEY):
    return openai.OpenAI(base_url=f"{gateway.ORIGIN}/v1", api_key=api_key, max_retries=0)


def reasoning(model):
    return gateway.REASONING if model in COUNTING_THOUGHTS else 0


def chat(model, stream, messages=None, **options):
    """An answer that came whole, or one that the library has put together."""
    options |= {"model": model, "messages": messages or [{"role": "user", "content": gateway.QUESTION}]}
    if not stream:
        return client().chat.completions.create(**options)
    with client().chat.completions.stream(**options, stream_options={"include_usage": True}) as events:
        for _ in events:
            pass
        return events.get_final_completion()


def respond(model, stream, asked=gateway.QUESTION, **options):
    options |= {"model": model, "input": asked}
    if not stream:
        return client().responses.create(**options)
    with client().responses.stream(**options) as stream:
        events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events))), events
    # The helper itself knows no answer that ends early.
    return events[-1].response


class Chat(unittest.TestCase):
    @each_way(FAKES)
    def test_an_answer(self, model, stream):
        answer = chat(model, stream)

        self.assertEqual(answer.choices[0].message.content, gateway.GREETING)
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        usage = answer.usage
        self.assertEqual((usage.prompt_tokens, usage.completion_tokens), (gateway.INPUT, gateway.OUTPUT))
        self.assertEqual(usage.prompt_tokens_details.cached_tokens, gateway.CACHED)
        if reasoning(model):
            self.assertEqual(usage.completion_tokens_details.reasoning_tokens, gateway.REASONING)
        if not stream:
            self.assertTrue(answer._request_id.startswith("req_"))

    @each_way([SANDBOX])
    def test_the_sandbox(self, model, stream):
        answer = chat(model, stream)

        self.assertIn(gateway.QUESTION, answer.choices[0].message.content)
        self.assertGreater(answer.usage.total_tokens, 0)

    @each_way(FAKES)
    def test_a_system_message_arrives(self, model, stream):
        for role in ("system", "developer"):
            messages = [{"role": role, "content": gateway.BRIEFLY}, {"role": "user", "content": gateway.QUESTION}]
            self.assertEqual(chat(model, stream, messages).choices[0].message.content, gateway.BRIEF)

    @each_way(FAKES)
    def test_a_limit_arrives_and_ends_the_answer(self, model, stream):
        # With a limit the helper for streams makes an error of this, so the stream is read as it comes.
        messages = [{"role": "user", "content": gateway.QUESTION}]
        options = {"model": model, "messages": messages, "max_completion_tokens": gateway.TIGHT_LIMIT}
        if stream:
            choices = [one.choices[0] for one in client().chat.completions.create(**options, stream=True)]
            text, reason = "".join(one.delta.content or "" for one in choices), choices[-1].finish_reason
        else:
            [choice] = client().chat.completions.create(**options).choices
            text, reason = choice.message.content, choice.finish_reason

        self.assertEqual((text, reason), (gateway.CUT_SHORT, "length"))

    @each_way(FAKES)
    def test_two_calls_and_their_results(self, model, stream):
        tools = [{"type": "function", "function": FUNCTION}]
        messages = [{"role": "user", "content": gateway.WEATHER}]
        called = chat(model, stream, messages, tools=tools).choices[0]
        calls = called.message.tool_calls
        self.assertEqual((called.message.content, called.finish_reason), (gateway.ASIDE, "tool_calls"))
        self.assertEqual([json.loads(call.function.arguments) for call in calls], gateway.CITIES)
        self.assertEqual(len({call.id for call in calls}), 2)

        said = {"role": "assistant", "content": called.message.content, "tool_calls": []}
        messages.append(said)
        for call in calls:
            function = {"name": call.function.name, "arguments": call.function.arguments}
            said["tool_calls"].append({"id": call.id, "type": "function", "function": function})
            result = gateway.get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        told = chat(model, stream, messages, tools=tools).choices[0]
        self.assertEqual((told.message.content, told.finish_reason), (gateway.REPORT, "stop"))

    @each_way(FAKES)
    def test_a_limit_of_the_provider(self, model, stream):
        with self.assertRaises(openai.RateLimitError) as caught:
            chat(f"{model}-limited", stream)
        self.assertEqual(caught.exception.code, "rate_limit_exceeded")


class Responses(unittest.TestCase):
    @each_way(FAKES)
    def test_an_answer(self, model, stream):
        response = respond(model, stream)

        self.assertEqual((response.output_text, response.status), (gateway.GREETING, "completed"))
        usage = response.usage
        self.assertEqual((usage.input_tokens, usage.output_tokens), (gateway.INPUT, gateway.OUTPUT))
        self.assertEqual(usage.input_tokens_details.cached_tokens, gateway.CACHED)
        self.assertEqual(usage.output_tokens_details.reasoning_tokens, reasoning(model))

    @each_way([SANDBOX])
    def test_the_sandbox(self, model, stream):
        response = respond(model, stream)

        self.assertIn(gateway.QUESTION, response.output_text)
        self.assertGreater(response.usage.total_tokens, 0)

    @each([OPENAI, ANTHROPIC])
    def test_a_slow_stream_is_only_its_answer(self, model):
        self.assertEqual(respond(model, True, gateway.SLOWLY).output_text, gateway.GREETING)

    @each_way(FAKES)
    def test_instructions_arrive(self, model, stream):
        self.assertEqual(respond(model, stream, instructions=gateway.BRIEFLY).output_text, gateway.BRIEF)

    @each_way(FAKES)
    def test_a_limit_arrives_and_ends_the_answer(self, model, stream):
        response = respond(model, stream, max_output_tokens=gateway.TIGHT_LIMIT)

        self.assertEqual((response.output_text, response.status), (gateway.CUT_SHORT, "incomplete"))
        self.assertEqual(response.incomplete_details.reason, "max_output_tokens")

    @each_way([OPENAI, *THINKING])
    def test_thoughts_come_before_the_answer(self, model, stream):
        response = respond(model, stream, reasoning={"effort": "low", "summary": "auto"}, max_output_tokens=8192)

        self.assertEqual([item.type for item in response.output], ["reasoning", "message"])
        [thought] = response.output[0].summary or response.output[0].content
        self.assertEqual((thought.text, response.output_text), (gateway.THOUGHT, gateway.GREETING))

    @each_way(FAKES)
    def test_two_calls_and_their_results(self, model, stream):
        tools = [{"type": "function", "strict": True, **FUNCTION}]
        asked = [{"role": "user", "content": gateway.WEATHER}]
        called = respond(model, stream, asked, tools=tools)
        calls = [item for item in called.output if item.type == "function_call"]
        self.assertEqual(called.output_text, gateway.ASIDE)
        self.assertEqual([json.loads(call.arguments) for call in calls], gateway.CITIES)
        self.assertEqual(len({call.call_id for call in calls}), 2)

        for item in called.output:
            said = item.model_dump(exclude_none=True)
            # The helper's own additions.
            said.pop("parsed_arguments", None)
            for part in said.get("content", []):
                part.pop("parsed", None)
            asked.append(said)
        for call in calls:
            result = gateway.get_weather(**json.loads(call.arguments))
            asked.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
        told = respond(model, stream, asked, tools=tools)
        self.assertEqual((told.output_text, told.status), (gateway.REPORT, "completed"))

    @each_way(FORGETFUL)
    def test_a_conversation_that_the_gateway_remembers(self, model, stream):
        tools = [{"type": "function", "strict": True, **FUNCTION}]
        called = respond(model, stream, gateway.WEATHER, tools=tools)
        calls = [item for item in called.output if item.type == "function_call"]
        results = [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": gateway.get_weather(**json.loads(call.arguments)),
            }
            for call in calls
        ]
        told = respond(model, stream, results, tools=tools, previous_response_id=called.id)
        self.assertEqual((told.output_text, told.previous_response_id), (gateway.REPORT, called.id))

        self.assertEqual(client().responses.retrieve(told.id).output_text, gateway.REPORT)
        with client().responses.stream(response_id=told.id) as events:
            self.assertEqual(events.get_final_response().output_text, gateway.REPORT)
        rest = list(client().responses.retrieve(told.id, stream=True, starting_after=2))
        self.assertEqual([event.sequence_number for event in rest], list(range(3, 3 + len(rest))))
        self.assertEqual(rest[-1].response.output_text, gateway.REPORT)
        listed = list(client().responses.input_items.list(told.id, order="asc", limit=1))
        kinds = [item.type for item in listed]
        self.assertEqual(kinds[0], "message")
        self.assertEqual(kinds[-2:], ["function_call_output"] * 2)
        self.assertEqual(listed[0].content[0].text, gateway.WEATHER)
        with self.assertRaises(openai.BadRequestError):
            client().responses.cancel(told.id)

        client().responses.delete(told.id)
        with self.assertRaises(openai.NotFoundError):
            client().responses.retrieve(told.id)
        with self.assertRaises(openai.BadRequestError) as caught:
            respond(model, False, previous_response_id=told.id)
        self.assertEqual(caught.exception.code, "previous_response_not_found")

    @each_way(FAKES)
    def test_a_limit_of_the_provider(self, model, stream):
        with self.assertRaises(openai.RateLimitError) as caught:
            respond(f"{model}-limited", stream)
        self.assertEqual(caught.exception.code, "rate_limit_exceeded")

    def test_a_wrong_key_and_an_unknown_model(self):
        for kind, code, model, key in [
            (openai.AuthenticationError, "invalid_api_key", OPENAI, gateway.WRONG_KEY),
            (openai.NotFoundError, "model_not_found", "nope", KEY),
        ]:
            with self.assertRaises(kind) as caught:
                client(key).responses.create(model=model, input=gateway.QUESTION)
            self.assertEqual(caught.exception.code, code)


class Embeddings(unittest.TestCase):
    @each([OPENAI, COMPATIBLE, GEMINI])
    def test_numbers_are_the_same_in_either_encoding(self, model):
        for options in [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}]:
            made = client().embeddings.create(model=model, input=["a", "b"], **options)
            if options.get("encoding_format") != "base64":
                self.assertEqual([one.embedding for one in made.data], [[0.5, -0.25, 0.125, 0.0625]] * 2)
            self.assertEqual(made.usage.prompt_tokens, 5)

    @each([OPENAI, COMPATIBLE, GEMINI])
    def test_they_may_be_shorter(self, model):
        made = client().embeddings.create(model=model, input="a", dimensions=2)

        self.assertEqual(made.data[0].embedding, [0.5, -0.25])

    def test_a_provider_without_any(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            client().embeddings.create(model="anthropic", input="a")
        self.assertEqual(caught.exception.param, "model")


if __name__ == "__main__":
    unittest.main()
