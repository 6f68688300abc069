"""Google's official library for Python against a running gateway: tests/it/sdk starts it and says where it is."""

import functools
import unittest

from google import genai
from google.genai import errors, types

import gateway
from gateway import COMPATIBLE, COUNTING_THOUGHTS, FAKES, GEMINI, KEY, OPENAI, SANDBOX, THINKING, each, each_way

TOOL = types.FunctionDeclaration(
    name=gateway.TOOL, description=gateway.TOOL_TEXT, parameters_json_schema=gateway.TOOL_SCHEMA
)


# A client closes its connections when it is forgotten, so that each is kept.
@functools.cache
def client(api_key=KEY):
    options = types.HttpOptions(base_url=gateway.ORIGIN, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key=api_key, http_options=options)


def ask(model, stream, contents=gateway.QUESTION, **config):
    """All pieces of an answer."""
    models = client().models
    options = {"model": model, "contents": contents, "config": types.GenerateContentConfig(**config)}
    return list(models.generate_content_stream(**options)) if stream else [models.generate_content(**options)]


def parts(answer):
    return [part for piece in answer for candidate in piece.candidates or [] for part in candidate.content.parts or []]


def text(answer, thought=False):
    return "".join(part.text or "" for part in parts(answer) if bool(part.thought) == thought)


def finish(answer):
    return answer[-1].candidates[0].finish_reason


class Generate(unittest.TestCase):
    @each_way(FAKES)
    def test_an_answer(self, model, stream):
        answer = ask(model, stream)

        self.assertEqual((text(answer), finish(answer)), (gateway.GREETING, types.FinishReason.STOP))
        usage = answer[-1].usage_metadata
        thoughts = gateway.REASONING if model in COUNTING_THOUGHTS else 0
        self.assertEqual((usage.prompt_token_count, usage.cached_content_token_count), (gateway.INPUT, gateway.CACHED))
        self.assertEqual(usage.candidates_token_count, gateway.OUTPUT - thoughts)
        self.assertEqual(usage.thoughts_token_count or 0, thoughts)
        self.assertEqual(usage.total_token_count, gateway.INPUT + gateway.OUTPUT)

    @each_way([SANDBOX])
    def test_the_sandbox(self, model, stream):
        answer = ask(model, stream)

        self.assertIn(gateway.QUESTION, text(answer))
        self.assertEqual(finish(answer), types.FinishReason.STOP)
        self.assertGreater(answer[-1].usage_metadata.candidates_token_count, 0)

    @each_way(FAKES)
    def test_a_system_instruction_arrives(self, model, stream):
        self.assertEqual(text(ask(model, stream, system_instruction=gateway.BRIEFLY)), gateway.BRIEF)

    @each_way(FAKES)
    def test_a_limit_arrives_and_ends_the_answer(self, model, stream):
        answer = ask(model, stream, max_output_tokens=gateway.TIGHT_LIMIT)

        self.assertEqual((text(answer), finish(answer)), (gateway.CUT_SHORT, types.FinishReason.MAX_TOKENS))

    @each_way(THINKING)
    def test_thoughts_come_before_the_answer(self, model, stream):
        thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        answer = ask(model, stream, thinking_config=thinking, max_output_tokens=4096)

        self.assertEqual((text(answer, thought=True), text(answer)), (gateway.THOUGHT, gateway.GREETING))

    @each([GEMINI, OPENAI])
    def test_a_slow_stream_is_only_its_answer(self, model):
        self.assertEqual(text(ask(model, True, gateway.SLOWLY)), gateway.GREETING)

    @each(FAKES)
    def test_a_chat_remembers(self, model):
        chat = client().chats.create(model=model)

        self.assertEqual([chat.send_message(gateway.QUESTION).text for _ in range(2)], [gateway.GREETING] * 2)


