"""OpenAI's library for Python, its chat completions, against every kind of provider: everything a request may ask for."""

import functools
import json
import unittest

import openai
from openai import pydantic_function_tool

import gateway
from gateway import CLAUDE, EVERYBODY, GOOGLE, KEY, OPENAIS, Forecast, each, each_way

# They answer in JSON, but not to a schema.
WITHOUT_SCHEMAS = ["deepseek"]
SIGNING = [*CLAUDE, *GOOGLE]
# What a model that may not be given documents is refused by its own provider, in its own words.
READING = [*OPENAIS, *CLAUDE, *GOOGLE, "openrouter"]
SPOKEN = [name for name in EVERYBODY if name in gateway.VENDORS + gateway.SERVERS + OPENAIS]
# Perplexity's models search, and call nothing.
CALLING = [name for name in EVERYBODY if name != "perplexity"]
TRANSLATED = [name for name in EVERYBODY if name not in SPOKEN]

GET_WEATHER = {
    "type": "function",
    "function": {"name": gateway.TOOL, "description": gateway.TOOL_TEXT, "parameters": gateway.TOOL_SCHEMA},
}


@functools.cache
def client(api_key=KEY):
    return openai.OpenAI(base_url=f"{gateway.ORIGIN}/v1", api_key=api_key, max_retries=0)


def user(text):
    return [{"role": "user", "content": text}]


def ask(model, stream, messages, **options):
    """An answer that came whole, or one that the library has put together."""
    options |= {"model": model, "messages": messages}
    if not stream:
        return client().chat.completions.create(**options)
    with client().chat.completions.stream(**options, stream_options={"include_usage": True}) as events:
        return events.until_done().get_final_completion()


def said(message):
    """A message of the model's as it goes back, with all that came with it."""
    kept = message.model_dump(exclude_none=True, exclude={"parsed", "annotations", "refusal"})
    for call in kept.get("tool_calls", []):
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    return kept


def result(call):
    given = json.loads(call.function.arguments)
    return {"role": "tool", "tool_call_id": call.id, "content": gateway.get_weather(**given)}


class Answers(unittest.TestCase):
    @each_way(EVERYBODY)
    def test_an_answer_and_its_usage(self, model, stream):
        answer = ask(model, stream, user(gateway.QUESTION))

        [choice] = answer.choices
        self.assertEqual((choice.message.content, choice.finish_reason), (gateway.GREETING, "stop"))
        self.assertEqual(choice.message.role, "assistant")
        usage = answer.usage
        self.assertEqual((usage.prompt_tokens, usage.completion_tokens), (gateway.INPUT, gateway.OUTPUT))
        self.assertEqual(usage.prompt_tokens_details.cached_tokens, gateway.CACHED)

    @each(EVERYBODY)
    def test_a_stream_without_usage_has_none(self, model):
        chunks = list(client().chat.completions.create(model=model, messages=user(gateway.QUESTION), stream=True))

        self.assertEqual([len(chunk.choices) for chunk in chunks if not chunk.choices], [])
        # Where usage comes unasked, it stays where it is.
        self.assertEqual({chunk.usage for chunk in chunks[:-1]}, {None})
        self.assertEqual({chunk.object for chunk in chunks}, {"chat.completion.chunk"})
        self.assertEqual(len({chunk.id for chunk in chunks}), 1)
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual([chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason], ["stop"])

    @each_way(EVERYBODY)
    def test_instructions_of_either_role_arrive(self, model, stream):
        for role in ("system", "developer"):
            messages = [{"role": role, "content": gateway.BRIEFLY}, *user(gateway.QUESTION)]
            self.assertEqual(ask(model, stream, messages).choices[0].message.content, gateway.BRIEF)

    @each_way(EVERYBODY)
    def test_a_limit_of_either_name_ends_the_answer(self, model, stream):
        # With a limit the helper for streams makes an error of this, so the stream is read as it comes.
        for name in ("max_tokens", "max_completion_tokens"):
            options = {"model": model, "messages": user(gateway.QUESTION), name: gateway.TIGHT_LIMIT}
            if stream:
                choices = [one.choices[0] for one in client().chat.completions.create(**options, stream=True)]
                text, reason = "".join(one.delta.content or "" for one in choices), choices[-1].finish_reason
            else:
                [choice] = client().chat.completions.create(**options).choices
                text, reason = choice.message.content, choice.finish_reason
            self.assertEqual((text, reason), (gateway.CUT_SHORT, "length"))

    @each_way(EVERYBODY)
    def test_every_character_arrives(self, model, stream):
        self.assertEqual(ask(model, stream, user(gateway.RUNES)).choices[0].message.content, gateway.RUNIC)

    @each_way(EVERYBODY)
    def test_a_refusal_is_told(self, model, stream):
        try:
            [choice] = ask(model, stream, user(gateway.REFUSE)).choices
        except openai.ContentFilterFinishReasonError:
            self.assertNotIn(model, SPOKEN)
            return

        if choice.message.refusal:
            self.assertEqual((choice.message.refusal, choice.finish_reason), (gateway.REFUSAL, "stop"))
        else:
            self.assertEqual(choice.finish_reason, "content_filter")

    @each_way(EVERYBODY)
    def test_a_stop_sequence_arrives(self, model, stream):
        # One by itself is not what Together's types know.
        for stop in ([gateway.MARK], gateway.MARK) if model != "together" else ([gateway.MARK],):
            [choice] = ask(model, stream, user(gateway.STOP), stop=stop).choices
            self.assertEqual((choice.message.content, choice.finish_reason), (gateway.BEFORE_MARK, "stop"))

    @each_way(EVERYBODY)
    def test_a_raw_answer_has_the_headers(self, model, stream):
        raw = client().chat.completions.with_raw_response.create(
            model=model, messages=user(gateway.QUESTION), stream=stream
        )

        self.assertTrue(raw.headers["x-request-id"])
        self.assertEqual(raw.headers["x-gw-provider"], model)
        answer = raw.parse()
        text = "".join(one.choices[0].delta.content or "" for one in answer) if stream else answer.choices[0].message.content
        self.assertEqual(text, gateway.GREETING)

    @each([*TRANSLATED, *OPENAIS, gateway.COMPATIBLE])
    def test_nothing_is_lost_without_a_word(self, model):
        asked = {
            "temperature": 0.5,
            "top_p": 0.9,
            "frequency_penalty": 0.25,
            "presence_penalty": 0.125,
            "seed": 7,
            "stop": ["a", "b"],
            "user": "somebody",
        }
        raw = client().chat.completions.with_raw_response.create(
            model=model, messages=user(gateway.PARAMETERS), max_tokens=99, **asked
        )

        told = json.loads(raw.parse().choices[0].message.content)
        dropped = raw.headers.get("x-gw-dropped-params", "").split(", ")
        self.assertEqual(told["limit"], 99)
        lost = [name for name, value in asked.items() if told.get(name) != value and name not in dropped]
        self.assertEqual(lost, [])


