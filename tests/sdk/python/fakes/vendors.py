"""How far vendors speak OpenAI's chat completions: each is judged by the types of its own library, where it has one, and
answers as its documentation shows."""

from dataclasses import dataclass, field
from typing import Any

from fireworks.types.chat.completion_create_params import CompletionCreateParams as Fireworks
from groq.types.chat.completion_create_params import CompletionCreateParams as Groq
from mistralai.client.models.chatcompletionrequest import ChatCompletionRequestTypedDict as Mistral
from openai.types.chat.completion_create_params import CompletionCreateParams as Openai
from openrouter.components.chatrequest import ChatRequestTypedDict as Openrouter
from perplexity.types.chat.completion_create_params import CompletionCreateParams as Perplexity
from together.types.chat.completion_create_params import CompletionCreateParams as Together


@dataclass
class Vendor:
    request: Any = Openai
    # What it takes besides, though its types, or OpenAI's, do not say so: of a request, and of a message.
    also: set = field(default_factory=set)
    of_messages: set = field(default_factory=lambda: {"reasoning_content"})
    # Where the thoughts are: `reasoning_content`, `reasoning`, `chunks` of content.
    thoughts: str = "reasoning_content"
    effort: str = "reasoning_effort"
    seed: str = "seed"
    # Usage comes with the last chunk, whether it was asked for or not.
    usage_unasked: bool = False
    # The first chunk has no choices.
    begins_empty: bool = False
    short_ids: bool = False
    # Calls come side by side, a piece of each in turn.
    side_by_side: bool = False
    # What its types want otherwise than its documentation.
    more: Any = None

    def known(self, body):
        """The request without what the types do not know but the vendor does."""
        messages = [without(message, self.of_messages) for message in body["messages"]]
        known = {**without(body, self.also), "messages": messages}
        return self.more(known) if self.more else known

    def thinks(self, body):
        asked = body.get(self.effort)
        if isinstance(asked, dict):
            return asked.get("enabled") is not False and asked.get("type") != "disabled"
        return asked not in (None, "none")

    def thought(self, turn, text, content):
        if self.thoughts == "chunks":
            said = [{"type": "text", "text": content}] if content else []
            return {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}, *said]}
        return {self.thoughts: text}

    def call_id(self, number):
        return f"call{number:05}" if self.short_ids else f"call_{number}"


def without(members, names):
    return {name: value for name, value in members.items() if name not in names}


def called(name, body):
    """Python has a name of its own for a schema's `schema`."""
    described = (body.get("response_format") or {}).get("json_schema")
    if described is None:
        return body
    described = {**without(described, {"schema"}), name: described["schema"]}
    return {**body, "response_format": {**body["response_format"], "json_schema": described}}


def of_mistral(body):
    return called("schema_definition", body)


def of_openrouter(body):
    """Its documentation of reasoning tokens has more than its types, and these a name of their own for `format`."""
    for message in body["messages"]:
        details = message.get("reasoning_details") or []
        renamed = [{**without(one, {"format"}), "format_": one["format"]} if "format" in one else one for one in details]
        message |= {"reasoning_details": renamed} if details else {}
    reasoning = without(body.get("reasoning") or {}, {"enabled", "exclude", "max_tokens"})
    return called("schema_", {**body, **({"reasoning": reasoning} if "reasoning" in body else {})})


def of_together(body):
    """Its types have an index in calls, and do not know strict tools; its interface takes OpenAI's."""
    for message in body["messages"]:
        calls = enumerate(message.get("tool_calls") or [])
        message |= {"tool_calls": [{**call, "index": at} for at, call in calls]} if "tool_calls" in message else {}
    tools = body.get("tools") or []
    bare = [{**tool, "function": without(tool["function"], {"strict"})} for tool in tools]
    body = {**body, "tools": bare} if bare else body
    return body if isinstance(body.get("tool_choice"), str) else without(body, {"tool_choice"})


TOP_K = {"top_k"}
VENDORS = {
    "openai": Vendor(of_messages=set()),
    "azure": Vendor(of_messages=set(), begins_empty=True),
    "compatible": Vendor(side_by_side=True),
    # Its documentation has what the types leave out: console.groq.com/docs/api-reference.
    "groq": Vendor(Groq, also={"stream_options"}, thoughts="reasoning"),
    "deepseek": Vendor(also={"thinking"}, effort="thinking"),
    "xai": Vendor(),
    "mistral": Vendor(
        Mistral,
        of_messages=set(),
        thoughts="chunks",
        seed="random_seed",
        usage_unasked=True,
        short_ids=True,
        more=of_mistral,
    ),
    "together": Vendor(Together, thoughts="reasoning", usage_unasked=True, more=of_together),
    "fireworks": Vendor(Fireworks, of_messages=set(), usage_unasked=True),
    "openrouter": Vendor(Openrouter, of_messages=set(), thoughts="reasoning", effort="reasoning", more=of_openrouter),
    "perplexity": Vendor(Perplexity, of_messages=set(), usage_unasked=True),
    "ollama": Vendor(thoughts="reasoning"),
    "vllm": Vendor(also=TOP_K),
    "huggingface": Vendor(),
}
