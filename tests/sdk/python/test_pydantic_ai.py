"""Pydantic AI's agents, on each of the models it has for vendors."""

import functools
import unittest

import anthropic
import openai
import pydantic_ai
from google import genai
from google.genai import types
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

import gateway
from gateway import FAKES, KEY, SANDBOX, each_way


class Suite:
    """A test case has `model(name, key)`."""

    def agent(self, model, key=KEY, **options):
        return pydantic_ai.Agent(self.model(model, key), retries=0, **options)

    def ask(self, agent, stream, question):
        if not stream:
            return agent.run_sync(question)
        return agent.run_sync(question, event_stream_handler=self.watch)

    async def watch(self, _, events):
        """With somebody who watches it, an agent asks for a stream."""
        async for _ in events:
            pass

    @each_way(FAKES)
    def test_an_answer(self, model, stream):
        result = self.ask(self.agent(model, instructions=gateway.BRIEFLY), stream, gateway.QUESTION)

        self.assertEqual(result.output, gateway.BRIEF)
        usage = result.usage() if callable(result.usage) else result.usage
        self.assertEqual((usage.input_tokens, usage.output_tokens), (gateway.INPUT, gateway.OUTPUT))
        self.assertEqual(usage.cache_read_tokens, gateway.CACHED)

    @each_way([SANDBOX])
    def test_the_sandbox(self, model, stream):
        self.assertIn(gateway.QUESTION, self.ask(self.agent(model), stream, gateway.QUESTION).output)

    @each_way(FAKES)
    def test_an_agent_calls_its_tools(self, model, stream):
        result = self.ask(self.agent(model, tools=[gateway.get_weather]), stream, gateway.WEATHER)

        self.assertEqual(result.output, gateway.REPORT)

    @each_way(FAKES)
    def test_a_limit_of_the_provider(self, model, stream):
        self.fails(429, self.agent(f"{model}-limited"), stream)

    def test_a_wrong_key_and_an_unknown_model(self):
        self.fails(401, self.agent(FAKES[0], gateway.WRONG_KEY), False)
        self.fails(404, self.agent("nope"), False)

    def fails(self, status, agent, stream):
        with self.assertRaises(ModelHTTPError) as caught:
            self.ask(agent, stream, gateway.QUESTION)
        self.assertEqual(caught.exception.status_code, status)


# Making a client takes longer than most answers.
@functools.cache
def provider(vendor, key):
    if vendor == "openai":
        client = openai.AsyncOpenAI(base_url=f"{gateway.ORIGIN}/v1", api_key=key, max_retries=0)
        return OpenAIProvider(openai_client=client)
    if vendor == "anthropic":
        client = anthropic.AsyncAnthropic(base_url=gateway.ORIGIN, api_key=key, max_retries=0)
        return AnthropicProvider(anthropic_client=client)
    options = types.HttpOptions(base_url=gateway.ORIGIN, retry_options=types.HttpRetryOptions(attempts=1))
    return GoogleProvider(client=genai.Client(api_key=key, http_options=options))


class OpenaiChat(Suite, unittest.TestCase):
    def model(self, name, key):
        return OpenAIChatModel(name, provider=provider("openai", key))


class OpenaiResponses(Suite, unittest.TestCase):
    def model(self, name, key):
        return OpenAIResponsesModel(name, provider=provider("openai", key))


class Anthropic(Suite, unittest.TestCase):
    def model(self, name, key):
        return AnthropicModel(name, provider=provider("anthropic", key))


class Google(Suite, unittest.TestCase):
    def model(self, name, key):
        return GoogleModel(name, provider=provider("google", key))


if __name__ == "__main__":
    unittest.main()
