"""Google's library for Python against every kind of provider: everything a request may ask for."""

import base64
import functools
import json
import unittest

from google import genai
from google.genai import errors, types

import gateway
from gateway import CLAUDE, EVERYBODY, GOOGLE, KEY, OPENAIS, Forecast, each, each_way

SIGNING = [*CLAUDE, *GOOGLE]
READING = [*OPENAIS, *CLAUDE, *GOOGLE, "openrouter"]
CALLING = [name for name in EVERYBODY if name != "perplexity"]
BOUND = [name for name in EVERYBODY if name != "deepseek"]
DECLARED = types.FunctionDeclaration(
    name=gateway.TOOL, description=gateway.TOOL_TEXT, parameters_json_schema=gateway.TOOL_SCHEMA
)
TOOLS = [types.Tool(function_declarations=[DECLARED])]
BY_HAND = types.AutomaticFunctionCallingConfig(disable=True)


@functools.cache
def client(api_key=KEY):
    options = types.HttpOptions(base_url=gateway.ORIGIN, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key=api_key, http_options=options)


def ask(model, stream, contents, **config):
    """All pieces of an answer."""
    models = client().models
    options = {"model": model, "contents": contents, "config": types.GenerateContentConfig(**config)}
    return list(models.generate_content_stream(**options)) if stream else [models.generate_content(**options)]


def parts(answer):
    candidates = [candidate for piece in answer for candidate in piece.candidates or []]
    return [part for candidate in candidates if candidate.content for part in candidate.content.parts or []]


def text(answer, thought=False):
    return "".join(part.text or "" for part in parts(answer) if bool(part.thought) == thought)


def finish(answer):
    return answer[-1].candidates[0].finish_reason


def called(answer):
    return [part.function_call for part in parts(answer) if part.function_call]


def results(answer):
    found = []
    for call in called(answer):
        response = {"result": gateway.get_weather(**call.args)}
        result = types.FunctionResponse(id=call.id, name=call.name, response=response)
        found.append(types.Part(function_response=result))
    said = types.Content(role="model", parts=parts(answer))
    return [said, types.Content(role="user", parts=found)] if found else [said]


def user(text):
    return types.Content(role="user", parts=[types.Part(text=text)])


class Answers(unittest.TestCase):
    @each_way(EVERYBODY)
    def test_an_answer_and_its_usage(self, model, stream):
        answer = ask(model, stream, gateway.QUESTION)

        self.assertEqual((text(answer), finish(answer)), (gateway.GREETING, types.FinishReason.STOP))
        usage = answer[-1].usage_metadata
        self.assertEqual((usage.prompt_token_count, usage.cached_content_token_count), (gateway.INPUT, gateway.CACHED))
        self.assertEqual(usage.candidates_token_count + (usage.thoughts_token_count or 0), gateway.OUTPUT)
        self.assertEqual(usage.total_token_count, gateway.INPUT + gateway.OUTPUT)

    @each_way(EVERYBODY)
    def test_a_system_instruction_arrives(self, model, stream):
        self.assertEqual(text(ask(model, stream, gateway.QUESTION, system_instruction=gateway.BRIEFLY)), gateway.BRIEF)

    @each_way(EVERYBODY)
    def test_a_limit_ends_the_answer(self, model, stream):
        answer = ask(model, stream, gateway.QUESTION, max_output_tokens=gateway.TIGHT_LIMIT)

        self.assertEqual((text(answer), finish(answer)), (gateway.CUT_SHORT, types.FinishReason.MAX_TOKENS))

    @each_way(EVERYBODY)
    def test_every_character_arrives(self, model, stream):
        self.assertEqual(text(ask(model, stream, gateway.RUNES)), gateway.RUNIC)

    @each_way(EVERYBODY)
    def test_a_refusal_is_told(self, model, stream):
        self.assertEqual(finish(ask(model, stream, gateway.REFUSE)), types.FinishReason.SAFETY)

    @each_way(EVERYBODY)
    def test_a_stop_sequence_arrives(self, model, stream):
        answer = ask(model, stream, gateway.STOP, stop_sequences=[gateway.MARK])

        self.assertEqual((text(answer), finish(answer)), (gateway.BEFORE_MARK, types.FinishReason.STOP))

    @each(EVERYBODY)
    def test_a_chat_remembers_its_tools(self, model):
        tools = [gateway.get_weather] if model in CALLING else []
        for stream in (False, True):
            chat = client().chats.create(model=model, config=types.GenerateContentConfig(tools=tools))
            for question, answer in [(gateway.QUESTION, gateway.GREETING)] if not tools else [(gateway.STEPS, gateway.REPORT)]:
                if stream:
                    told = "".join(piece.text or "" for piece in chat.send_message_stream(question))
                else:
                    told = chat.send_message(question).text
                self.assertTrue(told.endswith(answer), told)

    @each(EVERYBODY)
    def test_nothing_is_lost_without_a_word(self, model):
        asked = {
            "temperature": 0.5,
            "top_p": 0.75,
            "top_k": 3,
            "seed": 7,
            "frequency_penalty": 0.25,
            "presence_penalty": 0.125,
        }
        [answer] = ask(model, False, gateway.PARAMETERS, max_output_tokens=99, stop_sequences=["a", "b"], **asked)

        told = json.loads(text([answer]))
        dropped = answer.sdk_http_response.headers.get("x-gw-dropped-params", "").split(", ")
        self.assertEqual(told["limit"], 99)
        wanted = {**asked, "stop": ["a", "b"]}
        lost = [name for name, value in wanted.items() if told.get(name) != value and name not in dropped]
        self.assertEqual(lost, [], dropped)


