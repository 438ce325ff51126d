"""flakedb's generators beside the same in Python, with random, uuid and json: time for a hundred messages, fifty nodes,
a hundred answers, and for a million messages. See ../README.md.

Usage: python3 benches/peers/generate.py [--rounds 7] [--messages 100000] [--no-build]
"""

import argparse
import datetime
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time
import uuid

import measure

# Milliseconds for each batch, and messages per second, that are promised.
BATCH_MS = 1.0
MESSAGES_PER_SECOND = 1_000_000
MILLION = 1_000_000

WORDS = ("the a of in to with and for system request answer model value order price customer report error server number "
         "table message result question is has gives needs small new last first").split()
TASKS = [f"Do task number {number} with the text below, please." for number in range(12)]
ANSWERS = [f"The answer to question {number} is in the last line of the text." for number in range(12)]
BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
CONFIGS = {
    "entry": {}, "exit": {"status": "success"}, "model": {"model": "qwen2.5:3b", "temperature": 0.7, "max_tokens": 1000},
    "router": {"model": "qwen2.5:0.5b", "routes": [
        {"name": "code", "description": "Code and programs", "target": "code.specialist"},
        {"name": "general", "description": "All the rest", "target": "general.specialist"}]},
    "reasoning": {"model": "qwen2.5:3b", "max_steps": 10}, "tool": {"tool_id": "calculator"},
    "gate": {"mode": "expression", "conditions": [{"name": "any", "expression": "len(content) > 0", "target": "next"}]},
    "transform": {"transforms": [{"type": "strip"}]},
    "loop": {"body_node": "test.body", "condition_type": "fixed_count", "fixed_count": 3},
    "dynamic_fanout": {"target_nodes": ["node1", "node2"]}, "timeout": {"inner_node": "test.inner", "timeout_ms": 5000},
}
TYPES = list(CONFIGS)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each batch is made in Python")
    parser.add_argument("--messages", type=int, default=100_000, help="that Python makes in place of a million")
    parser.add_argument("--no-build", action="store_true", help="take flakedb's numbers of the last run")
    return parser.parse_args()


def some_uuid(rng):
    """A UUID from the seed; uuid4() would not keep to it."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def moment(rng):
    return (BEGIN + datetime.timedelta(milliseconds=rng.randrange(30 * 86_400_000))).isoformat()


def message(rng):
    return {
        "trace_id": f"trace-{rng.getrandbits(64):016x}",
        "message_id": some_uuid(rng),
        "source_node": f"node.{rng.getrandbits(32):08x}",
        "payload": {
            "task": rng.choice(TASKS),
            "content": " ".join(rng.choices(WORDS, k=rng.randint(5, 20))),
            "metadata": {},
        },
        "metadata": {"is_cached": False},
        "created_at": moment(rng),
    }


def node(rng):
    kind = rng.choice(TYPES)
    # What the application changes must not change the next node.
    return {"id": f"{kind}.{rng.getrandbits(32):08x}", "type": kind, "config": json.loads(json.dumps(CONFIGS[kind]))}


def response(rng):
    text = rng.choice(ANSWERS)
    prompt, tokens = rng.randint(10, 100), len(text.split()) + 1
    load, read = rng.randint(5_000_000, 20_000_000), prompt * rng.randint(200_000, 1_000_000)
    written = tokens * rng.randint(3_000_000, 12_000_000)
    return {
        "model": "qwen2.5:3b", "created_at": moment(rng), "response": text, "done": True, "done_reason": "stop",
        "total_duration": load + read + written + rng.randint(1_000_000, 5_000_000), "load_duration": load,
        "prompt_eval_count": prompt, "prompt_eval_duration": read, "eval_count": tokens, "eval_duration": written,
    }


def in_python(make, count, rounds):
    """Median seconds for `count` of them."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        rng = random.Random(7)
        made = [make(rng) for _ in range(count)]
        times.append(time.perf_counter() - begun)
        del made
    return statistics.median(times)


def dropped_in_python(count):
    """Seconds for `count` messages, none kept."""
    rng = random.Random(7)
    begun = time.perf_counter()
    for _ in range(count):
        message(rng)
    return time.perf_counter() - begun


def lines_in_python(count):
    """Seconds for `count` messages as JSON lines, none kept."""
    rng = random.Random(7)
    with open(os.devnull, "w", encoding="utf-8") as out:
        begun = time.perf_counter()
        for _ in range(count):
            out.write(json.dumps(message(rng), separators=(",", ":")) + "\n")
        return time.perf_counter() - begun


def in_flakedb(name):
    """Median seconds, as the benchmark left them."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or measure.ROOT / "target")
    path = target / "criterion" / "generate" / name / "new" / "estimates.json"
    if not path.is_file():
        sys.exit(f"{path} is not there; run without --no-build")
    return json.loads(path.read_text())["median"]["point_estimate"] / 1e9


def shown(seconds):
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{seconds * 1e3:,.3f} ms"


def main():
    options = arguments()
    if not options.no_build:
        command = ["cargo", "bench", "--locked", "--no-default-features", "--features", "testkit", "--bench", "generate"]
        subprocess.run(command, cwd=measure.ROOT, check=True)
    batches = [("100 messages", message, 100), ("50 nodes", node, 50), ("100 responses", response, 100)]
    rows = [(name, in_flakedb(name), in_python(make, count, options.rounds)) for name, make, count in batches]
    share = MILLION / options.messages
    rows.append(("1000000 messages", in_flakedb("1000000 messages"), dropped_in_python(options.messages) * share))
    lines = "1000000 messages as JSON lines"
    rows.append((lines, in_flakedb(lines), lines_in_python(options.messages) * share))
    # What Python did not make a million of is worked out from what it made.
    mark = f" (extrapolated from {options.messages:,})" if options.messages != MILLION else ""
    print("| seed 7, one core | flakedb | Python | times as fast |")
    print("| --- | ---: | ---: | ---: |")
    for name, own, peer in rows:
        told = shown(peer) + (mark if name.startswith("1000000") else "")
        print(f"| {name} | {shown(own)} | {told} | {peer / own:,.1f} |")
    promises = [(f"{name} in {own * 1e3:.3f} ms; promised: under {BATCH_MS:g} ms", own * 1e3 < BATCH_MS)
                for name, own, _ in rows[:len(batches)]]
    rate = MILLION / rows[len(batches)][1]
    promises.append((f"{rate:,.0f} messages per second; promised: {MESSAGES_PER_SECOND:,}", rate >= MESSAGES_PER_SECOND))
    for promise, kept in promises:
        print(f"{'PASS' if kept else 'FAIL'}  {promise}")
    sys.exit(0 if all(kept for _, kept in promises) else 1)


if __name__ == "__main__":
    main()