class Tools(unittest.TestCase):
    @each_way(CALLING)
    def test_parallel_calls_and_their_results(self, model, stream):
        messages = user(gateway.WEATHER)
        [called] = ask(model, stream, messages, tools=[GET_WEATHER]).choices
        calls = called.message.tool_calls
        self.assertEqual((called.message.content, called.finish_reason), (gateway.ASIDE, "tool_calls"))
        self.assertEqual([json.loads(call.function.arguments) for call in calls], gateway.CITIES)
        self.assertEqual(len({call.id for call in calls}), 2)
        self.assertEqual({call.type for call in calls}, {"function"})

        messages += [said(called.message), *(result(call) for call in calls)]
        [told] = ask(model, stream, messages, tools=[GET_WEATHER]).choices
        self.assertEqual((told.message.content, told.finish_reason), (gateway.REPORT, "stop"))

    @each_way(CALLING)
    def test_calls_one_after_the_other(self, model, stream):
        messages, texts = user(gateway.STEPS), []
        options = {"reasoning_effort": "low", "max_completion_tokens": 8192} if model in SIGNING else {}
        for _ in range(3):
            [choice] = ask(model, stream, messages, tools=[GET_WEATHER], **options).choices
            texts.append(choice.message.content)
            messages += [said(choice.message), *(result(call) for call in choice.message.tool_calls or [])]
            if options:
                self.assertEqual(choice.message.reasoning_content, gateway.THOUGHT)

        self.assertEqual(texts, [gateway.ASIDE, gateway.ASIDE, gateway.REPORT])

    @each_way(CALLING)
    def test_a_tool_is_forced(self, model, stream):
        named = {"type": "function", "function": {"name": gateway.TOOL}}
        for tool_choice in ("required", named):
            [choice] = ask(model, stream, user(gateway.WEATHER), tools=[GET_WEATHER], tool_choice=tool_choice).choices
            [call] = choice.message.tool_calls
            self.assertEqual(json.loads(call.function.arguments), {"city": "Paris"})
            self.assertEqual((choice.message.content or "", choice.finish_reason), ("", "tool_calls"))

    @each_way(CALLING)
    def test_no_tool_is_to_be_called(self, model, stream):
        [choice] = ask(model, stream, user(gateway.QUESTION), tools=[GET_WEATHER], tool_choice="none").choices

        self.assertEqual((choice.message.content, choice.finish_reason), (gateway.GREETING, "stop"))
        self.assertFalse(choice.message.tool_calls)

    @each_way(CALLING)
    def test_long_arguments_arrive(self, model, stream):
        [choice] = ask(model, stream, user(gateway.LONG), tools=[GET_WEATHER]).choices

        [call] = choice.message.tool_calls
        self.assertEqual(json.loads(call.function.arguments), {"city": gateway.LONG_CITY})
        self.assertEqual((choice.message.content or "", choice.finish_reason), ("", "tool_calls"))

    @each_way(TRANSLATED)
    def test_a_call_without_arguments_has_an_object(self, model, stream):
        [choice] = ask(model, stream, user(gateway.BARE), tools=[GET_WEATHER]).choices

        self.assertEqual([call.function.arguments for call in choice.message.tool_calls], ["{}"])

    # The helper for streams finds that a call is over when another begins.
    @each_way([name for name in CALLING if name not in ("deepseek", gateway.COMPATIBLE)])
    def test_the_library_parses_calls(self, model, stream):
        class GetWeather(gateway.pydantic.BaseModel):
            city: str

        tool = pydantic_function_tool(GetWeather, name=gateway.TOOL, description=gateway.TOOL_TEXT)
        options = {"model": model, "messages": user(gateway.WEATHER), "tools": [tool]}
        if stream:
            with client().chat.completions.stream(**options) as events:
                answer = events.get_final_completion()
        else:
            answer = client().chat.completions.parse(**options)

        parsed = [call.function.parsed_arguments for call in answer.choices[0].message.tool_calls]
        self.assertEqual(parsed, [GetWeather(city="Paris"), GetWeather(city="Oslo")])


