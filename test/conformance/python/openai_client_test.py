"""The official Python client as the user. ZAI_CONFORMANCE_URL is a running zai2api in front of the fake upstream."""

import asyncio
import os
import unittest

import openai

BASE_URL = os.environ["ZAI_CONFORMANCE_URL"] + "/v1"
CHALLENGED_URL = os.environ["ZAI_CONFORMANCE_CHALLENGED_URL"] + "/v1"
BLOCKED_URL = os.environ["ZAI_CONFORMANCE_BLOCKED_URL"] + "/v1"
API_KEY = os.environ["ZAI_CONFORMANCE_KEY"]
SAID = "Hello from GLM. You said: hi"
THOUGHT = "First idea.\nSecond idea."


def client(**options):
    return openai.OpenAI(**{"base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0, **options})


def request(scenario=None, **fields):
    prompt = "hi" if scenario is None else f"hi [[scenario:{scenario}]]"
    return {"model": "glm-4.7-nothinking", "messages": [{"role": "user", "content": prompt}], **fields}


def text_of(chunks):
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


class Answers(unittest.TestCase):
    def test_whole(self):
        """C01"""
        answer = client().chat.completions.create(**request())
        self.assertEqual(answer.choices[0].message.content, SAID)
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
        self.assertRegex(answer._request_id, r"^req_[0-9a-f]{32}$")

    def test_stream(self):
        """C17, C18, C20, C22, C23"""
        chunks = list(client().chat.completions.create(**request(stream=True)))
        self.assertEqual(text_of(chunks), SAID)
        self.assertEqual([chunk.choices[0].delta.role for chunk in chunks].count("assistant"), 1)
        self.assertEqual([chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason], ["stop"])
        self.assertTrue(all(chunk.usage is None for chunk in chunks))

    def test_usage_when_asked(self):
        """C21"""
        chunks = list(client().chat.completions.create(**request(stream=True, stream_options={"include_usage": True})))
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage.completion_tokens, 7)
        self.assertTrue(all(chunk.usage is None for chunk in chunks[:-1]))

    def test_thinking(self):
        """C19, C41"""
        whole = client().chat.completions.create(**request("thinking-then-edit")).choices[0].message
        chunks = list(client().chat.completions.create(**request("thinking-then-edit", stream=True)))
        thoughts = [getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks]
        self.assertEqual("".join(thoughts), THOUGHT)
        self.assertEqual(whole.reasoning_content, THOUGHT)
        self.assertEqual((text_of(chunks), whole.content), (SAID, SAID))

    def test_helper(self):
        with client().chat.completions.stream(**request()) as stream:
            self.assertEqual(stream.get_final_completion().choices[0].message.content, SAID)

    def test_async(self):
        async def ask():
            async with openai.AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY) as asynchronous:
                stream = await asynchronous.chat.completions.create(**request(stream=True))
                return text_of([chunk async for chunk in stream])

        self.assertEqual(asyncio.run(ask()), SAID)

    def test_models(self):
        """H01, H02"""
        self.assertIn("glm-4.7", [model.id for model in client().models.list()])
        self.assertEqual(client().models.retrieve("glm-4.7").owned_by, "z-ai")


class Errors(unittest.TestCase):
    def assert_fails(self, kind, status, code, base_url=BASE_URL, **options):
        with self.assertRaises(kind) as caught:
            client(base_url=base_url).chat.completions.create(**request(**options))
        self.assertEqual((caught.exception.status_code, caught.exception.code), (status, code))

    def test_before_content(self):
        """C35"""
        table = [
            ("error-sensitive", openai.BadRequestError, 400, "content_policy_violation"),
            ("error-level", openai.PermissionDeniedError, 403, "model_not_allowed"),
            ("error-model-not-found", openai.NotFoundError, 404, "model_not_found"),
            ("error-model-busy", openai.RateLimitError, 429, "model_busy"),
            ("error-internal", openai.InternalServerError, 502, "upstream_error"),
        ]
        for scenario, kind, status, code in table:
            for stream in (False, True):
                with self.subTest(scenario=scenario, stream=stream):
                    self.assert_fails(kind, status, code, scenario=scenario, stream=stream)
                    # A good answer in between: too many failures in a row would be kept away from the upstream.
                    client().chat.completions.create(**request())

    def test_upstream_out_of_reach(self):
        """C35"""
        for stream in (False, True):
            with self.subTest(stream=stream):
                self.assert_fails(openai.InternalServerError, 503, "upstream_challenge", base_url=CHALLENGED_URL, stream=stream)
                self.assert_fails(openai.InternalServerError, 502, "upstream_blocked", base_url=BLOCKED_URL, stream=stream)

    def test_one_request_when_told_not_to_retry(self):
        """H13"""
        calls = []
        http_client = openai.DefaultHttpxClient(event_hooks={"response": [lambda response: calls.append(response.status_code)]})
        with self.assertRaises(openai.InternalServerError):
            client(base_url=BLOCKED_URL, max_retries=2, http_client=http_client).chat.completions.create(**request())
        self.assertEqual(calls, [502])

    def test_after_content(self):
        """C36"""
        for scenario in ("error-internal-after-content", "connection-reset", "eof-mid-frame"):
            with self.subTest(scenario=scenario):
                chunks = []
                with self.assertRaises(openai.APIError) as caught:
                    for chunk in client().chat.completions.create(**request(scenario, stream=True)):
                        chunks.append(chunk)
                self.assertTrue(text_of(chunks).startswith("Hello"))
                self.assertEqual(caught.exception.code, "upstream_error")

    def test_wrong_key(self):
        """H06"""
        with self.assertRaises(openai.AuthenticationError) as caught:
            client(api_key="sk-wrong").models.list()
        self.assertEqual(caught.exception.code, "invalid_api_key")

    def test_wrong_field(self):
        """C05"""
        with self.assertRaises(openai.BadRequestError) as caught:
            client().chat.completions.create(**request(temperature=3))
        self.assertEqual(caught.exception.param, "temperature")


if __name__ == "__main__":
    unittest.main(verbosity=2)
