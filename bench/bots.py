#!/usr/bin/env python3
"""What does it cost a hit that its agent is looked at? 2,000 agents, beside a program that takes
everybody for a person.

That program is this source with one line changed, built in a folder of its own (some minutes the
first time, or BENCH_WITHOUT=path names one). All agents are browsers', so that both programs do the
same afterwards. Turn and turn about.
"""
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import rig  # noqa: E402  It is rig that makes harness known.
import harness  # noqa: E402
from rig import Server, Wrk, cpu_per_request, median_and_spread, note, row, workshop  # noqa: E402

TARGET, ROUNDS, SECONDS = 1.05, 15, 1
STEP = "draft.agent = bench.agents.class_of(draft.beacon.user_agent);"
NO_STEP = "draft.agent = ((void)bench, AgentClass::person);"
AGENTS = 2000


def agents():
    """Those of tests/agents, and as many of them with one product more, as Vivaldi adds one."""
    real = (harness.ROOT / "tests/agents/browsers.txt").read_text().splitlines()
    more = [f"{agent} Vivaldi/7.{i}" for i, agent in enumerate(real * 2)]
    # In an order that has nothing to do with their letters.
    chosen = (real + more)[:AGENTS]
    return [chosen[i * 1237 % AGENTS] for i in range(AGENTS)]


def script(folder):
    """wrk's: the same hit by one agent after another."""
    path = folder / "agents"
    path.write_text("\n".join(agents()) + "\n", encoding="utf-8")
    return f"""
local agents, n = {{}}, 0
for line in io.lines("{path}") do agents[#agents + 1] = line end
local body = '{{"siteUrl":"https://s0.crash.example/p0"}}'
local head = "POST /nandolytics/record HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n" ..
             "Content-Type: application/json\\r\\nContent-Length: " .. #body .. "\\r\\nUser-Agent: "
function request()
  n = n + 1
  return head .. agents[n - math.floor(n / #agents) * #agents + 1] .. "\\r\\n\\r\\n" .. body
end
"""


def without_the_step():
    """The path of the other program."""
    if given := os.environ.get("BENCH_WITHOUT"):
        return pathlib.Path(given)
    tree = harness.BUILD / "bench-without-bots"
    source = tree / "source"
    shutil.rmtree(source, ignore_errors=True)
    passed_over = shutil.ignore_patterns("node_modules")
    for name in ("src", "cmake", "web"):
        shutil.copytree(harness.ROOT / name, source / name, ignore=passed_over)
    shutil.copy2(harness.ROOT / "CMakeLists.txt", source)
    (source / "web/node_modules").symlink_to(harness.ROOT / "web/node_modules")
    (source / "build").mkdir()
    (source / "build/third_party").symlink_to(harness.ROOT / "build/third_party")
    ingest = source / "src/ingest/ingest.cc"
    text = ingest.read_text()
    if STEP not in text:
        raise RuntimeError(f"src/ingest/ingest.cc has no line '{STEP}' any more")
    ingest.write_text(text.replace(STEP, NO_STEP))
    for command in (["cmake", "-S", source, "-B", tree, "-G", "Ninja"],
                    ["ninja", "-C", tree, "nandolytics"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return tree / "nandolytics"


class Other(Server):
    """A server of another program."""

    def launch(self, wrapper=(), shim=None):
        program, harness.PROGRAM = harness.PROGRAM, without_the_step()
        try:
            super().launch(wrapper, shim)
        finally:
            harness.PROGRAM = program


def main():
    with workshop("bots") as folder:
        (folder / "other").mkdir()
        rig.REQUESTS["agents"] = script(folder)
        ours, other, wrk = Server(folder), Other(folder / "other"), Wrk(folder)
        try:
            ours.start()
            other.start()
            for connections in (64, 256):
                one_kind(connections, ours, other, wrk)
        finally:
            other.close()
            ours.close()


def one_kind(connections, ours, other, wrk):
    def cost(server, seconds):
        return cpu_per_request(
            [server.process.pid], wrk, server.port, "agents", connections, seconds
        )

    for server in (ours, other):
        cost(server, 1)
    ratios, costs = [], []
    for turn in range(ROUNDS):
        first, second = (ours, other) if turn % 2 else (other, ours)
        measured = {first: cost(first, SECONDS), second: cost(second, SECONDS)}
        costs.append((measured[ours][0], measured[other][0]))
        ratios.append(costs[-1][0] / costs[-1][1])
        for _, _, bad in measured.values():
            if bad:
                note(f"FAILED REQUESTS: {bad}")
    ratio, spread = median_and_spread(ratios)
    row(
        f"CPU per hit, 2,000 agents, {connections} connections, of without the bot step",
        f"{ratio:.3f}x ({spread})",
        f"{TARGET}x",
        ratio <= TARGET,
    )
    middle = sorted(costs)[len(costs) // 2]
    note(f"with {middle[0]:.2f} us, without {middle[1]:.2f} us")


if __name__ == "__main__":
    main()
