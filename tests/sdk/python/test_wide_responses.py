"""OpenAI's library for Python, its responses, against every kind of provider: everything a request may ask for."""

import functools
import json
import unittest

import openai

import gateway
from gateway import CLAUDE, EVERYBODY, GOOGLE, KEY, OPENAIS, Forecast, each, each_way

SIGNING = [*CLAUDE, *GOOGLE, *OPENAIS]
READING = [*OPENAIS, *CLAUDE, *GOOGLE, "openrouter"]
CALLING = [name for name in EVERYBODY if name != "perplexity"]
BOUND = [name for name in EVERYBODY if name != "deepseek"]
TRANSLATED = [name for name in EVERYBODY if name not in OPENAIS]
GET_WEATHER = {
    "type": "function",
    "name": gateway.TOOL,
    "description": gateway.TOOL_TEXT,
    "parameters": gateway.TOOL_SCHEMA,
    "strict": True,
}


@functools.cache
def client(api_key=KEY):
    return openai.OpenAI(base_url=f"{gateway.ORIGIN}/v1", api_key=api_key, max_retries=0)


def ask(model, stream, asked, **options):
    """An answer that came whole, or the one that ends a stream, which the events before it have told already."""
    options |= {"model": model, "input": asked}
    if not stream:
        return client().responses.create(**options)
    with client().responses.stream(**options) as events:
        events = list(events)
    check_order(events)
    return events[-1].response


def check_order(events):
    assert [event.sequence_number for event in events] == list(range(len(events))), events
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"], kinds
    added = [event.item.id for event in events if event.type == "response.output_item.added"]
    done = [event.item.id for event in events if event.type == "response.output_item.done"]
    last = events[-1].response
    assert added == done == [item.id for item in last.output], (added, done)
    for kind, member in [("output_text", "text"), ("function_call_arguments", "arguments"), ("refusal", "refusal")]:
        for event in (event for event in events if event.type == f"response.{kind}.done"):
            pieces = [one.delta for one in events if one.type == f"response.{kind}.delta" and one.item_id == event.item_id]
            assert "".join(pieces) == getattr(event, member), (kind, pieces)


def calls(response):
    return [item for item in response.output if item.type == "function_call"]


def said(response):
    kept = []
    for item in response.output:
        item = item.model_dump(exclude_none=True)
        # The helper's own additions.
        item.pop("parsed_arguments", None)
        for part in item.get("content", []):
            part.pop("parsed", None)
        kept.append(item)
    return kept


def results(response):
    found = []
    for call in calls(response):
        output = gateway.get_weather(**json.loads(call.arguments))
        found.append({"type": "function_call_output", "call_id": call.call_id, "output": output})
    return found


def user(content):
    return [{"role": "user", "content": content}]


class Answers(unittest.TestCase):
    @each_way(EVERYBODY)
    def test_an_answer_and_its_usage(self, model, stream):
        response = ask(model, stream, gateway.QUESTION)

        self.assertEqual((response.output_text, response.status), (gateway.GREETING, "completed"))
        usage = response.usage
        self.assertEqual((usage.input_tokens, usage.output_tokens), (gateway.INPUT, gateway.OUTPUT))
        self.assertEqual(usage.input_tokens_details.cached_tokens, gateway.CACHED)
        self.assertEqual(usage.total_tokens, gateway.INPUT + gateway.OUTPUT)

    @each_way(EVERYBODY)
    def test_instructions_arrive(self, model, stream):
        self.assertEqual(ask(model, stream, gateway.QUESTION, instructions=gateway.BRIEFLY).output_text, gateway.BRIEF)
        for role in ("system", "developer"):
            asked = [{"role": role, "content": gateway.BRIEFLY}, *user(gateway.QUESTION)]
            self.assertEqual(ask(model, stream, asked).output_text, gateway.BRIEF)

    @each_way(EVERYBODY)
    def test_a_limit_ends_the_answer(self, model, stream):
        response = ask(model, stream, gateway.QUESTION, max_output_tokens=gateway.TIGHT_LIMIT)

        self.assertEqual((response.output_text, response.status), (gateway.CUT_SHORT, "incomplete"))
        self.assertEqual(response.incomplete_details.reason, "max_output_tokens")

    @each_way(EVERYBODY)
    def test_every_character_arrives(self, model, stream):
        self.assertEqual(ask(model, stream, gateway.RUNES).output_text, gateway.RUNIC)

    @each_way(EVERYBODY)
    def test_a_refusal_is_told(self, model, stream):
        response = ask(model, stream, gateway.REFUSE)

        parts = [part for item in response.output if item.type == "message" for part in item.content]
        if any(part.type == "refusal" for part in parts):
            self.assertEqual("".join(part.refusal for part in parts), gateway.REFUSAL)
        else:
            self.assertEqual((response.status, response.incomplete_details.reason), ("incomplete", "content_filter"))

    @each(EVERYBODY)
    def test_nothing_is_lost_without_a_word(self, model):
        asked = {"temperature": 0.5, "top_p": 0.9, "user": "somebody", "parallel_tool_calls": False}
        raw = client().responses.with_raw_response.create(
            model=model,
            input=gateway.PARAMETERS,
            max_output_tokens=99,
            tools=[GET_WEATHER] if model in CALLING else [],
            **asked,
        )

        told = json.loads(raw.parse().output_text)
        dropped = raw.headers.get("x-gw-dropped-params", "").split(", ")
        self.assertEqual(told["limit"], 99)
        wanted = {"temperature": 0.5, "top_p": 0.9, "user": "somebody", "parallel": False}
        names = {"parallel": "parallel_tool_calls"}
        lost = [name for name, value in wanted.items() if told.get(name) != value and names.get(name, name) not in dropped]
        self.assertEqual(lost, [], dropped)


