"""The official OpenAI library for Python against a running gateway: tests/it/sdk starts it and says where it is."""

import asyncio
import os
import unittest

import openai

URL = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]
NARROW_KEY = os.environ["GATEWAY_NARROW_KEY"]
MESSAGES = [{"role": "user", "content": "Say hello."}]


def client(**options):
    return openai.OpenAI(base_url=URL, api_key=options.pop("api_key", KEY), **options)


class Chat(unittest.TestCase):
    def test_an_answer_in_one_piece(self):
        answer = client().chat.completions.create(model="plain", messages=MESSAGES)

        self.assertEqual(answer.choices[0].message.content, "Hello there")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual((answer.usage.prompt_tokens, answer.usage.completion_tokens), (9, 2))

    def test_the_sandbox(self):
        answer = client().chat.completions.create(model="echo", messages=MESSAGES)

        self.assertIn("Say hello.", answer.choices[0].message.content)
        self.assertGreater(answer.usage.total_tokens, 0)

    def test_gateway_headers_are_within_reach(self):
        raw = client().chat.completions.with_raw_response.create(model="plain", messages=MESSAGES)

        self.assertTrue(raw.headers["x-gw-request-id"].startswith("req_"))
        self.assertEqual(raw.headers["x-gw-provider"], "up")
        self.assertEqual(raw.parse().choices[0].message.content, "Hello there")

    def test_a_stream_has_no_usage_unless_asked(self):
        chunks = list(client().chat.completions.create(model="plain", messages=MESSAGES, stream=True))

        self.assertEqual("".join(chunk.choices[0].delta.content or "" for chunk in chunks), "Hello there")
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")
        self.assertTrue(all(chunk.usage is None for chunk in chunks))

    def test_a_stream_ends_with_usage_when_asked(self):
        for model in ["plain", "echo"]:
            stream = client().chat.completions.create(
                model=model, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
            )
            chunks = list(stream)

            self.assertEqual(chunks[-1].choices, [])
            self.assertGreater(chunks[-1].usage.total_tokens, 0)
            self.assertTrue(all(chunk.usage is None for chunk in chunks[:-1]))

    def test_comments_that_keep_a_slow_stream_alive_are_not_seen(self):
        chunks = list(client().chat.completions.create(model="slow", messages=MESSAGES, stream=True))

        self.assertEqual("".join(chunk.choices[0].delta.content or "" for chunk in chunks), "late")

    def test_the_stream_helper_gathers_the_whole_answer(self):
        with client().chat.completions.stream(model="plain", messages=MESSAGES) as stream:
            for _ in stream:
                pass
            answer = stream.get_final_completion()

        self.assertEqual(answer.choices[0].message.content, "Hello there")

    def test_many_calls_at_once(self):
        async def ask():
            async with openai.AsyncOpenAI(base_url=URL, api_key=KEY) as many:
                calls = [many.chat.completions.create(model="echo", messages=MESSAGES) for _ in range(30)]
                return await asyncio.gather(*calls)

        answers = asyncio.run(ask())

        self.assertEqual(len({answer.choices[0].message.content for answer in answers}), 1)
        self.assertEqual(len({answer.id for answer in answers}), 30)

    def test_a_reader_may_leave_early(self):
        stream = client().chat.completions.create(model="echo", messages=MESSAGES, stream=True)
        next(iter(stream))
        stream.close()


class Models(unittest.TestCase):
    def test_the_list_is_the_keys_own(self):
        self.assertIn("echo", [model.id for model in client().models.list()])
        self.assertEqual([model.id for model in client(api_key=NARROW_KEY).models.list()], ["plain"])

    def test_one_model(self):
        self.assertEqual(client().models.retrieve("echo").owned_by, "sandbox")
        with self.assertRaises(openai.NotFoundError):
            client(max_retries=0).models.retrieve("nope")


class Errors(unittest.TestCase):
    def fails(self, kind, code, status, model, **options):
        with self.assertRaises(kind) as caught:
            client(**options).chat.completions.create(model=model, messages=MESSAGES)
        self.assertIs(type(caught.exception), kind)
        self.assertEqual((caught.exception.status_code, caught.exception.code), (status, code))
        self.assertTrue(caught.exception.message)

    def test_a_wrong_key(self):
        self.fails(openai.AuthenticationError, "invalid_api_key", 401, "plain", api_key="gw-wrong")

    def test_an_unknown_model(self):
        self.fails(openai.NotFoundError, "model_not_found", 404, "nope")

    def test_a_model_that_the_key_may_not_call(self):
        self.fails(openai.PermissionDeniedError, "model_not_allowed", 403, "echo", api_key=NARROW_KEY)

    def test_a_request_that_the_provider_refuses(self):
        self.fails(openai.BadRequestError, "invalid_value", 400, "bad")

    def test_a_rate_limit(self):
        self.fails(openai.RateLimitError, "rate_limit_exceeded", 429, "limited")

    def test_a_provider_that_fails(self):
        self.fails(openai.InternalServerError, "upstream_error", 502, "broken")

    def test_a_provider_that_refuses_the_gateway(self):
        self.fails(openai.InternalServerError, "upstream_auth", 502, "refused")

    def test_a_stream_that_breaks(self):
        for model in ["cut", "told"]:
            stream = client().chat.completions.create(model=model, messages=MESSAGES, stream=True)
            with self.assertRaises(openai.APIError):
                for chunk in stream:
                    self.assertEqual(chunk.choices[0].delta.content, "a")


if __name__ == "__main__":
    unittest.main(verbosity=1)
