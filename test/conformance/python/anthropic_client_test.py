"""The official Python client of Anthropic as the user. ZAI_CONFORMANCE_URL is a running zai2api in front of the fake upstream."""

import asyncio
import os
import unittest

import anthropic

BASE_URL = os.environ["ZAI_CONFORMANCE_URL"]
CHALLENGED_URL = os.environ["ZAI_CONFORMANCE_CHALLENGED_URL"]
BLOCKED_URL = os.environ["ZAI_CONFORMANCE_BLOCKED_URL"]
API_KEY = os.environ["ZAI_CONFORMANCE_KEY"]
SAID = "Hello from GLM. You said: hi"
THOUGHT = "First idea.\nSecond idea."
WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def client(**options):
    return anthropic.Anthropic(**{"base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0, **options})


def request(scenario=None, **fields):
    prompt = "hi" if scenario is None else f"hi [[scenario:{scenario}]]"
    return {"model": "glm-4.7", "max_tokens": 4000, "messages": [{"role": "user", "content": prompt}], **fields}


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def comparable(message):
    fields = message.to_dict()
    fields.pop("id")
    for block in fields["content"]:
        block.pop("signature", None)
        block.pop("parsed_output", None)
    return fields


class Answers(unittest.TestCase):
    def test_whole(self):
        """M01"""
        for options in ({}, {"api_key": None, "auth_token": API_KEY}):
            message = client(**options).messages.create(**request())
            self.assertEqual(text_of(message), SAID)
            self.assertEqual(message.stop_reason, "end_turn")
            self.assertGreater(message.usage.output_tokens, 0)
            self.assertRegex(message._request_id, r"^req_[0-9a-f]{32}$")

    def test_stream(self):
        """M03"""
        types = [event.type for event in client().messages.create(**request(stream=True))]
        self.assertEqual((types[0], types[-2], types[-1]), ("message_start", "message_delta", "message_stop"))
        self.assertEqual(types.count("message_start"), 1)

    def test_streamed_and_whole(self):
        """M04, M15"""
        for scenario in ("plain", "thinking-then-edit", "two-thinking-rounds", "utf8-split"):
            with self.subTest(scenario=scenario):
                body = request(scenario, thinking={"type": "adaptive"})
                with client().messages.stream(**body) as stream:
                    streamed = stream.get_final_message()
                self.assertEqual(comparable(streamed), comparable(client().messages.create(**body)))

    def test_thinking(self):
        """M05, M07"""
        body = request("thinking-then-edit")
        thinking = {"type": "enabled", "budget_tokens": 1024}
        with client().messages.stream(**body, thinking=thinking) as stream:
            heard = [event.thinking for event in stream if event.type == "thinking"]
            block = stream.get_final_message().content[0]
        self.assertEqual(("".join(heard), block.thinking), (THOUGHT, THOUGHT))
        self.assertGreater(len(block.signature), 20)
        self.assertEqual([block.type for block in client().messages.create(**body).content], ["text"])

    def test_thought_comes_back(self):
        """M06, M08"""
        thinking = {"type": "adaptive", "display": "omitted"}
        first = client().messages.create(**request("thinking-then-edit", thinking=thinking))
        self.assertEqual(first.content[0].thinking, "")
        foreign = {"type": "thinking", "thinking": "Foreign.", "signature": "EqoB"}
        messages = [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [foreign, *first.content]},
            {"role": "user", "content": "And then? [[scenario:plain]]"},
        ]
        said = text_of(client().messages.create(**request(messages=messages)))
        self.assertIn("First idea.", said)
        self.assertNotIn("Foreign.", said)

    def test_tools(self):
        """M09"""
        with client().messages.stream(**request("tool-call-xml-two", tools=[WEATHER])) as stream:
            message = stream.get_final_message()
        self.assertEqual(message.stop_reason, "tool_use")
        self.assertEqual([block.input for block in message.content], [{"city": "Paris"}, {"city": "Rome"}])

    def test_stop_sequence(self):
        """M14"""
        message = client().messages.create(**request(stop_sequences=["GLM"]))
        self.assertEqual((message.stop_reason, message.stop_sequence), ("stop_sequence", "GLM"))

    def test_async(self):
        async def ask():
            async with anthropic.AsyncAnthropic(base_url=BASE_URL, api_key=API_KEY) as asynchronous:
                async with asynchronous.messages.stream(**request()) as stream:
                    return "".join([text async for text in stream.text_stream])

        self.assertEqual(asyncio.run(ask()), SAID)

    def test_count(self):
        """M20"""
        body = request()
        body.pop("max_tokens")
        self.assertGreater(client().messages.count_tokens(**body).input_tokens, 0)

    def test_models(self):
        """H01, H02"""
        ids = [model.id for model in client().models.list()]
        self.assertIn("glm-4.7", ids)
        self.assertIn("claude-glm-4.7", ids)
        self.assertEqual(client().models.retrieve("glm-4.7").display_name, "GLM-4.7")


class Errors(unittest.TestCase):
    def assert_fails(self, kind, status, name, base_url=BASE_URL, **options):
        with self.assertRaises(kind) as caught:
            client(base_url=base_url).messages.create(**request(**options))
        self.assertEqual(caught.exception.status_code, status)
        self.assertEqual(caught.exception.body["error"]["type"], name)
        self.assertRegex(caught.exception.request_id, r"^req_")

    def test_before_content(self):
        """M17"""
        table = [
            ("error-sensitive", anthropic.BadRequestError, 400, "invalid_request_error"),
            ("error-level", anthropic.PermissionDeniedError, 403, "permission_error"),
            ("error-model-not-found", anthropic.NotFoundError, 404, "not_found_error"),
            ("error-model-busy", anthropic.RateLimitError, 429, "rate_limit_error"),
            ("error-internal", anthropic.InternalServerError, 500, "api_error"),
        ]
        for scenario, kind, status, name in table:
            for stream in (False, True):
                with self.subTest(scenario=scenario, stream=stream):
                    self.assert_fails(kind, status, name, scenario=scenario, stream=stream)
                    # A good answer in between: too many failures in a row would be kept away from the upstream.
                    client().messages.create(**request())

    def test_upstream_out_of_reach(self):
        """M17"""
        for stream in (False, True):
            with self.subTest(stream=stream):
                self.assert_fails(anthropic.OverloadedError, 529, "overloaded_error", base_url=CHALLENGED_URL, stream=stream)
                self.assert_fails(anthropic.InternalServerError, 500, "api_error", base_url=BLOCKED_URL, stream=stream)

    def test_after_content(self):
        """M18"""
        for scenario in ("error-internal-after-content", "connection-reset", "eof-mid-frame"):
            with self.subTest(scenario=scenario):
                texts = []
                with self.assertRaises(anthropic.APIStatusError), client().messages.stream(**request(scenario)) as stream:
                    for text in stream.text_stream:
                        texts.append(text)
                self.assertTrue("".join(texts).startswith("Hello"))

    def test_wrong_key(self):
        """M17, H06"""
        with self.assertRaises(anthropic.AuthenticationError):
            client(api_key="sk-wrong").messages.create(**request())

    def test_wrong_field(self):
        """M02"""
        with self.assertRaises(anthropic.BadRequestError) as caught:
            client().messages.create(**request(extra_body={"temperature": 3}))
        self.assertIn("temperature", caught.exception.message)


if __name__ == "__main__":
    unittest.main(verbosity=2)
