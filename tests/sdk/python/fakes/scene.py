"""What is played, whatever the dialect: a greeting, an answer that runs out of tokens, a weather report for which two
tools have to be called, an errand that an agent runs in its shell, or a patch that it applies. The suites expect these words and numbers; so does
tests/it/sdk."""

import json
from dataclasses import dataclass, field

GREETING = ["Hello", " there", "."]
BRIEF = ["Hi", "."]
CUT_SHORT = ["One", " two"]
ASIDE = ["Let me", " look."]
REPORT = ["Paris has", " 18 degrees, Oslo 4."]
THOUGHT = ["The caller", " asks."]
SIGNATURE = "c2lnbmVkLWJ5LXRoZS1mYWtl"

CITIES = ["Paris", "Oslo"]
TEMPERATURES = {"Paris": "18 degrees", "Oslo": "4 degrees"}

# Who says this waits for the answer until the gateway has put a keepalive or two into its stream.
SLOWLY = b"Take your time."
PAUSE_SECONDS = 0.8

# Who says this to a model that may use a shell is asked to use it.
ERRAND = b"Run the errand."
SAID = "the shell was here"
DONE = ["The errand", " is done."]
COMMAND = "echo the shell was here"
# The agents' tools that run a command, and how each is asked to.
SHELLS = {
    "Bash": {"command": COMMAND, "description": "Run the errand"},
    "exec_command": {"cmd": COMMAND},
}

# Who says this to a model that may edit files is given an edit, in the agent's own notation and not in JSON.
PATCHING = b"Apply the patch."
PATCHER = "apply_patch"
PATCH = '*** Begin Patch\n*** Add File: note.txt\n+The "patch"\twas applied.\n*** End Patch\n'
PATCHED = "note.txt"

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
    # Signatures of thoughts that came back.
    signatures: list = field(default_factory=list)


@dataclass
class Turn:
    thought: list
    text: list
    calls: list
    cut_short: bool = False
    tool: str = "get_weather"


def play(asked, raw):
    thought = THOUGHT if asked.thinking else []
    if PATCHER in asked.tools and PATCHING in raw:
        return by_a_tool(asked, PATCHER, {"input": PATCH}, PATCHED, thought)
    if shell := next((name for name in SHELLS if name in asked.tools), None):
        if ERRAND not in raw:
            return Turn(thought, GREETING, [])
        return by_a_tool(asked, shell, SHELLS[shell], SAID, thought)
    if asked.results:
        check_results(asked)
        return Turn(thought, REPORT, [])
    if asked.tools:
        if "get_weather" not in asked.tools:
            raise Invalid(f"the tools are {asked.tools}")
        return Turn(thought, ASIDE, [{"city": city} for city in CITIES])
    if asked.limit == TIGHT_LIMIT:
        return Turn([], CUT_SHORT, [], cut_short=True)
    return Turn(thought, BRIEF if "brief" in asked.system else GREETING, [])


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


def pieces(arguments):
    """Arguments as they come in a stream."""
    text = json.dumps(arguments)
    return [text[:5], text[5:]]
