"""What is wrong with a receipt, a secret, a file or a moment: a named error or a plain no, and the
same one every time. tests/e2e/bad_input.py has what is wrong with requests as such."""
import base64
import itertools

import draws
from check import value_problems
from draws import DAY, DONE, HOUR, NO, Draws, Ticket, after, answer_problems
from wire import Connection, Request, get, post

EVERY = {"rule": "every", "every": 1}
SITE_AT, ORDINAL_AT, SECRET_AT, ENTRY_AT, PROMOTION_AT, MAC_AT = 32, 40, 72, 112, 120, 128
FIELDS = ((0, 3), (3, 4), (4, 8), (8, 24), (24, 32), (SITE_AT, 36), (36, ORDINAL_AT),
          (ORDINAL_AT, 48), (48, 56), (56, SECRET_AT), (SECRET_AT, 88), (88, ENTRY_AT),
          (ENTRY_AT, PROMOTION_AT), (PROMOTION_AT, 124), (124, MAC_AT), (MAC_AT, 144))


def raw(text):
    return base64.urlsafe_b64decode(text)


def text(raw_bytes):
    return base64.urlsafe_b64encode(raw_bytes).decode().rstrip("=")


def refused(report, server, name, ticket, status, error, **fields):
    """Twice the same, and no prize is given."""
    answers = [server.ask_claim(ticket, **fields) for _ in range(2)]
    report.check(name, answer_problems(answers[0], status, error))
    report.equal(f"{name}, again", answers[1].body, answers[0].body)


def told_no(report, server, name, ticket, reason):
    answers = [server.ask_claim(ticket) for _ in range(2)]
    report.check(name, answer_problems(answers[0], 200, won=False, reason=reason))
    report.equal(f"{name}, again", answers[1].body, answers[0].body)


def spliced(one, other):
    """Each field, and each pair of them, of one receipt in another."""
    for fields in itertools.chain(((each,) for each in FIELDS), itertools.combinations(FIELDS, 2)):
        made = bytearray(one)
        for begin, end in fields:
            made[begin:end] = other[begin:end]
        if bytes(made) not in (one, other):
            yield text(made)


def forgeries(good, other):
    yield "empty", ""
    yield "no base64", "!" * 192
    yield "zeros", "A" * 192
    yield "padded", good + "===="
    yield "one more", good + "A"
    yield "twice", good * 2
    yield "in capitals", good.upper()
    yield "as base64", good.replace("-", "+").replace("_", "/")
    yield "a space before", " " + good
    yield "a line after", good + "\n"
    for size in (1, 64, 191):
        yield f"cut to {size}", good[:size]
    whole = raw(good)
    for offset, name in ((3, "version"), (4, "key"), (8, "epoch"), (SITE_AT, "site"),
                         (ORDINAL_AT, "ordinal"), (SECRET_AT, "secret"), (ENTRY_AT, "entry"),
                         (PROMOTION_AT, "promotion"), (124, "reserved"), (MAC_AT, "MAC")):
        made = bytearray(whole)
        made[offset] ^= 1
        yield f"another {name}", text(made)
    yield "a MAC of zeros", text(whole[:MAC_AT] + bytes(16))
    yield "the MAC of another", text(whole[:MAC_AT] + raw(other)[MAC_AT:])


def receipts(report):
    with Draws() as server, Draws() as foreign:
        server.run()
        foreign.run()
        for each in (server, foreign):
            each.open("launch", EVERY)
        winner, other = server.enter(), server.enter()
        for name, receipt in forgeries(winner.receipt, other.receipt):
            missing = "missing_field" if not receipt else "bad_receipt"
            refused(report, server, f"a receipt: {name}", winner, 400, missing, receipt=receipt)
        refused(report, server, "of another installation", foreign.enter(), 400, "bad_receipt")
        made = list(spliced(raw(winner.receipt), raw(other.receipt)))
        with Connection(server.port) as line:
            words = {line.ask(Request("POST", draws.CLAIMS, post("", {
                "receipt": receipt, "secret": winner.secret}).body, close=False)).json().get(
                    "error", "none") for receipt in made}
        report.equal(f"{len(made)} splices of two receipts", words, {"bad_receipt"})
        report.equal("nothing was given", server.listed("launch")["claimed"], 0)
        report.equal("the control: they were good", [server.claim(each)["won"] for each in
                                                     (winner, other)], [True, True])


