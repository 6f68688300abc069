"""LangChain's library for OpenAI, by chat completions and by responses."""

import unittest

import openai
from langchain_openai import ChatOpenAI

import gateway
from langchain_suite import Suite


class Chat(Suite, unittest.TestCase):
    authentication = openai.AuthenticationError
    not_found = openai.NotFoundError
    rate_limit = openai.RateLimitError
    responses = False

    def chat(self, model, api_key=gateway.KEY):
        options = {"base_url": f"{gateway.ORIGIN}/v1", "api_key": api_key, "max_retries": 0, "stream_usage": True}
        return ChatOpenAI(model=model, use_responses_api=self.responses, **options)


class Responses(Chat):
    responses = True


if __name__ == "__main__":
    unittest.main()
