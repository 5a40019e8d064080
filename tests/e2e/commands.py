"""Commands, beside a running server and without one: what they print, and their exit codes."""
import csv
import io
import json
import os
import pathlib
import tempfile
import time

from check import id_of
from server import Server, command
from wire import get, post

DONE, NO, WRONG = 0, 1, 2
HITS = "/api/v1/hits"

# Arguments, exit code, and what standard output (if it is done) or standard error holds.
ROWS = (
    (("site", "add", "Blog.Example.com.", "--public-counts"), DONE, "added blog.example.com"),
    (("site", "add", "blog.example.com"), NO, "blog.example.com"),
    (("site", "add", "www.blog.example.com"), NO, "blog.example.com"),
    (("site", "add", "not a host"), WRONG, "not a host"),
    (("site", "add", "x.example", "--timezone", "Mars/Olympus"), WRONG, "Mars/Olympus"),
    (("site", "add", "closed.example", "--timezone", "Europe/Berlin"), DONE, "Europe/Berlin"),
    (("site", "set", "blog.example.com", "pages_max", "10"), DONE, "pages_max is now 10"),
    (("site", "set", "blog.example.com", "pages_max", "0"), WRONG, "pages_max"),
    (("site", "set", "blog.example.com", "pages_mx", "10"), WRONG, "pages_max"),
    (("site", "set", "absent.example", "pages_max", "10"), NO, "absent.example"),
    (("site", "list"), DONE, "blog.example.com"),
    (("token", "add", "backend", "--scope", "hits"), DONE, "nando_hits_"),
    (("token", "add", "backend", "--scope", "everything"), WRONG, "everything"),
    (("token", "add", "x", "--scope", "hits", "--site", "absent.example"), NO, "absent.example"),
    (("token", "add", "x"), WRONG, "--scope"),
    (("token", "list"), DONE, "backend"),
    (("token", "revoke", "1"), DONE, ""),
    (("token", "revoke", "1"), NO, "1"),
    (("token", "revoke", "one"), WRONG, "one"),
    (("key", "rotate"), DONE, ""),
    (("inspect", "--limit", "1"), DONE, "epoch"),
    (("inspect", "--end"), DONE, ""),
    (("inspect", "--segments", "--json"), DONE, ""),
    (("verify",), DONE, ""),
    (("export",), DONE, ""),
    (("export", "--site", "absent.example"), DONE, ""),
    (("export", "--format", "xml"), WRONG, "parquet"),
    (("export", "--since", "yesterday"), WRONG, "no cursor"),
    (("export", "--since", "0000000000000000-1"), NO, "another journal"),
    (("export", "--format", "csv", "--since", "0000000000000000-1"), NO, "another journal"),
    (("rebuild",), DONE, ""),
    (("site", "remove", "closed.example"), DONE, "removed closed.example"),
    (("site", "remove", "closed.example"), NO, "closed.example"),
)


def row_problems(done, code, text):
    problems = [] if done.returncode == code else [f"exit code {done.returncode}, not {code}"]
    where = done.stdout if code == DONE else done.stderr
    if text not in where:
        problems.append(f"it does not say {text!r}: {where!r}")
    if code != DONE and (done.stdout or not done.stderr.startswith("nandolytics: ")):
        problems.append(f"it refuses otherwise than on one line of its own: {done}")
    return problems


def beside_and_without(report):
    for running in (True, False):
        where = "beside the server" if running else "without one"
        with Server() as server:
            server.start()
            if not running:
                server.stop()
            for arguments, code, text in ROWS:
                done = server.command(*arguments)
                report.check(f"{' '.join(arguments)}, {where}", row_problems(done, code, text))


def wrong_calls(report):
    with Server() as server:
        for arguments in ((), ("nonsense",), ("site",), ("site", "add"), ("serve", "--listen", "x"),
                          ("serve", "--nonsense"), ("site", "list", "extra"),
                          ("serve", "--listen", "0.0.0.0:0", "--auto-sites")):
            report.check(f"a wrong call: {' '.join(arguments)}",
                         row_problems(server.command(*arguments), WRONG, ""))
        for arguments in (("site", "list"), ("verify",), ("export",), ("inspect",)):
            done = server.command(*arguments)
            report.equal(f"{arguments[0]} where there is no data", done.returncode, NO)
        report.check("a look makes no directory", not server.data.exists())
        for arguments in (("--help",), ("serve", "--help"), ("site", "add", "--help")):
            done = server.command(*arguments)
            report.equal(f"{' '.join(arguments)}", (done.returncode, done.stderr), (DONE, ""))
        report.equal("a setting that is none", command(server.data, "config", "check", env={
            "NANDOLYTICS_RATE_LIMIT_BURST": "many"}).returncode, NO)


