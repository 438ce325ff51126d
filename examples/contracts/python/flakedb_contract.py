"""Speaks the contract protocol of flakedb over stdin and stdout. No dependencies; Python 3.9+.

A node class is written as the application needs it; a fixture class says how to make one and which
cases to see it in. `serve(fixture)` does the rest:

    flakedb contracts -- python3 echo_node.py
"""

import asyncio
import copy
import json
import sys
import threading
import traceback
from datetime import datetime, timezone

PROTOCOL = 1


class Refused(Exception):
    """Raised where a definition, a setting or a number is wrong; the text says why."""


class Stats:
    """Counts of one node's executions."""

    def __init__(self):
        self._lock = threading.Lock()
        self.total_executions = 0
        self.successful_executions = 0
        self.failed_executions = 0
        self.total_latency_ms = 0
        self.last_execution = None
        self.expansion_count = 0

    def record(self, success, latency_ms):
        if latency_ms < 0:
            raise Refused(f"a latency of {latency_ms} ms is none")
        with self._lock:
            self.total_executions += 1
            if success:
                self.successful_executions += 1
            else:
                self.failed_executions += 1
            self.total_latency_ms += latency_ms
            self.last_execution = datetime.now(timezone.utc).isoformat()

    def to_dict(self):
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}


def _line(number, answer):
    """An answer as a line; what JSON or Unicode cannot hold is answered as broken."""
    try:
        text = json.dumps({"id": number, **answer}, allow_nan=False, ensure_ascii=False)
        return text.encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        why = f"the answer is no JSON: {type(error).__name__}: {error}"
        # The text may hold what could not be written.
        why = why.encode(errors="backslashreplace").decode()
        return json.dumps({"id": number, "broken": why}).encode() + b"\n"


class _Server:
    def __init__(self, fixture):
        self.fixture = fixture
        self.nodes = {}
        self.running = {}
        self.own = set()
        self.next_node = 1

    async def answer(self, request):
        """The `ok` of one request."""
        op = request["op"]
        if op == "hello":
            return {"protocol": PROTOCOL, **self.fixture.hello()}
        if op == "create":
            node, self.next_node = self.next_node, self.next_node + 1
            self.nodes[node] = self.fixture.create(request["definition"])
            return {"node": node}
        if op == "work":
            return {"count": self.fixture.work()}
        if op == "running":
            # Executions, and whatever tasks they left behind; not what serves other requests.
            return {"count": len(asyncio.all_tasks() - self.own)}
        if op == "cancel":
            task = self.running.get(request["request"])
            if task is not None:
                task.cancel()
            return {}
        if op == "bye":
            return {}
        if op == "drop":
            self.nodes.pop(request["node"], None)
            return {}
        node = self.nodes[request["node"]]
        if op == "describe":
            return node.describe()
        if op == "update_stats":
            node.update_stats(request["success"], request["latency_ms"])
            return {}
        if op == "execute":
            message, context = request["message"], request["context"]
            result = await node.execute(message, context)
            if request.get("scribble"):
                for output in result["output_messages"]:
                    output["payload"].setdefault("metadata", {})["scribbled"] = True
            return {"result": result, "message": message, "context": context}
        raise Refused(f"unknown op `{op}`")

    async def serve_one(self, request):
        try:
            answer = {"ok": await self.answer(request)}
        except Refused as refused:
            answer = {"refused": str(refused)}
        except asyncio.CancelledError:
            answer = {"broken": "cancelled"}
        except Exception:  # whatever the node raises is the suite's to judge
            answer = {"broken": traceback.format_exc(limit=-3)}
        finally:
            self.running.pop(request["id"], None)
            self.own.discard(asyncio.current_task())
        sys.stdout.buffer.write(_line(request["id"], answer))
        sys.stdout.flush()

    async def run(self):
        loop = asyncio.get_running_loop()
        self.own.add(asyncio.current_task())
        while True:
            line = await loop.run_in_executor(None, sys.stdin.buffer.readline)
            if not line:
                break
            request = json.loads(line)
            task = loop.create_task(self.serve_one(request))
            self.running[request["id"]] = task
            if request["op"] != "execute":
                self.own.add(task)
            if request["op"] == "bye":
                break
        for task in list(self.running.values()):
            task.cancel()


def child(message, source_node, **payload):
    """An answer to a message: the same trace, a new id, and nothing shared with the message."""
    import uuid

    return {
        "trace_id": message["trace_id"],
        "message_id": str(uuid.uuid4()),
        "parent_id": message["message_id"],
        "source_node": source_node,
        "payload": {**copy.deepcopy(message["payload"]), **payload},
        "metadata": {},
        "created_at": datetime.now(timezone.utc).isoformat(),
    }


def serve(fixture):
    """Answers until stdin ends."""
    asyncio.run(_Server(fixture).run())