class Formats(unittest.TestCase):
    @each_way([name for name in EVERYBODY if name not in WITHOUT_SCHEMAS])
    def test_the_library_parses_answers(self, model, stream):
        options = {"model": model, "messages": user(gateway.QUESTION), "response_format": Forecast}
        if stream:
            with client().chat.completions.stream(**options) as events:
                answer = events.get_final_completion()
        else:
            answer = client().chat.completions.parse(**options)

        self.assertEqual(answer.choices[0].message.parsed, Forecast(**gateway.FORECAST))

    @each(CLAUDE)
    def test_json_without_a_schema_is_refused_where_it_cannot_be_had(self, model):
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(model, False, user(gateway.QUESTION), response_format={"type": "json_object"})
        self.assertEqual(caught.exception.param, "response_format")


class Media(unittest.TestCase):
    def look(self, model, stream, *parts):
        content = [{"type": "text", "text": gateway.LOOK}, *parts]
        return ask(model, stream, [{"role": "user", "content": content}]).choices[0].message.content

    @each_way(EVERYBODY)
    def test_a_picture_arrives(self, model, stream):
        url = f"data:image/png;base64,{gateway.PIXEL}"
        part = {"type": "image_url", "image_url": {"url": url}}

        self.assertEqual(self.look(model, stream, part), gateway.shown("image/png", gateway.PIXEL))

    @each_way(READING)
    def test_a_document_arrives(self, model, stream):
        data = f"data:application/pdf;base64,{gateway.PAPER}"
        part = {"type": "file", "file": {"filename": "paper.pdf", "file_data": data}}

        self.assertEqual(self.look(model, stream, part), gateway.shown("application/pdf", gateway.PAPER))


class Failures(unittest.TestCase):
    @each_way(EVERYBODY)
    def test_a_limit_of_the_provider(self, model, stream):
        with self.assertRaises(openai.RateLimitError) as caught:
            ask(f"{model}-limited", stream, user(gateway.QUESTION))
        self.assertEqual(caught.exception.code, "rate_limit_exceeded")

    @each(EVERYBODY)
    def test_a_stream_that_breaks_is_an_error(self, model):
        for question in (gateway.FAIL, gateway.HANG_UP):
            with self.assertRaises((openai.APIError, openai.APIConnectionError), msg=question):
                ask(model, True, user(question))

    @each(EVERYBODY)
    def test_an_answer_that_is_an_error(self, model):
        with self.assertRaises(openai.InternalServerError):
            ask(model, False, user(gateway.FAIL))

    @each(TRANSLATED)
    def test_what_answers_cannot_hold_is_refused(self, model):
        for options in ({"n": 2}, {"logprobs": True, "top_logprobs": 2}):
            with self.assertRaises(openai.BadRequestError):
                ask(model, False, user(gateway.QUESTION), **options)


if __name__ == "__main__":
    unittest.main()
