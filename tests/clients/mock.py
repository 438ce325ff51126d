"""A `flakedb mock` for as long as a suite runs."""

import pathlib
import subprocess
import tempfile
import time
import urllib.request

READY_SECONDS = 20


class Trouble(Exception):
    """A check could not be carried out: what was done, and what it printed."""


class Mock:
    """A server on a free port, started by `with` and ended with it."""

    def __init__(self, flakedb, *arguments):
        self.command = [flakedb, "mock", "--port", "0", *map(str, arguments)]

    def __enter__(self):
        # A file, not a pipe: nobody reads it while the suite runs.
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline().strip()
        head, _, self.url = line.partition("listening on ")
        if head or not self.url.startswith("http://127.0.0.1:"):
            raise Trouble(f"{' '.join(self.command)} said {line!r}\n{self._stop()}")
        self._wait()
        return self

    def _wait(self):
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                with urllib.request.urlopen(self.url, timeout=5) as answer:
                    if answer.read() == b"Ollama is running":
                        return
            except OSError:
                pass
            if time.monotonic() > until:
                raise Trouble(f"{self.url} is not ready after {READY_SECONDS} s\n{self._stop()}")
            time.sleep(0.05)

    def _stop(self):
        """Ends it as a user would; what it complained of, and how it ended."""
        self.process.terminate()
        try:
            self.exit = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.exit = self.process.wait()
            raise Trouble("SIGTERM did not end the mock within 10 s") from None
        finally:
            self.process.stdout.close()
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def __exit__(self, *_):
        self.said = self._stop()
        self.errors.close()


def rules(name):
    return pathlib.Path(__file__).resolve().parent / "rules" / name
