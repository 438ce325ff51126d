"""`flakedb mock` beside a bare axum handler that returns the same bytes and a mock written with aiohttp: requests per
second, what it adds to an answer, and the memory of streams that stand still. See ../README.md.

Usage: python3 benches/peers/mock.py [--rounds 5] [--seconds 3] [--connections 64] [--idle 5000] [--flakedb PATH]
"""

import argparse
import json
import pathlib
import resource
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment
import measure

WORK = measure.ROOT / "target" / "peers-mock"
PROJECT = HERE / "mock"
FLOOR_AXUM = 0.8  # requests per second: at least this share of a bare axum handler's
FLOOR_AIOHTTP = 10.0  # and at least this many times aiohttp's
QUESTION = {"model": "llama3.2", "stream": False, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
RULES = HERE / "mock" / "rules.toml"
FLAKEDB, AXUM, AIOHTTP = "flakedb mock", "bare axum", "aiohttp mock"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs, in turn")
    parser.add_argument("--seconds", type=float, default=3, help="of load in each round")
    parser.add_argument("--connections", type=int, default=64, help="that ask at the same time")
    parser.add_argument("--idle", type=int, default=5000, help="streams that stand still")
    parser.add_argument("--flakedb", type=pathlib.Path, help="a binary [default: build this tree]")
    return parser.parse_args()


class Server:
    """A contender on a port of its own, once it says where."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(part) for part in command], cwd=WORK, env=measure.clean(), text=True,
                                        stdout=subprocess.PIPE)
        line = self.process.stdout.readline().strip()
        if not line.startswith("listening on http://"):
            self.process.kill()
            sys.exit(f"{command[0]} said {line!r}")
        self.url = line.removeprefix("listening on ")
        self.address = self.url.removeprefix("http://")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def request(body):
    """A request as clients send it, the connection kept."""
    packed = json.dumps(body).encode()
    head = ("POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: */*\r\n"
            f"Content-Length: {len(packed)}\r\n\r\n")
    return head.encode() + packed


def answer_of(url):
    question = urllib.request.Request(f"{url}/api/chat", json.dumps(QUESTION).encode())
    with urllib.request.urlopen(question, timeout=10) as answer:
        return answer.read()


def load(binary, server, connections, seconds):
    done = subprocess.run([str(binary), server.address, WORK / "request", str(connections), str(seconds)],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"load: {done.stderr[-2000:]}")
    measured = json.loads(done.stdout)
    return {"rate": measured["answers"] / measured["seconds"], "p50": measured["p50"], "p99": measured["p99"]}


def race(commands, binary, options):
    """All contenders in turn, round after round, each a fresh process; under load, and one request at a time."""
    loaded, alone = ({name: [] for name in commands} for _ in range(2))
    for number in range(options.rounds):
        for name, command in commands.items():
            with Server(command) as server:
                load(binary, server, options.connections, 0.3)
                loaded[name].append(load(binary, server, options.connections, options.seconds))
                alone[name].append(load(binary, server, 1, options.seconds / 3))
        print(f"round {number + 1} of {options.rounds} done", file=sys.stderr, flush=True)
    return loaded, alone


def idle(flakedb, streams):
    """KiB of resident memory for each stream that stands still after its first token."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, streams + 200) if hard > 0 else streams + 200, hard))
    ask = request({**QUESTION, "stream": True, "messages": [{"role": "user", "content": "Stall."}]})
    with Server([flakedb, "mock", "--port", "0", "--rules", RULES]) as server:
        host, port = server.address.split(":")
        answer_of(server.url)
        before = server.rss_kib()
        held = []
        for _ in range(streams):
            stream = socket.create_connection((host, int(port)), timeout=20)
            stream.sendall(ask)
            if not stream.recv(4096).startswith(b"HTTP/1.1 200"):
                sys.exit("a stream did not begin")
            held.append(stream)
        time.sleep(0.5)
        after = server.rss_kib()
        for stream in held:
            stream.close()
    return before, after


def median(runs, what):
    return statistics.median(run[what] for run in runs)


def show(loaded, alone, memory, options):
    yard = median(loaded[AXUM], "rate")
    print(f"| {options.connections} connections | requests/s | to bare axum | p50, µs | p99, µs | added p50, µs | added p99, µs |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, runs in loaded.items():
        shown = {what: median(runs, what) for what in ("rate", "p50", "p99")}
        added = [shown[what] - median(loaded[AXUM], what) for what in ("p50", "p99")]
        print(f"| {name} | {shown['rate']:,.0f} | {shown['rate'] / yard:.2f} | {shown['p50']:,.0f} | {shown['p99']:,.0f} "
              f"| {added[0]:+,.0f} | {added[1]:+,.0f} |")
    print("\n| 1 connection | requests/s | p50, µs | p99, µs | added p50, µs | added p99, µs |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, runs in alone.items():
        added = [median(runs, what) - median(alone[AXUM], what) for what in ("p50", "p99")]
        print(f"| {name} | {median(runs, 'rate'):,.0f} | {median(runs, 'p50'):,.0f} | {median(runs, 'p99'):,.0f} "
              f"| {added[0]:+,.0f} | {added[1]:+,.0f} |")
    before, after = memory
    print(f"\n{options.idle:,} streams that stand still: {before / 1024:.1f} MiB before, {after / 1024:.1f} MiB with them, "
          f"{(after - before) / 1024 / options.idle * 1000:.1f} MiB per 1,000.")
    # Shares are taken within each round: a busy machine slows all contenders of a round alike.
    to_axum = statistics.median(own["rate"] / peer["rate"] for own, peer in zip(loaded[FLAKEDB], loaded[AXUM]))
    to_aiohttp = statistics.median(own["rate"] / peer["rate"] for own, peer in zip(loaded[FLAKEDB], loaded[AIOHTTP]))
    floors = [("bare axum", to_axum, FLOOR_AXUM), ("aiohttp", to_aiohttp, FLOOR_AIOHTTP)]
    for peer, share, floor in floors:
        print(f"{'PASS' if share >= floor else 'FAIL'}  {share:.2f} times the requests per second of {peer}; promised: {floor}")
    return all(share >= floor for _, share, floor in floors)


def main():
    options = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    flakedb = options.flakedb.resolve() if options.flakedb else measure.build()[0] / f"flakedb{measure.EXE}"
    built = WORK / "target"
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--release", "--target-dir", built], cwd=PROJECT, check=True)
    python = environment.python_with(PROJECT / "requirements.txt", WORK / "venv")
    own = [flakedb, "mock", "--port", "0", "--rules", RULES]
    with Server(own) as server:
        (WORK / "answer.json").write_bytes(answer_of(server.url))
    (WORK / "request").write_bytes(request(QUESTION))
    commands = {
        FLAKEDB: own,
        AXUM: [built / "release" / "bare_axum", WORK / "answer.json"],
        AIOHTTP: [python, PROJECT / "aiohttp_mock.py", WORK / "answer.json"],
    }
    loaded, alone = race(commands, built / "release" / "load", options)
    memory = idle(flakedb, options.idle)
    sys.exit(0 if show(loaded, alone, memory, options) else 1)


if __name__ == "__main__":
    main()
