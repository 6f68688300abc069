"""What is played, whatever the dialect: a greeting, an answer that runs out of tokens, a weather report for which two
tools have to be called, an errand that an agent runs in its shell, or a patch that it applies. Whoever says one of the
words below is played what goes with it. The suites expect these words and numbers; so does tests/it/sdk."""

import hashlib
import json
from dataclasses import dataclass, field

GREETING = ["Hello", " there", "."]
BRIEF = ["Hi", "."]
CUT_SHORT = ["One", " two"]
ASIDE = ["Let me", " look."]
REPORT = ["Paris has", " 18 degrees, Oslo 4."]
THOUGHT = ["The caller", " asks."]
# Signatures of the thoughts of one step after the other.
SIGNATURES = ["c2lnbmVkLWJ5LXRoZS1mYWtl", "c2lnbmVkLXR3aWNl", "c2lnbmVkLXRocmljZQ=="]
SIGNATURE = SIGNATURES[0]

CITIES = ["Paris", "Oslo"]
TEMPERATURES = {"Paris": "18 degrees", "Oslo": "4 degrees"}

# Who says this waits for the answer until the gateway has put a keepalive or two into its stream.
SLOWLY = b"Take your time."
PAUSE_SECONDS = 2.3

# Who says this to a model that may use a shell is asked to use it.
ERRAND = b"Run the errand."
SAID = "the shell was here"
DONE = ["The errand", " is done."]
COMMAND = "echo the shell was here"
# The agents' tools that run an errand, and how each is asked to.
SHELLS = {
    "Bash": {"command": COMMAND, "description": "Run the errand"},
    "exec_command": {"cmd": COMMAND},
    # Gemini CLI has none until it is allowed to.
    "read_file": {"file_path": "errand.txt"},
}

# Who says this to a model that may edit files is given an edit, in the agent's own notation and not in JSON.
PATCHING = b"Apply the patch."
PATCHER = "apply_patch"
PATCH = '*** Begin Patch\n*** Add File: note.txt\n+The "patch"\twas applied.\n*** End Patch\n'
PATCHED = "note.txt"
# The model will not.
REFUSE = b"Refuse this."
REFUSAL = ["I cannot", " help with that."]
# One of the caller's stop sequences comes up.
STOP = b"Stop at the mark."
MARK = "MARK"
BEFORE_MARK = ["Up to", " here"]
# The stream says that it failed, or ends before it is over.
FAIL = b"Break off."
HANG_UP = b"Hang up."
# Text that no cut falls into but between characters.
RUNES = b"Say it in runes."
RUNIC = ["ᚠᛇᚻ ", "日本語", " 👩‍👩‍👧 ", "e\u0301\u2028", '"\\\n\t', "\u0000end"]
# One tool is called, with more than fits into one packet, or with nothing, and without a word before.
LONG = b"Write long arguments."
LONG_CITY = "Llanfair-" * 8000
BARE = b"Call without arguments."
# Tools are called one after the other, with thoughts before each.
STEPS = b"Step by step."
# The answer tells what the model was shown, and how it was asked.
LOOK = b"Look at this."
PARAMETERS = b"Tell the parameters."
# What a schema holds the answer to.
FORECAST = {"city": "Paris", "degrees": 18}

# So few that the answer does not fit.
TIGHT_LIMIT = 16

INPUT_UNCACHED, INPUT_CACHED, OUTPUT_TEXT, OUTPUT_REASONING = 12, 8, 4, 3
INPUT = INPUT_UNCACHED + INPUT_CACHED
OUTPUT = OUTPUT_TEXT + OUTPUT_REASONING

VECTOR = [0.5, -0.25, 0.125, 0.0625]
EMBEDDED = 5


class Invalid(Exception):
    """A request no vendor would take."""


@dataclass
class Asked:
    """What the fakes understand of a request."""

    system: str = ""
    tools: list = field(default_factory=list)
    limit: int | None = None
    thinking: bool = False
    # Pairs of an identifier and arguments, and of an identifier and a text.
    calls: list = field(default_factory=list)
    results: list = field(default_factory=list)
    # `auto`, `none`, `any`, or the name of the tool to call.
    choice: str = "auto"
    schema: dict | None = None
    # Pairs of a media type and the bytes in base64, or an address.
    media: list = field(default_factory=list)
    # Sampling and the like, under OpenAI's names.
    parameters: dict = field(default_factory=dict)


@dataclass
class Turn:
    thought: list
    text: list
    calls: list
    # `done`, `short`, `refused`, `mark`; `failed` and `gone` where a stream breaks.
    end: str = "done"
    tool: str = "get_weather"
    step: int = 0

    @property
    def cut_short(self):
        return self.end == "short"

    @property
    def signature(self):
        return SIGNATURES[self.step]


