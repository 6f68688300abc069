"""The fakes refuse what the vendors would: without this, a suite that passes says nothing."""

import json
import unittest

from fakes.exchange import SECRET, Call
from fakes.scene import Invalid
from fakes.server import FAKES

HEADERS = {
    "authorization": f"Bearer {SECRET}",
    "x-api-key": SECRET,
    "x-goog-api-key": SECRET,
    "anthropic-version": "2023-06-01",
    "content-type": "application/json",
}
USER = {"role": "user", "content": "Hi"}
CONTENTS = [{"role": "user", "parts": [{"text": "Hi"}]}]
EMBED = {"model": "models/m", "content": {"parts": [{"text": "Hi"}]}}
CONVERSATION = [{"role": "user", "content": [{"text": "Hi"}]}]
CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
VERSION = {"anthropic_version": "bedrock-2023-05-31"}
GOOD = [
    ("openai", "v1/chat/completions", {"model": "m", "messages": [USER]}),
    ("openai", "v1/responses", {"model": "m", "input": [USER]}),
    ("openai", "v1/embeddings", {"model": "m", "input": ["a"]}),
    ("anthropic", "v1/messages", {"model": "m", "max_tokens": 9, "messages": [USER]}),
    ("gemini", "v1beta/models/m:generateContent", {"contents": CONTENTS}),
    ("anthropic", "v1/messages/count_tokens", {"model": "m", "messages": [USER]}),
    ("gemini", "v1beta/models/m:countTokens", {"contents": CONTENTS}),
    ("gemini", "v1beta/models/m:batchEmbedContents", {"requests": [EMBED]}),
    ("bedrock", "model/m/converse", {"messages": CONVERSATION}),
    ("bedrock", f"model/{CLAUDE}/invoke", {**VERSION, "max_tokens": 9, "messages": [USER]}),
    ("bedrock", f"model/{CLAUDE}/invoke-with-response-stream", {**VERSION, "max_tokens": 9, "messages": [USER]}),
]
BAD = [
    # Members that are too many, too few, of the wrong type, deep inside of a list, or not for this role.
    ("openai", "v1/chat/completions", {"messages": [{**USER, "cache_control": {}}]}),
    ("openai", "v1/chat/completions", {"messages": [{"role": "tool", "content": "a"}]}),
    ("openai", "v1/chat/completions", {"top_k": 3}),
    ("openai", "v1/responses", {"input": [{"type": "function_call_output", "call_id": "a", "output": 3}]}),
    ("openai", "v1/responses", {"messages": [USER]}),
    ("openai", "v1/embeddings", {"encoding_format": "text"}),
    ("anthropic", "v1/messages", {"max_completion_tokens": 9}),
    ("anthropic", "v1/messages", {"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
    ("anthropic", "v1/messages", {"tools": [{"name": "f", "parameters": {}}]}),
    ("gemini", "v1beta/models/m:generateContent", {"generationConfig": {"maxTokens": 9}}),
    ("gemini", "v1beta/models/m:generateContent", {"contents": [{"role": "user", "parts": [{"txt": "a"}]}]}),
    ("gemini", "v1beta/models/m:streamGenerateContent", {"contents": CONTENTS}),
    ("anthropic", "v1/messages/count_tokens", {"max_tokens": 9}),
    ("gemini", "v1beta/models/m:countTokens", {"systemInstruction": CONTENTS[0]}),
    ("gemini", "v1beta/models/m:countTokens", {"generateContentRequest": {"model": "m", "contents": CONTENTS}}),
    ("gemini", "v1beta/models/m:batchEmbedContents", {"requests": [{**EMBED, "model": "m"}]}),
    ("gemini", "v1beta/models/m:batchEmbedContents", {"requests": [{**EMBED, "dimensions": 2}]}),
    ("bedrock", "model/m/converse", {"inferenceConfig": {"topK": 3}}),
    ("bedrock", "model/m/converse-stream", {"messages": [{"role": "user", "content": "Hi"}]}),
    ("bedrock", f"model/{CLAUDE}/invoke", {"model": CLAUDE}),
    ("bedrock", f"model/{CLAUDE}/invoke", {"anthropic_version": "vertex-2023-10-16"}),
    ("bedrock", f"model/{CLAUDE}/invoke-with-response-stream", {"stream": True}),
    ("bedrock", f"model/{CLAUDE}/invoke", {"anthropic_beta": "effort-2025-11-24"}),
    ("bedrock", f"model/{CLAUDE}/invoke", {"messages": CONVERSATION}),
    # What no type says, but the vendors' documentation.
    ("anthropic", "v1/messages", {"messages": [{"role": "user", "content": " "}]}),
    ("bedrock", "model/m/converse", {"messages": CONVERSATION * 2}),
]


def ask(fake, path, body, headers=HEADERS):
    return FAKES[fake](Call(path, headers, json.dumps(body).encode()))


class Fakes(unittest.TestCase):
    def test_what_is_right_is_answered(self):
        for fake, path, body in GOOD:
            with self.subTest(path=path):
                self.assertEqual(ask(fake, path, body).status, 200)

    def test_what_is_wrong_is_refused(self):
        usual = {path: body for _, path, body in GOOD}
        for fake, path, change in BAD:
            with self.subTest(path=path, change=change):
                with self.assertRaises(Invalid):
                    ask(fake, path, {**usual.get(path, {}), **change})

    def test_the_credential_has_to_be_the_providers(self):
        for fake, path, body in GOOD:
            with self.subTest(path=path), self.assertRaises(Invalid):
                ask(fake, path, body, {"authorization": "Bearer gw-of-the-caller"})


if __name__ == "__main__":
    unittest.main()