def secrets(report):
    with Draws() as server:
        server.run()
        server.open("launch", EVERY)
        ticket = server.enter()
        for name, secret in (("another", "x" * 32), ("its beginning", ticket.secret[:-1]),
                             ("one more", ticket.secret + "x"),
                             ("its hash", draws.hash_of(ticket.secret)),
                             ("in capitals", ticket.secret.swapcase()),
                             ("a space", ticket.secret + " "), ("zeros", "\0" * 32),
                             ("of no length that is one", "x"), ("long", "x" * 5000),
                             ("no ASCII", "\u00fc" * 16)):
            refused(report, server, f"a secret: {name}", ticket, 403, "wrong_secret",
                    secret=secret)
        for value, error in ((None, "wrong_type"), (1, "wrong_type"), ([], "wrong_type"),
                             ("", "missing_field")):
            refused(report, server, f"a secret: {value!r}", ticket, 400, error, secret=value)
        bare = Ticket(server.enter(secret="").receipt, "x" * 32, 0)
        refused(report, server, "a hit without one", bare, 400, "no_secret")
        zeros = draws.post(draws.HITS, {"url": draws.PAGE, "secret_hash": "0" * 32})
        zero = Ticket(server.ask(zeros).json()["receipt"], "x" * 32, 0)
        refused(report, server, "a hash of zeros", zero, 400, "no_secret")
        for size, good in ((15, False), (16, True), (55, True), (56, False)):
            sized = server.enter(secret="s" * size)
            if good:
                report.equal(f"{size} characters", server.claim(sized)["won"], True)
            else:
                refused(report, server, f"{size} characters", sized, 403, "wrong_secret")
        odd = server.enter(secret="sixteen or more!")
        refused(report, server, "a character that is none of a secret", odd, 403, "wrong_secret")
        report.equal("only those were given", server.listed("launch")["claimed"], 2)
        report.equal("the control", server.claim(ticket)["won"], True)


def bodies(report):
    with Draws() as server:
        server.run()
        server.open("launch", EVERY)
        ticket = server.enter()
        good = {"receipt": ticket.receipt, "secret": ticket.secret}
        for name, body, status, error in (
                ("no JSON", b"{", 400, "not_json"), ("nothing", b"", 400, "not_json"),
                ("an array", b"[]", 400, "wrong_type"), ("no fields", b"{}", 400, "missing_field"),
                ("no UTF-8", b'{"receipt":"\xff"}', 400, "not_utf8"),
                ("no secret", {"receipt": ticket.receipt}, 400, "missing_field"),
                ("no receipt", {"secret": ticket.secret}, 400, "missing_field"),
                ("a number", {**good, "receipt": 1}, 400, "wrong_type"),
                ("deep", b'{"a":' * 64 + b"1" + b"}" * 64, 400, None),
                ("large", {**good, "x": "y" * (1 << 20)}, 413, "body_too_large")):
            answers = [server.ask(post(draws.CLAIMS, body)) for _ in range(2)]
            wanted = error or answers[0].json()["error"]
            report.check(f"a body: {name}", answer_problems(answers[0], status, wanted))
            report.equal(f"a body: {name}, again", answers[1].body, answers[0].body)
        report.equal("the control", server.claim(ticket)["won"], True)


def moments(report):
    """Too early, too late, and a clock that is set; what was told is told for ever."""
    with Draws() as server:
        server.run()
        server.open("launch", EVERY, claim_within="2 hours")
        late, kept = server.enter(), server.enter()
        report.equal("in time", server.claim(kept)["won"], True)
        server.shift_clock(2 * HOUR + 60)
        told_no(report, server, "too late", late, "lapsed")
        for name, seconds in (("back to then", 0), ("a day back", -DAY), ("years on", 999 * DAY)):
            server.shift_clock(seconds)
            told_no(report, server, f"lapsed stays lapsed, {name}", late, "lapsed")
            report.equal(f"won stays won, {name}", server.claim(kept)["won"], True)
            server.stop()
            server.run()
            told_no(report, server, f"also after a restart, {name}", late, "lapsed")
        report.equal("one was given", server.listed("launch")["claimed"], 1)


def other_lives(report):
    """Restored from a backup with its keys: receipts of before are named as such."""
    with Draws() as server, Draws() as other:
        server.run()
        server.open("launch", EVERY)
        ticket = server.enter()
        copy = server.folder / "backup"
        server.must("backup", "--with-keys", str(copy))
        draws.shutil.rmtree(other.data)
        other.must("restore", str(copy))
        other.run()
        refused(report, other, "of a former life", ticket, 410, "former_life")
        report.equal("nothing was given", other.listed("launch")["claimed"], 0)
        report.equal("entries go on", other.claim(other.enter())["entry"], 2)
        report.equal("the control: it is good where it was made", server.claim(ticket)["won"],
                     True)


