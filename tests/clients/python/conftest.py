"""The mock that every suite talks to: run.py started it, and says where."""

import json
import os
import urllib.request

import pytest


class Mock:
    """The server under test and its admin API."""

    def __init__(self, url):
        self.url = url

    def admin(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/__admin{path}", data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def requests(self, path):
        """The requests to this path, in order of arrival."""
        return [one for one in self.admin("GET", "/requests")["requests"] if one["path"] == path]


@pytest.fixture
def mock():
    server = Mock(os.environ["MOCK_URL"])
    server.admin("POST", "/reset")
    return server
