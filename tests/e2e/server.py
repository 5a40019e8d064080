"""A server with a data directory of its own on a free loopback port, and the commands on it."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import wire

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = pathlib.Path(os.environ.get("NANDOLYTICS", ROOT / "build/nandolytics")).resolve()
SECONDS_MAX = 20
LOG_SHOWN = 4000
UNLIMITED = "1000000000"


def environment():
    """Ours, without settings that happen to be set where the tests run."""
    return {name: value for name, value in os.environ.items() if not name.startswith("NANDOLYTICS")}


def command(data, *arguments, env=None):
    return subprocess.run([PROGRAM, *arguments, "--data", data],
                          env={**environment(), **(env or {})},
                          cwd=data.parent, capture_output=True, text=True, timeout=SECONDS_MAX,
                          check=False)


class Server:
    """`flags` are those of `serve`; hits are not limited unless they say so."""

    def __init__(self, *flags):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nandolytics-e2e-"))
        self.data = self.folder / "data"
        self.flags = list(flags)
        self.process = None
        self.port = None
        if "--rate-limit-burst" not in flags:
            self.flags += ["--rate-limit-hits-per-second", UNLIMITED, "--rate-limit-burst",
                           UNLIMITED]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is not None:
            print(f"the server ended by itself, {self.process.returncode}: "
                  + (self.folder / "log").read_text()[-LOG_SHOWN:])
        with contextlib.suppress(ProcessLookupError):
            if self.process:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *arguments):
        return command(self.data, *arguments)

    def must(self, *arguments):
        done = self.command(*arguments)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    def arguments(self, *flags):
        return [PROGRAM, "serve", "--data", self.data, "--run-dir", self.folder / "salts",
                "--listen", "127.0.0.1:0", "--journal-segment-bytes", "1048576", *self.flags,
                *flags]

    def start(self, wrapper=()):
        """Returns when it has said where it listens. `wrapper` is a command that runs another."""
        self.log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([*wrapper, *self.arguments()], env=environment(),
                                        cwd=self.folder, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True)
        line = self.process.stdout.readline()
        if not line.startswith("nandolytics: counting on http://"):
            self.process.wait(SECONDS_MAX)
            raise RuntimeError(f"no server: {line}{(self.folder / 'log').read_text()}")
        self.port = int(line.split("http://")[1].split(";")[0].split("/")[0].rsplit(":", 1)[1])
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(SECONDS_MAX)
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return code

    def ask(self, request):
        return wire.ask(self.port, request)