class Tools(unittest.TestCase):
    @each_way(CALLING)
    def test_parallel_calls_and_their_results(self, model, stream):
        answer = ask(model, stream, [user(gateway.WEATHER)], tools=TOOLS)
        self.assertEqual(text(answer), gateway.ASIDE)
        self.assertEqual([call.args for call in called(answer)], gateway.CITIES)

        told = ask(model, stream, [user(gateway.WEATHER), *results(answer)], tools=TOOLS)
        self.assertEqual((text(told), finish(told)), (gateway.REPORT, types.FinishReason.STOP))

    @each_way(CALLING)
    def test_calls_one_after_the_other(self, model, stream):
        contents, texts = [user(gateway.STEPS)], []
        thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        options = {"thinking_config": thinking, "max_output_tokens": 8192} if model in SIGNING else {}
        for _ in range(3):
            answer = ask(model, stream, contents, tools=TOOLS, **options)
            texts.append(text(answer))
            contents += results(answer)
            if options:
                self.assertEqual(text(answer, thought=True), gateway.THOUGHT)

        self.assertEqual(texts, [gateway.ASIDE, gateway.ASIDE, gateway.REPORT])

    @each_way(CALLING)
    def test_a_tool_is_forced(self, model, stream):
        for only in (None, [gateway.TOOL]):
            calling = types.FunctionCallingConfig(mode="ANY", allowed_function_names=only)
            config = types.ToolConfig(function_calling_config=calling)
            answer = ask(model, stream, gateway.WEATHER, tools=TOOLS, tool_config=config)
            self.assertEqual(([call.args for call in called(answer)], text(answer)), ([{"city": "Paris"}], ""))

    @each_way(CALLING)
    def test_no_tool_is_to_be_called(self, model, stream):
        config = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="NONE"))
        answer = ask(model, stream, gateway.QUESTION, tools=TOOLS, tool_config=config)

        self.assertEqual((text(answer), called(answer)), (gateway.GREETING, []))

    @each_way(CALLING)
    def test_long_arguments_arrive(self, model, stream):
        answer = ask(model, stream, gateway.LONG, tools=TOOLS)

        self.assertEqual([call.args for call in called(answer)], [{"city": gateway.LONG_CITY}])

    @each_way(CALLING)
    def test_a_call_without_arguments(self, model, stream):
        answer = ask(model, stream, gateway.BARE, tools=TOOLS)

        self.assertEqual([call.args or {} for call in called(answer)], [{}])


class Formats(unittest.TestCase):
    @each_way(BOUND)
    def test_the_library_parses_answers(self, model, stream):
        answer = ask(model, stream, gateway.QUESTION, response_mime_type="application/json", response_schema=Forecast)

        self.assertEqual(Forecast.model_validate_json(text(answer)), Forecast(**gateway.FORECAST))
        if not stream:
            self.assertEqual(answer[0].parsed, Forecast(**gateway.FORECAST))

    @each_way(BOUND)
    def test_a_json_schema_arrives(self, model, stream):
        schema = Forecast.model_json_schema()
        answer = ask(model, stream, gateway.QUESTION, response_mime_type="application/json", response_json_schema=schema)

        self.assertEqual(Forecast.model_validate_json(text(answer)), Forecast(**gateway.FORECAST))


class Media(unittest.TestCase):
    def look(self, model, stream, kind, data):
        media = types.Part.from_bytes(data=base64.b64decode(data), mime_type=kind)
        return text(ask(model, stream, [gateway.LOOK, media]))

    @each_way(EVERYBODY)
    def test_a_picture_arrives(self, model, stream):
        self.assertEqual(self.look(model, stream, "image/png", gateway.PIXEL), gateway.shown("image/png", gateway.PIXEL))

    @each_way(READING)
    def test_a_document_arrives(self, model, stream):
        shown = self.look(model, stream, "application/pdf", gateway.PAPER)

        self.assertEqual(shown, gateway.shown("application/pdf", gateway.PAPER))


class Failures(unittest.TestCase):
    @each_way(EVERYBODY)
    def test_a_limit_of_the_provider(self, model, stream):
        with self.assertRaises(errors.ClientError) as caught:
            ask(f"{model}-limited", stream, gateway.QUESTION)
        self.assertEqual((caught.exception.code, caught.exception.status), (429, "RESOURCE_EXHAUSTED"))

    @each(EVERYBODY)
    def test_a_stream_that_breaks_is_an_error(self, model):
        for question in (gateway.FAIL, gateway.HANG_UP):
            with self.assertRaises(Exception, msg=question):
                ask(model, True, question)

    @each(EVERYBODY)
    def test_an_answer_that_is_an_error(self, model):
        with self.assertRaises(errors.ServerError):
            ask(model, False, gateway.FAIL)


if __name__ == "__main__":
    unittest.main()