class Tools(unittest.TestCase):
    @each_way(FAKES)
    def test_two_calls_and_their_results(self, model, stream):
        config = {"tools": [types.Tool(function_declarations=[TOOL])]}
        asked = types.Content(role="user", parts=[types.Part(text=gateway.WEATHER)])
        called = ask(model, stream, [asked], **config)
        calls = [part.function_call for part in parts(called) if part.function_call]
        self.assertEqual(text(called), gateway.ASIDE)
        self.assertEqual([(call.name, call.args) for call in calls], [(gateway.TOOL, city) for city in gateway.CITIES])

        results = []
        for call in calls:
            response = {"result": gateway.get_weather(**call.args)}
            result = types.FunctionResponse(id=call.id, name=call.name, response=response)
            results.append(types.Part(function_response=result))
        said = types.Content(role="model", parts=parts(called))
        told = ask(model, stream, [asked, said, types.Content(role="user", parts=results)], **config)
        self.assertEqual((text(told), finish(told)), (gateway.REPORT, types.FinishReason.STOP))

    @each_way(FAKES)
    def test_the_library_calls_functions_by_itself(self, model, stream):
        answer = ask(model, stream, gateway.WEATHER, tools=[gateway.get_weather])

        self.assertIn(gateway.REPORT, text(answer))


class Others(unittest.TestCase):
    @each([*FAKES, SANDBOX])
    def test_tokens_are_counted_without_an_answer(self, model):
        counted = client().models.count_tokens(model=model, contents=gateway.QUESTION)

        self.assertGreater(counted.total_tokens, 0)

    def test_models(self):
        names = [model.name for model in client().models.list()]

        self.assertLessEqual({f"models/{name}" for name in [*FAKES, SANDBOX]}, set(names))
        self.assertEqual(client().models.get(model=GEMINI).name, f"models/{GEMINI}")
        with self.assertRaises(errors.ClientError) as caught:
            client().models.get(model="nope")
        self.assertEqual((caught.exception.code, caught.exception.status), (404, "NOT_FOUND"))


class Errors(unittest.TestCase):
    def fails(self, code, status, model, *, stream=False, api_key=KEY):
        models = client(api_key).models
        with self.assertRaises(errors.ClientError) as caught:
            if stream:
                list(models.generate_content_stream(model=model, contents=gateway.QUESTION))
            else:
                models.generate_content(model=model, contents=gateway.QUESTION)
        self.assertEqual((caught.exception.code, caught.exception.status), (code, status))
        self.assertTrue(caught.exception.message)

    def test_a_wrong_key(self):
        self.fails(401, "UNAUTHENTICATED", GEMINI, api_key=gateway.WRONG_KEY)

    def test_an_unknown_model(self):
        self.fails(404, "NOT_FOUND", "nope")

    @each_way(FAKES)
    def test_a_limit_of_the_provider(self, model, stream):
        self.fails(429, "RESOURCE_EXHAUSTED", f"{model}-limited", stream=stream)


VECTOR = [0.5, -0.25, 0.125, 0.0625]


class Embed(unittest.TestCase):
    @each([OPENAI, COMPATIBLE])
    def test_each_text_has_its_vector(self, model):
        made = client().models.embed_content(model=model, contents=["a", "b"])

        self.assertEqual([one.values for one in made.embeddings], [VECTOR] * 2)

    # The library sends several texts to such a model as parts of one content, and Google gives one vector for them.
    def test_the_parts_of_one_content_have_one_vector(self):
        made = client().models.embed_content(model=GEMINI, contents=["a", "b"])

        self.assertEqual([one.values for one in made.embeddings], [VECTOR])

    @each([OPENAI, COMPATIBLE, GEMINI])
    def test_they_may_be_shorter_and_for_a_task(self, model):
        config = types.EmbedContentConfig(output_dimensionality=2, task_type="RETRIEVAL_QUERY", title="A title")
        made = client().models.embed_content(model=model, contents="a", config=config)

        self.assertEqual(made.embeddings[0].values, VECTOR[:2])

    def test_a_provider_without_any(self):
        with self.assertRaises(errors.ClientError) as caught:
            client().models.embed_content(model="anthropic", contents="a")
        self.assertEqual((caught.exception.code, caught.exception.status), (400, "INVALID_ARGUMENT"))


if __name__ == "__main__":
    unittest.main()