def promotions(report):
    """A receipt under another promotion, before one, after one, and of a site that is gone."""
    with Draws() as server:
        server.run()
        before = server.enter()
        server.open("one", EVERY)
        ticket = server.enter()
        server.must("promotion", "close", "one")
        server.open("two", EVERY)
        told_no(report, server, "of before any", before, "no_entry")
        report.equal("of the one before", [server.claim(ticket)[key] for key in
                                           ("won", "promotion")], [True, "one"])
        moved = bytearray(raw(ticket.receipt))
        moved[PROMOTION_AT] = 2
        refused(report, server, "moved to the next", ticket, 400, "bad_receipt",
                receipt=text(moved))
        report.equal("nothing of the next", server.listed("two")["claimed"], 0)
        for name in ("absent", "", "a" * 65, "TWO", "two/", "..%2Ftwo", "%00", "two%20"):
            answers = [server.ask(get(f"/api/v1/promotions/{name}")) for _ in range(2)]
            report.check(f"GET of {name!r}", value_problems("status", answers[0].status, 404))
            report.equal(f"GET of {name!r}, again", answers[1].body, answers[0].body)
        report.check("of an unknown name", answer_problems(
            server.ask(get("/api/v1/promotions/absent")), 404, "unknown_promotion"))


INSTANT = {"rule": "instant", "entries": 10}
SEALED = {"rule": "sealed", "outside": "x"}
# What of a file is changed, and what is said of it.
FILES = (
    ({"nmae": "x"}, ":4:1:", "nmae"), ({"win": {**EVERY, "evry": 1}}, ":7:1:", "win.every"),
    ({"name": ""}, ":1:", "name"), ({"name": "Large"}, ":1:", "name"),
    ({"name": "a" * 65}, ":1:", "name"), ({"name": 7}, ":1:", "name"),
    ({"site": "unknown.example"}, ":2:", "unknown.example"), ({"pages": ["x"]}, "", "page"),
    ({"pages": ["/a"] * 101}, "", "pages"), ({"closes": "tomorrow"}, ":3:", "closes"),
    ({"opens": after(-HOUR), "closes": after(-60)}, "", "closes"),
    ({"opens": after(99 * DAY)}, "", "opens"),
    ({"claim_within": "7 moons"}, "", "claim_within"), ({"claim_within": "0 days"}, "",
                                                        "claim_within"),
    ({"win": {"rule": "every", "every": 0}}, ":6:9:", "1 to"),
    ({"win": {"rule": "every", "every": -1}}, "", "every"),
    ({"win": {"rule": "instant", "entries": 0}}, "", "entries"),
    ({"win": {"rule": "instant"}}, "", "win.each"),
    ({"win": {**INSTANT, "each": "day"}}, "", "win.each"),
    ({"win": {"rule": "instant", "each": "year"}}, "", "win.each"),
    ({"win": {**INSTANT, "winners": 0}}, "", "winners"),
    ({"win": {**INSTANT, "winners": 11}}, "", "winners"),
    ({"win": {**INSTANT, "windows": 0}}, "", "windows"),
    ({"win": {"rule": "exact"}}, "", "ordinals"),
    ({"win": {"rule": "exact", "ordinals": []}}, "", "ordinals"),
    ({"win": {"rule": "exact", "ordinals": [0]}}, ":6:12:", "ordinal must"),
    ({"win": {"rule": "exact", "ordinals": [2, 2]}}, "", "ordinals"),
    ({"win": {"rule": "exact", "ordinals": [3, 2]}}, "", "ordinals"),
    ({"win": {"rule": "lottery"}}, "", "win.rule"), ({"win": {}}, "", "win.rule"),
    ({"win": SEALED}, "", "win.outside_at"),
    ({"win": {**SEALED, "outside_at": after(-1)}}, "", "outside_at"),
    ({"win": {**EVERY, "outside": "x"}}, "", "win.outside"),
    ({"prize": {"says": "x", "stock": 0}}, "", "stock"),
    ({"prize": {"says": "x", "stock": 100_001}}, "", "stock"),
    ({"prize": {"says": ""}}, "", "says"), ({"prize": {"says": "a\nb"}}, "", "says"),
    ({"prize": {"says": "x" * 2001}}, "", "says"),
    ({"prize": {"says": "javascript:alert(1)", "kind": "link"}}, "", "http"),
    ({"prize": {"says": "x", "kind": "code"}}, "", "prize.codes"),
    ({"prize": {"says": "x", "codes": "codes.txt"}}, "", "prize.codes"),
    ({"prize": {"says": "x", "kind": "code", "codes": "absent.txt"}}, "", "absent.txt"),
    ({"prize": {"says": "x", "kind": "code", "codes": "twice.txt"}}, "", "twice.txt:3:"),
    ({"prize": {"says": "x", "kind": "code", "codes": "codes.txt", "stock": 3}}, "", "fewer"),
)


def said_of(server, text_of_file):
    done = [server.add_file(text_of_file) for _ in range(2)]
    problems = [] if done[0].returncode != DONE else ["it was opened"]
    if done[0].stderr != done[1].stderr:
        problems.append(f"the second time it says {done[1].stderr}, not {done[0].stderr}")
    if done[0].stdout or not done[0].stderr.startswith("nandolytics: "):
        problems.append(f"it refuses otherwise than in words of its own: {done[0]}")
    return done[0].stderr, problems