def one_server(report):
    """A second server, and a command without the socket, are refused by name and pid."""
    with Server() as server:
        server.start()
        second = server.command("serve", "--listen", "127.0.0.1:0")
        report.equal("a second server", second.returncode, NO)
        report.check("says whose the directory is",
                     f"the server, process {server.process.pid}" in second.stderr)
        report.equal("health", (server.command("health").returncode,
                                server.command("health").stdout), (DONE, "counting\n"))
        with Server() as other:
            taken = other.command("serve", "--listen", f"127.0.0.1:{server.port}")
            report.equal("a taken port", taken.returncode, NO)
            report.check("is named", str(server.port) in taken.stderr)
        report.equal("SIGTERM", server.stop(), 0)
        report.equal("health of a stopped server", server.command("health").returncode, NO)
        report.equal("its address is gone", (server.data / "address").exists(), False)
        third = server.start()
        report.equal("another may follow", third.command("health").returncode, DONE)


def ranks_by_thread(pid):
    """{name: (policy, niceness)}"""
    ranks = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        thread = int(task.name)
        ranks[(task / "comm").read_text(encoding="ascii").strip()] = (
            os.sched_getscheduler(thread), os.getpriority(os.PRIO_PROCESS, thread))
    return ranks


def who_stands_back(report):
    """Where cores are short, those who answer have them first."""
    with Server() as server:
        server.start()
        ranks = ranks_by_thread(server.process.pid)
        until = time.monotonic() + 2  # A thread says it of itself, when it begins.
        while ranks["retention"][0] != os.SCHED_IDLE and time.monotonic() < until:
            time.sleep(0.02)
            ranks = ranks_by_thread(server.process.pid)
        mine = os.getpriority(os.PRIO_PROCESS, 0)
        report.equal("a loop", ranks["http-0"], (os.SCHED_OTHER, mine))
        report.equal("the keeper, who must keep up", ranks["keeper"], (os.SCHED_OTHER, 10))
        for name in ("feed", "scrub", "retention"):
            report.equal(name, ranks[name][0], os.SCHED_IDLE)


def at_once(report):
    """What a command says, the server does from the next request on."""
    with Server() as server:
        server.start()
        page = {"url": "https://a.example/"}
        report.equal("before the site", server.ask(post(HITS, page)).status, 404)
        server.must("site", "add", "a.example")
        report.equal("a site that is closed", server.ask(post(HITS, page)).status, 202)
        server.must("site", "set", "a.example", "public_counts", "on")
        report.equal("and open", server.ask(post(HITS, page)).json()["page"], 2)
        server.must("site", "set", "a.example", "aliases", "b.example")
        report.equal("an alias", server.ask(post(HITS, {"url": "https://b.example/"})).status, 200)
        token = server.must("token", "add", "x", "--scope", "hits")
        bearer = {"Authorization": f"Bearer {token}"}
        report.equal("a token", server.ask(post(HITS, [page], **bearer)).status, 200)
        server.must("token", "revoke", "1")
        report.equal("revoked", server.ask(post(HITS, [page], **bearer)).status, 401)
        first = server.ask(post(HITS, {**page, "id": id_of("rotate")})).json()["receipt"]
        server.must("key", "rotate")
        again = server.ask(post(HITS, {**page, "id": id_of("rotate")})).json()["receipt"]
        report.equal("an earlier receipt stays as it was", again, first)
        later = server.ask(post(HITS, {**page, "id": id_of("later")})).json()["receipt"]
        report.check("a later one is made under the new key", later[5:10] != first[5:10])
        server.must("site", "remove", "a.example")
        report.equal("removed", server.ask(post(HITS, page)).status, 404)


