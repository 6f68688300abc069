"""Where the gateway is, what the fakes behind it say, and the tool that callers offer."""

import functools
import os

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