class Tools(unittest.TestCase):
    @each_way(CALLING)
    def test_parallel_calls_and_their_results(self, model, stream):
        asked = user(gateway.WEATHER)
        called = ask(model, stream, asked, tools=[GET_WEATHER])
        self.assertEqual(called.output_text, gateway.ASIDE)
        self.assertEqual([json.loads(call.arguments) for call in calls(called)], gateway.CITIES)
        self.assertEqual(len({call.call_id for call in calls(called)}), 2)

        told = ask(model, stream, asked + said(called) + results(called), tools=[GET_WEATHER])
        self.assertEqual((told.output_text, told.status), (gateway.REPORT, "completed"))

    @each_way(CALLING)
    def test_calls_one_after_the_other(self, model, stream):
        asked, texts = user(gateway.STEPS), []
        options = {"store": False, "include": ["reasoning.encrypted_content"]}
        if model in SIGNING:
            options |= {"reasoning": {"effort": "low", "summary": "auto"}, "max_output_tokens": 8192}
        for _ in range(3):
            response = ask(model, stream, asked, tools=[GET_WEATHER], **options)
            texts.append(response.output_text)
            asked += said(response) + results(response)
            if model in SIGNING:
                [thought] = [item for item in response.output if item.type == "reasoning" and (item.summary or item.content)]
                self.assertEqual((thought.summary or thought.content)[0].text, gateway.THOUGHT)

        self.assertEqual(texts, [gateway.ASIDE, gateway.ASIDE, gateway.REPORT])

    @each_way([name for name in CALLING if name not in OPENAIS])
    def test_a_stored_conversation_goes_on(self, model, stream):
        thinking = {"reasoning": {"effort": "low", "summary": "auto"}, "max_output_tokens": 8192}
        options = {"tools": [GET_WEATHER], **(thinking if model in SIGNING else {})}
        response = ask(model, stream, gateway.STEPS, **options)
        texts = [response.output_text]
        for _ in range(2):
            response = ask(model, stream, results(response), previous_response_id=response.id, **options)
            texts.append(response.output_text)

        self.assertEqual(texts, [gateway.ASIDE, gateway.ASIDE, gateway.REPORT])

    @each_way(CALLING)
    def test_a_tool_is_forced(self, model, stream):
        for choice in ("required", {"type": "function", "name": gateway.TOOL}):
            response = ask(model, stream, gateway.WEATHER, tools=[GET_WEATHER], tool_choice=choice)
            self.assertEqual([json.loads(call.arguments) for call in calls(response)], [{"city": "Paris"}])
            self.assertEqual(response.output_text, "")

    @each_way(CALLING)
    def test_no_tool_is_to_be_called(self, model, stream):
        response = ask(model, stream, gateway.QUESTION, tools=[GET_WEATHER], tool_choice="none")

        self.assertEqual((response.output_text, calls(response)), (gateway.GREETING, []))

    @each_way(CALLING)
    def test_long_arguments_arrive(self, model, stream):
        response = ask(model, stream, gateway.LONG, tools=[GET_WEATHER])

        self.assertEqual([json.loads(call.arguments) for call in calls(response)], [{"city": gateway.LONG_CITY}])

    @each_way([name for name in CALLING if name not in OPENAIS])
    def test_a_call_without_arguments_has_an_object(self, model, stream):
        # The helper would look for a city.
        loose = {**GET_WEATHER, "strict": False}

        self.assertEqual([call.arguments for call in calls(ask(model, stream, gateway.BARE, tools=[loose]))], ["{}"])


class Formats(unittest.TestCase):
    @each_way(BOUND)
    def test_the_library_parses_answers(self, model, stream):
        options = {"model": model, "input": gateway.QUESTION, "text_format": Forecast}
        if stream:
            with client().responses.stream(**options) as events:
                response = events.until_done().get_final_response()
        else:
            response = client().responses.parse(**options)

        self.assertEqual(response.output_parsed, Forecast(**gateway.FORECAST))


class Media(unittest.TestCase):
    def look(self, model, stream, part):
        content = [{"type": "input_text", "text": gateway.LOOK}, part]
        return ask(model, stream, [{"role": "user", "content": content}]).output_text

    @each_way(EVERYBODY)
    def test_a_picture_arrives(self, model, stream):
        part = {"type": "input_image", "image_url": f"data:image/png;base64,{gateway.PIXEL}", "detail": "auto"}

        self.assertEqual(self.look(model, stream, part), gateway.shown("image/png", gateway.PIXEL))

    @each_way(READING)
    def test_a_document_arrives(self, model, stream):
        data = f"data:application/pdf;base64,{gateway.PAPER}"
        part = {"type": "input_file", "filename": "paper.pdf", "file_data": data}

        self.assertEqual(self.look(model, stream, part), gateway.shown("application/pdf", gateway.PAPER))


class Failures(unittest.TestCase):
    @each_way(EVERYBODY)
    def test_a_limit_of_the_provider(self, model, stream):
        with self.assertRaises(openai.RateLimitError):
            ask(f"{model}-limited", stream, gateway.QUESTION)

    @each(EVERYBODY)
    def test_a_stream_that_breaks_says_so(self, model):
        for question in (gateway.FAIL, gateway.HANG_UP):
            events = []
            try:
                for event in client().responses.create(model=model, input=question, stream=True):
                    events.append(event.type)
            except openai.APIError:
                continue
            self.assertIn(events[-1], ("error", "response.failed"), question)

    @each(TRANSLATED)
    def test_an_answer_that_is_an_error(self, model):
        with self.assertRaises(openai.InternalServerError):
            ask(model, False, gateway.FAIL)


if __name__ == "__main__":
    unittest.main()
