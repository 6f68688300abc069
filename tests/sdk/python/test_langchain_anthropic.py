"""LangChain's library for Anthropic."""

import unittest

import anthropic
from langchain_anthropic import ChatAnthropic

import gateway
from langchain_suite import Suite


class Messages(Suite, unittest.TestCase):
    authentication = anthropic.AuthenticationError
    not_found = anthropic.NotFoundError
    rate_limit = anthropic.RateLimitError

    def chat(self, model, api_key=gateway.KEY):
        return ChatAnthropic(model=model, base_url=gateway.ORIGIN, api_key=api_key, max_retries=0, max_tokens=4096)


if __name__ == "__main__":
    unittest.main()
