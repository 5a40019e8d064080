"""V6: what is removed is gone from every file, and every number stays."""
import http.client
import json
import shutil
import subprocess
import time
import urllib.parse

from harness import BROWSER, PROGRAM, Server, Shim, client, compare, finish, load, remove, scratch
from kills import SMALL_SEGMENT

DAY = 86_400
# What each kind of detail says, so that it can be searched for; {} is where it was told.
TITLE = "Title-that-{}-told"
REFERRER = "https://referrer-that-{}-told.example/"
PROPERTY = "Property-that-{}-told"
ADDRESS = "address-that-{}-told"
HITS, OLD_DAYS, KEPT_DAYS = 300, 10, 5


def told(where):
    return [text.format(where) for text in (TITLE, REFERRER, PROPERTY, ADDRESS)]


def tell(server, token, host, where, hits=HITS):
    """Page views and events of one page, full of details."""
    page = {
        "url": f"https://{host}/{ADDRESS.format(where)}",
        "title": TITLE.format(where),
        "referrer": REFERRER.format(where),
    }
    event = {**page, "name": "signup", "props": {"plan": PROPERTY.format(where)}}
    for begin in range(0, hits, 100):
        numbers = range(begin, begin + 100)
        send(server, token, [{**(event if i % 4 == 3 else page)} for i in numbers])


def send(server, token, hits):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "User-Agent": BROWSER,
    }
    connection.request("POST", "/api/v1/hits", json.dumps(hits), headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"hits: {answer.status} {body[:200]}")


def counts(server, hosts_and_places):
    """Every count that is shown, as the server answers it."""
    query = "&".join(
        "url=" + urllib.parse.quote(f"https://{host}/{ADDRESS.format(where)}", safe="")
        for host, where in hosts_and_places
    )
    return json.loads(server.get("/api/v1/counts?" + query)[1])["counts"]


