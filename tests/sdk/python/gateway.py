"""Where the gateway is, what the fakes behind it say, and the tool that callers offer."""

import base64
import functools
import hashlib
import os

import pydantic

ORIGIN = os.environ["GATEWAY_ORIGIN"]
KEY = os.environ["GATEWAY_KEY"]
WRONG_KEY = "gw-wrong"

# The models' names are those of the providers; `{name}-limited` is one that has had enough.
OPENAI, COMPATIBLE, ANTHROPIC, GEMINI, BEDROCK = "openai", "compatible", "anthropic", "gemini", "bedrock"
FAKES = [OPENAI, COMPATIBLE, ANTHROPIC, GEMINI, BEDROCK]
SANDBOX = "sandbox"
# Those that show their thoughts when they are asked to.
THINKING = [ANTHROPIC, GEMINI, BEDROCK]
# Those that count thoughts apart.
COUNTING_THOUGHTS = [OPENAI, COMPATIBLE, ANTHROPIC, GEMINI]

QUESTION = "Say hello."
SLOWLY = "Take your time."
BRIEFLY = "Be brief."
WEATHER = "How is the weather in Paris and in Oslo?"

GREETING = "Hello there."
BRIEF = "Hi."
CUT_SHORT = "One two"
TIGHT_LIMIT = 16
ASIDE = "Let me look."
REPORT = "Paris has 18 degrees, Oslo 4."
THOUGHT = "The caller asks."
CITIES = [{"city": "Paris"}, {"city": "Oslo"}]

UNCACHED, CACHED, OUTPUT, REASONING = 12, 8, 7, 3
INPUT = UNCACHED + CACHED

TOOL = "get_weather"
TOOL_TEXT = "Tells the weather in a city."
TOOL_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "The city's name."}},
    "required": ["city"],
    "additionalProperties": False,
}


def get_weather(city: str) -> str:
    """Tells the weather in a city."""
    return {"Paris": "18 degrees", "Oslo": "4 degrees"}[city]


def each(names):
    """Runs a test with each of these models, and names the one with which something is wrong."""

    def repeated(test):
        @functools.wraps(test)
        def run(self):
            for model in names:
                with self.subTest(model=model):
                    test(self, model)

        return run

    return repeated


def each_way(names):
    """Runs a test with each of these models, for an answer in one piece and for a stream."""

    def repeated(test):
        @functools.wraps(test)
        def run(self):
            for model in names:
                for stream in (False, True):
                    with self.subTest(model=model, stream=stream):
                        test(self, model, stream)

        return run

    return repeated


# Every kind of provider, and some more than once: with another of its interfaces, or another maker's model.
CLAUDE = [ANTHROPIC, BEDROCK, "bedrock-invoke", "vertex-claude"]
GOOGLE = [GEMINI, "gemini3", "vertex"]
OPENAIS = [OPENAI, "azure", "azure-classic"]
VENDORS = ["mistral", "groq", "deepseek", "xai", "together", "fireworks", "openrouter", "perplexity"]
SERVERS = ["ollama", "vllm", "huggingface", COMPATIBLE]
EVERYBODY = [*OPENAIS, *CLAUDE, *GOOGLE, "cohere", *VENDORS, *SERVERS]

REFUSE = "Refuse this."
REFUSAL = "I cannot help with that."
STOP = "Stop at the mark."
MARK = "MARK"
BEFORE_MARK = "Up to here"
FAIL = "Break off."
HANG_UP = "Hang up."
RUNES = "Say it in runes."
RUNIC = 'ᚠᛇᚻ 日本語 👩‍👩‍👧 e\u0301\u2028"\\\n\t\u0000end'
LONG = "Write long arguments."
LONG_CITY = "Llanfair-" * 8000
BARE = "Call without arguments."
STEPS = "Step by step."
LOOK = "Look at this."
PARAMETERS = "Tell the parameters."
FORECAST = {"city": "Paris", "degrees": 18}

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PAPER = base64.b64encode(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n").decode()


def shown(kind, data):
    """How the fakes tell that they were shown something."""
    return f"{kind}:{hashlib.sha256(data.encode()).hexdigest()[:8]} "


class Forecast(pydantic.BaseModel):
    city: str
    degrees: int
