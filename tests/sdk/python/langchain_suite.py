"""What LangChain's chat models have to do, whichever library of a vendor is below them."""

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

import gateway
from gateway import FAKES, SANDBOX, each_way


def ask(chat, stream, messages):
    """An answer that came whole, or the sum of its pieces."""
    if not stream:
        return chat.invoke(messages)
    whole = None
    for piece in chat.stream(messages):
        whole = piece if whole is None else whole + piece
    return whole


class Suite:
    """A test case has `chat(model, **options)`, and the exceptions that it expects."""

    @each_way(FAKES)
    def test_an_answer(self, model, stream):
        answer = ask(self.chat(model), stream, gateway.QUESTION)

        self.assertEqual(answer.text, gateway.GREETING)
        usage = answer.usage_metadata
        self.assertEqual((usage["input_tokens"], usage["output_tokens"]), (gateway.INPUT, gateway.OUTPUT))
        self.assertEqual(usage["input_token_details"]["cache_read"], gateway.CACHED)

    @each_way([SANDBOX])
    def test_the_sandbox(self, model, stream):
        self.assertIn(gateway.QUESTION, ask(self.chat(model), stream, gateway.QUESTION).text)

    @each_way(FAKES)
    def test_a_system_message_arrives(self, model, stream):
        messages = [SystemMessage(gateway.BRIEFLY), HumanMessage(gateway.QUESTION)]

        self.assertEqual(ask(self.chat(model), stream, messages).text, gateway.BRIEF)

    @each_way(FAKES)
    def test_two_calls_and_their_results(self, model, stream):
        chat = self.chat(model).bind_tools([tool(gateway.get_weather)])
        messages = [HumanMessage(gateway.WEATHER)]
        called = ask(chat, stream, messages)
        self.assertEqual(called.text, gateway.ASIDE)
        self.assertEqual([call["args"] for call in called.tool_calls], gateway.CITIES)

        results = [ToolMessage(gateway.get_weather(**call["args"]), tool_call_id=call["id"]) for call in called.tool_calls]
        told = ask(chat, stream, [*messages, called, *results])
        self.assertEqual(told.text, gateway.REPORT)

    @each_way(FAKES)
    def test_a_limit_of_the_provider(self, model, stream):
        with self.assertRaises(self.rate_limit):
            ask(self.chat(f"{model}-limited"), stream, gateway.QUESTION)

    def test_a_wrong_key_and_an_unknown_model(self):
        with self.assertRaises(self.authentication):
            self.chat(FAKES[0], api_key=gateway.WRONG_KEY).invoke(gateway.QUESTION)
        with self.assertRaises(self.not_found):
            self.chat("nope").invoke(gateway.QUESTION)
