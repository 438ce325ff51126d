"""Runs the tests of ollama-python, made for pytest-httpserver, on `flakedb mock` as a plain HTTP stub: what a test
expects becomes a route of the mock, and what the client then sent is read from the mock's journal."""

import json
import os
import re
import urllib.request

import pytest
from werkzeug.wrappers import Response


def admin(method, path, body=None):
    request = urllib.request.Request(
        f"{os.environ['MOCK_URL']}/__admin{path}", None if body is None else json.dumps(body).encode(),
        {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


class Expectation:
    """One request that the test waits for, and what it gets."""

    def __init__(self, uri, method, body):
        self.uri, self.method, self.body = uri, method, body

    @property
    def route(self):
        if isinstance(self.uri, str):
            return self.uri
        if isinstance(self.uri, re.Pattern):
            return re.match(r"\^?([\w/]*)", self.uri.pattern).group(1) + "*"
        return self.uri.prefix + "*"

    def respond_with_json(self, body, status=200):
        self._respond(status, "application/json", json.dumps(body))

    def respond_with_handler(self, handler):
        self.respond_with_response(handler(None))

    def respond_with_response(self, response):
        assert isinstance(response, Response)
        self._respond(response.status_code, response.content_type, response.get_data(as_text=True))

    def _respond(self, status, kind, body):
        admin("POST", "/routes", {
            "method": self.method, "path": self.route, "status": status, "headers": {"content-type": kind}, "body": body})

    def met_by(self, request):
        path = request["path"]
        if isinstance(self.uri, str):
            same = self.uri == path
        elif isinstance(self.uri, re.Pattern):
            same = bool(self.uri.match(path))
        else:
            same = self.uri.match(path)
        return same and self.method == request["method"] and self.body in (None, request["body"])


class Stand:
    """What the tests use of pytest-httpserver."""

    def __init__(self):
        self.expected = []

    def url_for(self, path):
        return os.environ["MOCK_URL"] + path

    def expect_ordered_request(self, uri, method, json=None):
        self.expected.append(Expectation(uri, method, json))
        return self.expected[-1]


@pytest.fixture
def httpserver():
    admin("POST", "/reset")
    stand = Stand()
    yield stand
    seen = admin("GET", "/requests")["requests"]
    # As pytest-httpserver has it: what was not expected is wrong, and what did not come is for the test to say.
    assert len(seen) <= len(stand.expected), seen
    for request, expected in zip(seen, stand.expected):
        assert expected.met_by(request), (request, expected.method, expected.uri, expected.body)
