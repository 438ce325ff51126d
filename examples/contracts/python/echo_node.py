"""A node in Python that keeps every promise of the contract, with its fixture.

    flakedb contracts -- python3 examples/contracts/python/echo_node.py
"""

import asyncio
import time

from flakedb_contract import Refused, Stats, child, serve

# name: (kind, least, greatest, default)
SETTINGS = {
    "timeout_ms": ("integer", 100, 120_000, 30_000),
    "retry_count": ("integer", 0, 3, 0),
    "retry_delay_ms": ("integer", 0, 10_000, 1_000),
    "prefix": ("other", None, None, ""),
    "server": ("choice", ["up", "down", "slow"], None, "up"),
}


class Server:
    """Stands for what the node asks; it counts how often it was asked."""

    def __init__(self):
        self.asked = 0

    async def echo(self, text, state):
        self.asked += 1
        if state == "down":
            raise ConnectionError("the server is down")
        if state == "slow":
            await asyncio.sleep(60)
        return text


class EchoNode:
    """Says what it is told, with a prefix, after asking a server."""

    def __init__(self, definition, server):
        self.id = definition["id"]
        self.type = definition["type"]
        self.name = definition.get("name") or self.id
        self.description = definition.get("description")
        self.settings = self._checked(definition.get("config", {}))
        self.stats = Stats()
        self._server = server

    @staticmethod
    def _checked(config):
        unknown = sorted(set(config) - set(SETTINGS))
        if unknown:
            raise Refused(f"unknown setting `{unknown[0]}`; there are: {', '.join(SETTINGS)}")
        settings = {}
        for name, (kind, least, greatest, default) in SETTINGS.items():
            value = settings[name] = config.get(name, default)
            if kind == "integer" and (type(value) is not int or not least <= value <= greatest):
                raise Refused(f"`{name}` must be in {least}..={greatest}, is {value}")
            if kind == "choice" and value not in least:
                raise Refused(f"`{name}` must be one of {least}, is {value}")
        return settings

    def describe(self):
        listed = []
        for name, (kind, least, greatest, _) in SETTINGS.items():
            if kind == "choice":
                listed.append({"name": name, "kind": kind, "choices": least})
            else:
                listed.append({"name": name, "kind": kind, "least": least, "greatest": greatest})
        return {
            "id": self.id,
            "type": self.type,
            "name": self.name,
            "description": self.description,
            "config": {key: self.settings[key] for key in list(SETTINGS)[:3]},
            "stats": self.stats.to_dict(),
            "debug": f"<EchoNode id={self.id} type={self.type}>",
            "settings": listed,
        }

    def update_stats(self, success, latency_ms):
        self.stats.record(success, latency_ms)

    async def execute(self, message, context):
        begun = time.monotonic()
        result = {"success": False, "output_messages": [], "next_nodes": [], "metadata": {}}
        text = message["payload"].get("content")
        if text is None:
            result["error"] = "there is no content to echo"
        else:
            for attempt in range(self.settings["retry_count"] + 1):
                if attempt:
                    await asyncio.sleep(self.settings["retry_delay_ms"] / 1000)
                try:
                    said = await asyncio.wait_for(
                        self._server.echo(text, self.settings["server"]),
                        self.settings["timeout_ms"] / 1000,
                    )
                except asyncio.TimeoutError:
                    result["error"] = f"timeout after {self.settings['timeout_ms']} ms"
                except ConnectionError as error:
                    result["error"] = str(error)
                else:
                    answer = child(message, self.id, content=self.settings["prefix"] + said)
                    result.update(success=True, error=None, output_messages=[answer])
                    break
        # Rounded up: what took time is never 0.
        result["latency_ms"] = int((time.monotonic() - begun) * 1000) + 1
        return result


class EchoFixture:
    """How the suite makes the node, and the cases to see it in."""

    def __init__(self):
        self.server = Server()

    def hello(self):
        return {
            "name": "echo (python)",
            "type": "echo",
            "types": ["echo"],
            "cases": {
                "usual": {"config": {"prefix": "echo: "}},
                "failing": {"payload": {"task": "no content"}},
                "slow": {"config": {"server": "slow"}},
                "troubled": {"config": {"server": "down"}},
            },
        }

    def create(self, definition):
        return EchoNode(definition, self.server)

    def work(self):
        return self.server.asked


if __name__ == "__main__":
    serve(EchoFixture())