def files(report):
    """Beside the server and without it; a file that was refused leaves its name free."""
    with Draws() as server:
        server.file("codes.txt", "A\nB\n")
        server.file("twice.txt", "A\nB\nA\n")
        for running in (True, False):
            if running:
                server.run()
            for changes, place, word in FILES:
                rules = {"name": "launch", "site": draws.HOST, "closes": after(30 * DAY),
                         "win": EVERY, "prize": {"says": "A mug"}}
                said, problems = said_of(server, draws.toml({**rules, **changes}))
                problems += [f"{said!r} has no {part!r}" for part in (place, word)
                             if part not in said]
                report.check(f"{changes}, {'beside' if running else 'without'} a server", problems)
            for name, broken in (("no TOML", "name = \n"), ("nothing", ""), ("no UTF-8", "\udcff"),
                                 ("large", "#" * (2 << 20))):
                path = server.folder / "rules.toml"
                path.write_bytes(broken.encode("utf-8", "surrogateescape"))
                done = server.command("promotion", "add", str(path))
                report.check(f"a file of {name}", done.returncode != DONE
                             and "rules.toml" in done.stderr)
            missing = server.command("promotion", "add", "absent.toml")
            report.check("no file", missing.returncode == NO and "absent.toml" in missing.stderr)
            if running:
                server.stop()
        report.equal("no promotion came of it", server.must("promotion", "list", "--json"), "[]")
        report.equal("the name is free", server.add("launch", EVERY).returncode, DONE)


def in_the_way(report):
    """Names that were had, pages that are taken, counts that are closed."""
    with Draws() as server:
        server.run()
        server.open("launch", EVERY, pages=["/launch", "/blog/*"])
        for name, pages, taken in (("same", ["/launch"], True), ("below", ["/blog/a"], True),
                                   ("above", ["/*"], True), ("all", [], True),
                                   ("beside", ["/launched", "/blog"], False)):
            done = server.add(name, EVERY, pages=pages)
            report.check(f"pages of another: {name}", (done.returncode == NO) == taken
                         and ("promotion launch" in done.stderr) == taken)
        server.must("promotion", "close", "launch")
        report.check("a name that was had", "a name is used once" in server.add(
            "launch", EVERY).stderr)
        server.must("site", "set", draws.OTHER, "public_counts", "off")
        done = server.add("hidden", EVERY, site=draws.OTHER)
        report.check("a site with closed counts", done.returncode == NO
                     and "public_counts on" in done.stderr)
        server.must("site", "set", draws.OTHER, "public_counts", "on")
        report.equal("and when they are open", server.add("hidden", EVERY,
                                                          site=draws.OTHER).returncode, DONE)


def reveals(report):
    with Draws() as server:
        server.run()
        server.open("drawn", INSTANT)
        early = server.command("promotion", "reveal", "drawn")
        report.check("no window is over", early.returncode == NO and "early" in early.stderr)
        value = server.command("promotion", "reveal", "drawn", "--value", "7")
        report.check("a value of one that is not sealed", value.returncode == NO
                     and "not sealed" in value.stderr)
        server.enter_many(10)
        report.equal("one is over", server.command("promotion", "reveal", "drawn").returncode,
                     DONE)
        server.must("promotion", "close", "drawn")
        server.open("evening", {**SEALED, "outside_at": after(2 * HOUR)}, closes=after(HOUR))
        server.enter()
        server.shift_clock(3 * HOUR)
        for name, text_of_value in (("long", "x" * 2001), ("two lines", "a\nb")):
            done = server.command("promotion", "reveal", "evening", "--value", text_of_value)
            report.check(f"a value: {name}", done.returncode != DONE)
        report.equal("none was taken", server.published("evening")["outside"], None)


def flood(report):
    """Names that nobody has wait for the committer; so a client may ask for some, not for many."""
    with Draws("--rate-limit-hits-per-second", "1", "--rate-limit-burst", "20") as server:
        server.run()
        with Connection(server.port) as line:
            words = [line.ask(Request("GET", f"/api/v1/promotions/n{number}", close=False)).json()[
                "error"] for number in range(60)]
        report.check("names that there are not", words[:15] == ["unknown_promotion"] * 15
                     and words[-30:].count("rate_limited") >= 25)
        limited = server.ask(get("/api/v1/promotions/n1"))
        report.check("and says when to come back", answer_problems(limited, 429, "rate_limited"))
        report.check("Retry-After", int(limited.header("Retry-After")) >= 1)


ALL = (receipts, secrets, bodies, moments, other_lives, promotions, files, in_the_way, reveals,
       flood)