def reports(report):
    """export, inspect and verify say the same, beside the server and without it."""
    with Server() as server:
        server.must("site", "add", "a.example", "--public-counts")
        server.must("site", "add", "b.example", "--public-counts")
        server.start()
        for number in range(20):
            body = {"url": f"https://{'ab'[number % 2]}.example/{number % 3}",
                    "title": f"\u00fc {number}",
                    "id": id_of(str(number))}
            server.ask(post(HITS, body))
        server.ask(post(HITS,
                        {"url": "https://a.example/0", "name": "signup", "props": {"k": "v"}}))
        running = {name: server.must(*name) for name in (
            ("export",), ("export", "--site", "b.example"), ("inspect",), ("inspect", "--end"))}
        report.equal("verify beside it", server.command("verify").returncode, DONE)
        server.stop()
        for name, text in running.items():
            report.check(f"{' '.join(name)} says the same without the server",
                         server.must(*name) == text)
        report.equal("verify without it", server.command("verify").returncode, DONE)
        lines = [json.loads(line) for line in running["export",].splitlines()]
        views = [line for line in lines if line["kind"] == "page_view"]
        report.equal("every hit is exported once", sorted(line["id"] for line in views),
                     sorted(id_of(str(number)) for number in range(20)))
        report.equal("in order",
                     [line["site_ordinal"] for line in views if line["site"] == "a.example"],
                     list(range(1, 11)))
        report.equal("events too", [line["kind"] for line in lines if "props" in line], ["event"])
        report.equal("of one site", running["export", "--site", "b.example"].count("\n"), 9)
        rows = list(csv.DictReader(io.StringIO(server.must("export", "--format", "csv"))))
        report.equal("as CSV the same hits", [int(row["sequence"]) for row in rows],
                     [line["sequence"] for line in lines])
        report.equal("and the same pages", [row["page"] for row in rows],
                     [line["url"] for line in lines])


def lists(report):
    with Server() as server:
        server.must("site", "add", "a.example", "--public-counts")
        server.must("token", "add", "one", "--scope", "stats", "--site", "a.example")
        sites = json.loads(server.must("site", "list", "--json"))
        report.equal("site list --json", [(one["host"], one["public_counts"]) for one in sites],
                     [("a.example", True)])
        tokens = json.loads(server.must("token", "list", "--json"))
        report.equal("token list --json", [(one["id"], one["name"], one["scope"], one["site"])
                                           for one in tokens], [(1, "one", "stats", "a.example")])
        segments = server.command("inspect", "--segments", "--json")
        report.check("inspect --segments --json", segments.returncode != DONE
                     or isinstance(json.loads(segments.stdout), list))
        shown = json.loads(server.must("config", "show", "--json"))
        report.check("config show --json",
                     any(one["name"] == "data" and one["origin"] == "--data" for one in shown))


def configuration(report):
    with tempfile.TemporaryDirectory(prefix="nandolytics-e2e-") as folder:
        data, file = pathlib.Path(folder) / "data", pathlib.Path(folder) / "nandolytics.toml"
        file.write_text('[rate_limit]\nhits_per_second = 7\nburst = 9\n')
        done = command(data, "config", "show", "--origin")
        report.check("a file beside us is read", done.returncode == DONE and " 7 " in done.stdout
                     and str(file.name) in done.stdout)
        done = command(data, "config", "show", env={"NANDOLYTICS_RATE_LIMIT_BURST": "11"})
        report.check("the environment wins over it",
                     " 11" in done.stdout and " 9" not in done.stdout)
        report.equal("config check", command(data, "config", "check").returncode, DONE)
        secret = {"NANDOLYTICS_WEBHOOKS_SECRET": "a-secret-of-the-operator"}
        for form in ((), ("--json",), ("--origin",)):
            done = command(data, "config", "show", *form, env=secret)
            report.check(f"config show {' '.join(form)} shows no secret",
                         done.returncode == DONE and "webhooks.secret" in done.stdout
                         and "not shown" in done.stdout and "operator" not in done.stdout)
        file.write_text('[rate_limit]\nhits_per_secnd = 7\n')
        done = command(data, "config", "check")
        report.check("an unknown key is an error with its place",
                     done.returncode == NO and "nandolytics.toml:2:1" in done.stderr
                     and "hits_per_second" in done.stderr)
        done = command(data, "serve", "--listen", "127.0.0.1:0")
        report.check("also for serve",
                     done.returncode != DONE and "nandolytics.toml:2:1" in done.stderr)


def files(report):
    """What is kept is for its owner alone."""
    with Server("--auto-sites") as server:
        server.start()
        server.ask(post("/nandolytics/record", {"siteUrl": "http://a.example/"}))
        report.equal("the data directory", oct(os.stat(server.data).st_mode & 0o777), "0o700")
        for path in server.data.iterdir():
            report.equal(f"{path.name}", oct(os.stat(path).st_mode & 0o077), "0o0")
        report.equal("healthz", server.ask(get("/healthz")).json(), {"status": "counting"})


ALL = (beside_and_without, wrong_calls, one_server, who_stands_back, at_once, reports, lists,
       configuration, files)