def play(asked, raw):
    thought = THOUGHT if asked.thinking else []
    if PATCHER in asked.tools and PATCHING in raw:
        return by_a_tool(asked, PATCHER, {"input": PATCH}, PATCHED, thought)
    if shell := next((name for name in SHELLS if name in asked.tools), None):
        if ERRAND not in raw:
            return Turn(thought, GREETING, [])
        return by_a_tool(asked, shell, SHELLS[shell], SAID, thought)
    for word, played in WORDS.items():
        if word in raw:
            return played(asked, thought)
    if asked.schema:
        check_schema(asked.schema)
        return Turn(thought, pieces(FORECAST), [])
    if asked.results:
        check_results(asked)
        return Turn(thought, REPORT, [])
    if asked.tools and asked.choice != "none":
        return with_tools(asked, thought)
    if asked.limit == TIGHT_LIMIT:
        return Turn([], CUT_SHORT, [], end="short")
    return Turn(thought, BRIEF if "brief" in asked.system else GREETING, [])


def with_tools(asked, thought):
    if "get_weather" not in asked.tools:
        raise Invalid(f"the tools are {asked.tools}")
    if asked.choice == "auto":
        return Turn(thought, ASIDE, [{"city": city} for city in CITIES])
    if asked.choice not in ("any", "get_weather"):
        raise Invalid(f"the tool to call is {asked.choice}")
    return Turn([], [], [{"city": CITIES[0]}])


def in_steps(asked, thought):
    """A call for each city, one after the other."""
    step = len(asked.results)
    if step < len(CITIES):
        return Turn(thought, ASIDE, [{"city": CITIES[step]}], step=step)
    check_results(asked)
    return Turn(thought, REPORT, [], step=step)


def at_the_mark(asked, thought):
    if asked.parameters.get("stop") != [MARK]:
        raise Invalid(f"the stop sequences are {asked.parameters.get('stop')}")
    return Turn(thought, BEFORE_MARK, [], end="mark")


def shown(asked):
    """Each picture and document by its type and what its bytes come to."""
    return [f"{kind}:{hashlib.sha256(data.encode()).hexdigest()[:8]} " for kind, data in asked.media]


def told(asked):
    return json.dumps({**asked.parameters, "choice": asked.choice, "limit": asked.limit})


WORDS = {
    REFUSE: lambda asked, _: Turn([], REFUSAL, [], end="refused"),
    STOP: at_the_mark,
    FAIL: lambda asked, _: Turn([], CUT_SHORT, [], end="failed"),
    HANG_UP: lambda asked, _: Turn([], CUT_SHORT, [], end="gone"),
    RUNES: lambda asked, thought: Turn(thought, RUNIC, []),
    LONG: lambda asked, _: Turn([], [], [{"city": LONG_CITY}]),
    BARE: lambda asked, _: Turn([], [], [{}]),
    STEPS: in_steps,
    LOOK: lambda asked, thought: Turn(thought, shown(asked), []),
    PARAMETERS: lambda asked, _: Turn([], [told(asked)], []),
}


def by_a_tool(asked, tool, wanted, said, thought):
    if not asked.results:
        return Turn(thought, ASIDE, [wanted], tool=tool)
    [(called, arguments)], [(answered, result)] = asked.calls, asked.results
    if called != answered or arguments != wanted or said not in result:
        raise Invalid(f"the call was {asked.calls}, and its result {asked.results}")
    return Turn(thought, DONE, [])


def check_results(asked):
    """Both calls have come back, each with its own result."""
    cities = [arguments.get("city") for _, arguments in asked.calls]
    if cities != CITIES:
        raise Invalid(f"the calls that came back are {asked.calls}")
    called, answered = [id for id, _ in asked.calls], [id for id, _ in asked.results]
    # Google's calls have no identifiers, and go by their order.
    if any(called) or any(answered):
        if len(set(called)) != len(called) or sorted(called) != sorted(answered):
            raise Invalid(f"the results are of {answered}, but the calls are {called}")
        texts = dict(asked.results)
        results = [texts[id] for id in called]
    else:
        results = [text for _, text in asked.results]
    for city, result in zip(cities, results, strict=True):
        if TEMPERATURES[city] not in result:
            raise Invalid(f"the result for {city} is {result!r}")


def check_schema(schema):
    if set(schema.get("properties", {})) != set(FORECAST) or set(schema.get("required", [])) != set(FORECAST):
        raise Invalid(f"the schema is {schema}")


def check_signatures(signatures):
    """Those of a conversation, one for each of the model's turns that thought."""
    if signatures != SIGNATURES[: len(signatures)]:
        raise Invalid(f"the signatures of thoughts are {signatures}")


def pieces(arguments):
    """Arguments as they come in a stream."""
    if not arguments:
        return []
    text = json.dumps(arguments)
    size = 5 if len(text) < 1000 else 4096
    return [text[:size], *(text[at : at + 4096] for at in range(size, len(text), 4096))]


def given(body, **names):
    """The parameters of a request that are there, under OpenAI's names."""
    return {name: body[theirs] for name, theirs in names.items() if body.get(theirs) is not None}