def traces(server, where):
    """Where something of `where` is found: files as they are, journal and warehouse as read."""
    words = told(where)
    found = []
    for path in sorted(server.data.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found += [path.name for word in words if word.encode() in data]
    return sorted(set(found)) + traces_in(server, where, ("ndjson", "csv"))


def traces_in(server, where, forms):
    words, found = told(where), []
    for form in forms:
        text = server.command("export", "--format", form).stdout
        found += [form for word in words if word in text]
    return sorted(set(found))


def is_gone(report, server, name, where):
    left = traces(server, where)
    report.check(f"{name}: no trace in any file or export", not left, ", ".join(left) or "0 found")


def agrees(report, server, name):
    good, said = server.verify()
    report.check(f"{name}: verify agrees", good, said)


def forgotten(report, budget):
    with report.suite("V6", "retention, page remove, site remove: details go, totals stay", budget):
        folder = scratch("forgotten")
        server, shim = Server(folder, SMALL_SEGMENT), Shim(folder)
        try:
            shim.set(Shim.CLOCK_SECONDS, -OLD_DAYS * DAY)
            server.start(shim=shim)
            tell(server, server.token(), "kept.example", "old")
            server.term()
            server.start()
            token = server.token()
            for host, where in (("kept.example", "young"), ("kept.example", "page")):
                tell(server, token, host, where)
            tell(server, token, "gone.example", "site")
            steps(report, server, folder)
        finally:
            server.close()
            remove(folder)


def steps(report, server, folder):
    pages = [("kept.example", where) for where in ("old", "young", "page")]
    before = counts(server, pages)
    agrees(report, server, "before")
    for where in ("old", "young", "page", "site"):
        found = traces(server, where)
        report.check(
            f"control: {where} is found before", {"csv", "ndjson"} <= set(found), str(found)
        )

    server.command("site", "set", "kept.example", "retention", f"{KEPT_DAYS}d")
    until = time.monotonic() + 20
    gone_of_hits = [text.format("old") for text in (TITLE, REFERRER, PROPERTY)]
    while time.monotonic() < until:
        exported = "".join(
            server.command("export", "--format", f).stdout for f in ("csv", "ndjson")
        )
        if not any(text in exported for text in gone_of_hits):
            break
        time.sleep(0.2)
    left = [text for text in gone_of_hits if text in exported]
    report.check("retention: what is older is gone", not left, ", ".join(left))
    report.check("retention: what is younger stays", TITLE.format("young") in exported)
    report.check("retention: pages keep their URLs", ADDRESS.format("old") in exported)
    server.command("site", "set", "kept.example", "retention", f"{KEPT_DAYS + 1}d")
    time.sleep(2.5)
    expired = server.command("inspect").stdout.count(" expired ")
    report.check("retention: nothing is written where nothing is due", expired == 1, str(expired))

    said = server.command("page", "remove", f"kept.example/{ADDRESS.format('page')}").stdout
    report.check("page remove: says what stays", f"{HITS * 3 // 4} page views stay" in said, said)
    is_gone(report, server, "page remove", "page")
    said = server.command("site", "remove", "gone.example").stdout
    report.check("site remove: says what stays", f"{HITS * 3 // 4} page views stay" in said, said)
    is_gone(report, server, "site remove", "site")
    agrees(report, server, "after all three")
    report.check("every total is as before", counts(server, pages) == before, str(before)[:120])

    server.command("rebuild")
    for where in ("page", "site"):
        is_gone(report, server, f"rebuild ({where})", where)
    agrees(report, server, "rebuild")
    restored(report, server, folder, pages, before)
    server.kill()
    server.start()
    agrees(report, server, "kill -9 and start")
    for where in ("page", "site"):
        is_gone(report, server, f"kill -9 and start ({where})", where)
    server.term()
    unfinished(report, server, folder)


def unfinished(report, server, folder):
    """A removal that was written down and killed before it was carried out, and a backup then."""
    host = f"kept.example/{ADDRESS.format('young')}"
    for when in range(1, 12):
        inject = f"inject=rename,renameat,renameat2:signal=SIGKILL:when={when}"
        subprocess.run(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", inject]
            + [str(PROGRAM), "page", "remove", host, "--data", str(server.data)],
            env=server.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd=server.folder,
        )
        if server.command("inspect").stdout.count(" page_removed ") == 2:
            break
    found = traces_in(server, "young", ["ndjson"])
    report.check("control, a removal that was killed: its details are there", found == ["ndjson"])
    server.command("backup", folder / "pending")
    other = Server(scratch("forgotten-pending"), SMALL_SEGMENT)
    try:
        other.command("restore", folder / "pending")
        is_gone(report, other, "a backup of before it was carried out", "young")
        agrees(report, other, "a backup of before it was carried out")
    finally:
        other.close()
        remove(other.folder)


def restored(report, server, folder, pages, before):
    server.command("backup", folder / "copy")
    other = Server(scratch("forgotten-restored"), SMALL_SEGMENT)
    try:
        other.command("restore", folder / "copy")
        other.start()
        agrees(report, other, "a backup, restored")
        for where in ("page", "site"):
            is_gone(report, other, f"a backup, restored ({where})", where)
        report.check("a backup, restored: every total", counts(other, pages) == before)
    finally:
        other.close()
        remove(other.folder)


SITES, PAGES = 4, 64


def removed_under_load(report, kills, budget):
    """Removals beside 16 clients, and kill -9 in their middle: each is carried out in the end."""
    with report.suite("V6k", f"pages removed under load, killed {kills} times meanwhile", budget):
        folder = scratch("removed")
        server, log = Server(folder, SMALL_SEGMENT), folder / "answers"
        log.touch()
        try:
            server.start()
            shape = {"sites": SITES, "pages": PAGES, "log": log}
            load(server, connections=16, count=20_000, seed=1, **shape)
            tell(server, server.token(), "gone.example", "page")
            for kill in range(kills):
                running = client(
                    "load", port=server.port, connections=16, seconds=2, seed=2 + kill, **shape
                )
                removing = remove_in_background(server, kill)
                time.sleep(0.15 + 0.03 * kill)
                server.kill()
                removing.communicate()
                server.start()
                finish(running)
            server.command("page", "remove", f"gone.example/{ADDRESS.format('page')}")
            is_gone(report, server, "after the kills", "page")
            nothing_else(report, server, log)
            pending(report, server, folder)
        finally:
            server.close()
            remove(folder)


def nothing_else(report, server, log):
    """What the clients counted is there to the last hit; the removed page is none of theirs."""
    exported = server.export()
    lines = exported.read_text().splitlines(keepends=True)
    exported.write_text("".join(line for line in lines if '"site":"gone.example"' not in line))
    result, wrong = compare([log], exported, SITES)
    report.check(
        "after the kills: nothing lost, doubled, missing or changed",
        not wrong,
        f"{result['acknowledged']} acknowledged, {result['records']} in the journal"
        + (f"; {', '.join(wrong)}; first: {result['first']}" if wrong else ""),
    )
    agrees(report, server, "after the kills")


def remove_in_background(server, kill):
    host = f"gone.example/{ADDRESS.format('page')}"
    words = ["page", "remove", host] if kill % 2 == 0 else ["verify"]
    return subprocess.Popen(
        [str(PROGRAM), *words, "--data", str(server.data)],
        env=server.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=server.folder,
    )


def pending(report, server, folder):
    """A journal as it was before, under a store that thinks it is done: the search must be red."""
    token = server.token()
    tell(server, token, "again.example", "again")
    server.term()
    old = folder / "old-journal"
    shutil.copytree(server.data / "journal", old)
    server.start()
    server.command("site", "remove", "again.example")
    is_gone(report, server, "again", "again")
    server.term()
    shutil.rmtree(server.data / "journal")
    shutil.copytree(old, server.data / "journal")
    found = traces(server, "again")
    report.check("control: the journal of before is found out", "ndjson" in found, str(found))
