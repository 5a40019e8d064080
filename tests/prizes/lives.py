"""The whole life of a promotion of each rule: opened, entered, claimed, published and checked."""
import json

import draws
from draws import DAY, DONE, HOUR, NO, Draws, after, answer_problems, but_duplicate
from wire import Request, get

OUTSIDE = {"rule": "sealed", "outside": "the numbers of the evening"}


def winners_told(answers):
    """The entries whose claims said that they won."""
    return sorted(answer["entry"] for answer in answers if answer["won"])


def claim_all(report, server, name, tickets):
    """Each ticket claimed twice: the same bytes, but for `duplicate` of a win."""
    answers = []
    for ticket in tickets:
        first, second = server.ask_claim(ticket), server.ask_claim(ticket)
        report.check(f"{name}: an answer is one of two", answer_problems(
            first, 200, won=lambda won: won in (True, False, None), promotion=name,
            hit=ticket.hit))
        report.equal(f"{name}: the same answer again", but_duplicate(second.body),
                     but_duplicate(first.body))
        if first.json()["won"]:
            report.equal(f"{name}: a win is told to be old", second.json()["duplicate"], True)
        answers.append(first.json())
    return answers


def agree(report, server, name, answers, windows):
    """What was claimed, what is published, and both checks of it."""
    proof = server.published(name, lambda proof: len(proof["windows"]) >= windows)
    report.equal(f"{name}: windows that are over", len(proof["windows"]), windows)
    drawn = sorted(entry for window in proof["windows"] for entry in window["winners"])
    report.equal(f"{name}: winners of the claims and of the page", winners_told(answers),
                 drawn)
    report.check(f"{name}: both checks", server.check(proof))
    return proof


def after_a_restart(report, server, name, tickets):
    before = [but_duplicate(server.ask_claim(ticket).body) for ticket in tickets]
    report.equal(f"{name}: stops", server.stop(), 0)
    server.run()
    report.equal(f"{name}: the same answers after a restart",
                 [but_duplicate(server.ask_claim(ticket).body) for ticket in tickets], before)


def exact(report):
    with Draws() as server:
        server.run()
        name = server.open("exact", {"rule": "exact", "ordinals": [2, 5]})
        tickets = [server.enter() for _ in range(5)]
        answers = claim_all(report, server, name, tickets)
        report.equal("exact: its ordinals win", winners_told(answers), [2, 5])
        report.equal("exact: a win in full", answers[1], {
            "won": True, "promotion": name, "window": 1, "entry": 2, "hit": tickets[1].hit,
            "prize": {"kind": "text", "says": "A mug", "number": 1},
            "claimed": answers[1]["claimed"], "duplicate": False})
        report.equal("exact: no win in full", answers[0], {
            "won": False, "promotion": name, "window": 1, "entry": 1, "hit": tickets[0].hit,
            "reason": "not_drawn"})
        proof = agree(report, server, name, answers, 1)
        report.equal("exact: over with its last", (proof["status"], proof["entries"],
                                                   proof["claimed"]), ("closed", 5, 2))
        listed = json.loads(server.must("promotion", "list", "--json"))
        report.equal("exact: the list has the page's word", [one["status"] for one in listed],
                     [proof["status"]])
        report.equal("exact: takes no more", server.claim(server.enter())["reason"], "no_entry")
        after_a_restart(report, server, name, tickets)


def every(report):
    with Draws() as server:
        server.run()
        name = server.open("every", {"rule": "every", "every": 4, "windows": 3})
        tickets = [server.enter() for _ in range(13)]
        entered = [ticket for ticket in tickets if server.claim(ticket).get("entry")]
        report.equal("every: windows are used up", len(entered), 12)
        answers = claim_all(report, server, name, entered)
        agree(report, server, name, answers, 3)
        report.equal("every: the last of each", [one["entry"] for one in
                                                 map(server.claim, entered) if one["won"]],
                     [4, 8, 12])
        after_a_restart(report, server, name, entered)
        report.equal("every: its pages are free",
                     server.add("next", {"rule": "every", "every": 2}).returncode, DONE)


def instant_by_entries(report):
    with Draws() as server:
        server.run()
        name = server.open("drawn", {"rule": "instant", "entries": 5, "windows": 4, "winners": 2})
        tickets = [server.enter() for _ in range(13)]
        answers = claim_all(report, server, name, tickets)
        for window in (1, 2):
            report.equal("drawn: two of a window", sum(
                one["window"] == window and one["won"] for one in answers), 2)
        server.published(name, lambda proof: len(proof["windows"]) == 2)
        proof = server.published(name)
        report.equal("drawn: seeds of what is over, and no other",
                     [bool(window["seed"]) for window in proof["windows"]], [True, True])
        after_a_restart(report, server, name, tickets)
        server.must("promotion", "close", name)
        agree(report, server, name, answers, 3)


def instant_by_time(report):
    """The clock is put forward, in steps of half an hour."""
    with Draws() as server:
        server.run()
        name = server.open("hourly", {"rule": "instant", "each": "hour"}, closes=after(3 * HOUR))
        tickets, seconds = [], 0
        for _ in range(6):
            tickets += [server.enter() for _ in range(3)]
            seconds += HOUR // 2
            server.shift_clock(seconds)
        first = server.claim(tickets[0])
        report.check("hourly: it is known what became of the first", first["won"] in (True, False))
        server.shift_clock(3 * HOUR + 1)
        windows = len({server.claim(ticket)["window"] for ticket in tickets})
        answers = claim_all(report, server, name, tickets)
        proof = agree(report, server, name, answers,
                      len(server.published(name, lambda page: page["status"] != "running")
                          ["windows"]))
        report.check("hourly: a winner in each window that somebody entered", all(
            len(window["winners"]) == (window["last"] >= window["first"])
            for window in proof["windows"]) and windows >= 3)
        after_a_restart(report, server, name, tickets)


def pending_until_the_window_ends(report):
    with Draws() as server:
        server.run()
        name = server.open("daily", {"rule": "instant", "each": "day"}, closes=after(DAY * 3))
        ticket = server.enter()
        answer = server.claim(ticket)
        report.equal("daily: nobody can know yet", (answer["won"], answer["reason"]),
                     (None, "pending"))
        report.check("daily: and when one will", answer["known_at"].endswith("T00:00:00.000Z"))
        report.equal("daily: no seed is told", server.published(name)["windows"], [])
        server.shift_clock(DAY)
        report.equal("daily: the only one of a window wins", server.claim(ticket)["won"], True)
        server.shift_clock(0)
        report.equal("daily: and when the clock is set back", server.claim(ticket)["won"], True)
        server.shift_clock(-DAY)
        report.equal("daily: and far back", server.claim(ticket)["won"], True)


def quiet(report):
    """Where nobody comes by any more, time decides all the same."""
    with Draws() as server:
        server.run()
        name = server.open("hourly", {"rule": "instant", "each": "hour"}, closes=after(3 * HOUR))
        for _ in range(3):
            server.enter()
        report.equal("quiet: nothing is over", server.published(name)["windows"], [])
        server.shift_clock(HOUR)
        one = server.published(name, lambda proof: proof["windows"])
        report.equal("quiet: a window", (one["status"], len(one["windows"])), ("running", 1))
        server.shift_clock(3 * HOUR)
        end = server.published(name, lambda proof: proof["status"] == "closed")
        report.equal("quiet: the end", end["status"], "closed")
        report.check("quiet: both checks", server.check(end))
        server.shift_clock(30 * DAY)
        last = server.published(name, lambda proof: proof["status"] == "over")
        report.equal("quiet: nothing more will happen", last["status"], "over")


def sealed(report):
    with Draws() as server:
        server.run()
        name = server.open("evening", {**OUTSIDE, "winners": 3, "outside_at": after(2 * HOUR)},
                           closes=after(HOUR))
        tickets = [server.enter() for _ in range(10)]
        answers = claim_all(report, server, name, tickets)
        report.equal("sealed: nobody can know", {one["reason"] for one in answers}, {"pending"})
        early = server.command("promotion", "reveal", name, "--value", "1 2 3")
        report.equal("sealed: not while it takes entries", early.returncode, NO)
        server.shift_clock(HOUR + 60)
        report.equal("sealed: takes no more", server.claim(server.enter())["reason"], "no_entry")
        early = server.command("promotion", "reveal", name, "--value", "1 2 3")
        report.check("sealed: not before its date", early.returncode == NO
                     and "not known before" in early.stderr)
        before = server.published(name, lambda proof: proof["status"] == "closed")
        report.check("sealed: the end of the chain is told before", server.check(before))
        server.shift_clock(2 * HOUR + 60)
        report.equal("sealed: still nobody", server.claim(tickets[0])["known_at"], None)
        bare = server.command("promotion", "reveal", name)
        report.check("sealed: asks for the value", bare.returncode != DONE
                     and OUTSIDE["outside"] in bare.stderr)
        server.must("promotion", "reveal", name, "--value", "3 17 21")
        again = server.command("promotion", "reveal", name, "--value", "3 17 22")
        report.check("sealed: once", again.returncode == NO and "3 17 21" in again.stderr)
        proof = server.published(name, lambda page: page["outside"])
        report.equal("sealed: the same head as before", proof["head"], before["head"])
        answers = claim_all(report, server, name, tickets)
        report.equal("sealed: three win", len(winners_told(answers)), 3)
        agree(report, server, name, answers, 1)
        after_a_restart(report, server, name, tickets)


def commands(report):
    """list, pause, resume, close and entries, and what each refuses."""
    with Draws() as server:
        server.run()
        name = server.open("acts", {"rule": "every", "every": 2})
        report.equal("listed", {key: server.listed(name)[key] for key in (
            "site", "status", "rule", "entries", "claimed", "stock")}, {
                "site": draws.HOST, "status": "running", "rule": "every", "entries": 0,
                "claimed": 0, "stock": 1000})
        ticket = server.enter()
        for act, status, then in (("pause", "paused", "no_entry"), ("resume", "running", None),
                                  ("close", "closed", "no_entry")):
            report.equal(act, server.command("promotion", act, name).returncode, DONE)
            report.equal(f"{act} again", server.command("promotion", act, name).returncode, NO)
            report.equal(f"{act}: listed", server.listed(name)["status"], status)
            report.equal(f"{act}: published", server.published(
                name, lambda proof, status=status: proof["status"] == status)["status"], status)
            fresh = server.claim(server.enter())
            report.equal(f"{act}: who comes then",
                         fresh["reason"] if fresh["won"] is False else None, then)
        report.equal("what was won can be claimed", server.claim(ticket)["entry"], 1)
        lines = server.must("promotion", "entries", name).splitlines()
        report.equal("entries", (lines[0], len(lines)),
                     ("entry,committed,id_digest,secret_hash", 3))
        report.equal("who entered finds it by the secret", lines[1].split(",")[3],
                     draws.hash_of(ticket.secret))
        for act in ("pause", "resume", "close", "entries", "reveal"):
            done = server.command("promotion", act, "absent")
            report.check(f"{act} of none", done.returncode == NO and "absent" in done.stderr)
        running = server.must("promotion", "entries", name), server.listed(name)
        server.stop()
        report.check("the same without the server",
                     running == (server.must("promotion", "entries", name), server.listed(name)))
        report.equal("verify", server.command("verify").returncode, DONE)


def prizes(report):
    """Codes given once each, a link, stock, and a code that a second claim gets again."""
    with Draws() as server:
        server.run()
        codes = [f"CODE-{number}" for number in range(5)]
        server.file("codes.txt", "\n".join(codes) + "\n")
        server.open("codes", {"rule": "every", "every": 1},
                    prize={"kind": "code", "says": "At the till", "codes": "codes.txt"})
        tickets = [server.enter() for _ in range(7)]
        answers = claim_all(report, server, "codes", tickets)
        given = [one["prize"]["code"] for one in answers if one["won"]]
        report.equal("each code once", given, codes)
        report.equal("then there is none", [one.get("reason") for one in answers[5:]],
                     ["no_stock"] * 2)
        shown = server.ask(get("/api/v1/promotions/codes")).body
        report.check("no code is published", not any(code.encode() in shown for code in codes))
        after_a_restart(report, server, "codes", tickets)
        server.must("promotion", "close", "codes")
        server.open("link", {"rule": "every", "every": 1},
                    prize={"kind": "link", "says": "https://shop.example/?a=1&b=2"})
        report.equal("a link", server.claim(server.enter())["prize"], {
            "kind": "link", "says": "https://shop.example/?a=1&b=2", "number": 1})
        server.must("promotion", "close", "link")
        server.open("one", {"rule": "exact", "ordinals": [1, 2]},
                    prize={"says": "\u00fc \"<b>\" \\", "stock": 1})
        first, second = server.enter(), server.enter()
        report.equal("who comes first", server.claim(second)["prize"]["says"],
                     "\u00fc \"<b>\" \\")
        report.equal("takes the only one", server.claim(first).get("reason"), "no_stock")


def limits(report):
    """One a visitor; bots and events never; only its pages."""
    with Draws() as server:
        server.run()
        server.open("limits", {"rule": "every", "every": 100}, pages=["/launch", "/blog/*"],
                    who={"visitor": 1, "ipv4_24": 3})

        def enters(**fields):
            answer = server.claim(server.enter(**fields))
            return "entry" in answer

        report.equal("one a visitor", [enters(), enters()], [True, False])
        token = f"Bearer {server.token}"

        def by_token(address, agent=draws.wire.BROWSER, page=draws.PAGE):
            hit = {"url": page, "secret_hash": draws.hash_of("s" * 16), "ip": address,
                   "user_agent": agent}
            answer = server.ask(draws.post(draws.HITS, hit, Authorization=token)).json()
            return "entry" in server.claim(draws.Ticket(answer["receipt"], "s" * 16, 0))

        report.equal("three of a network", [by_token(f"192.0.2.{end}") for end in range(4)],
                     [True, True, True, False])
        report.equal("another network", by_token("198.51.100.1"), True)
        report.equal("a bot", by_token("203.0.113.1", "Googlebot/2.1"), False)
        report.equal("another page", by_token("203.0.113.2", page=f"https://{draws.HOST}/"), False)
        report.equal("below a page", by_token("203.0.113.3", page=f"https://{draws.HOST}/blog/a"),
                     True)
        report.equal("another site", by_token("203.0.113.4", page=f"https://{draws.OTHER}/launch"),
                     False)


def keys(report):
    """Receipts of a key that was rotated out are good, those of a revoked one are not."""
    with Draws() as server:
        server.run()
        name = server.open("keys", {"rule": "every", "every": 1})
        old = server.enter()
        first = server.claim(old)
        report.check("rotate", "key 2" in server.must("key", "rotate"))
        new = server.enter()
        report.equal("an old receipt", server.claim(old), {**first, "duplicate": True})
        report.equal("a new one", server.claim(new)["prize"]["number"], 2)
        report.equal("the key of now is not revoked", server.command("key", "revoke",
                                                                     "2").returncode, NO)
        server.must("key", "revoke", "1")
        for when in ("at once", "after a restart"):
            report.check(f"revoked, {when}", answer_problems(server.ask_claim(old), 400,
                                                             "bad_receipt"))
            report.equal(f"the other is good, {when}", server.claim(new)["duplicate"], True)
            report.equal("stops", server.stop(), 0)
            server.run()
        report.equal("what was given stays given", server.listed(name)["claimed"], 2)


def badge_of(server, page="launch", more=""):
    """What the badge of that page says of its next prize."""
    answer = server.ask(get(f"/badge/prize.example/{page}.svg?of=prize{more}"))
    return answer.body.decode().partition("<title>")[2].partition("</title>")[0]


def badges(report):
    with Draws() as server:
        server.run()
        report.equal("a badge without a promotion", badge_of(server), "next prize: none")
        server.open("nth", {"rule": "every", "every": 1200, "windows": 2}, pages=["/launch"])
        server.open("drawn", {"rule": "instant", "entries": 5}, pages=["/drawn"])
        report.equal("the whole window", badge_of(server), "next prize: in 1,200")
        for _ in range(3):
            server.enter()
        report.equal("nearer by each entry", badge_of(server), "next prize: in 1,197")
        report.equal("short, and with a label", badge_of(server, more="&format=short&label=win"),
                     "win: in 1.1k")
        report.equal("where nobody can tell", badge_of(server, "drawn"), "next prize: by a draw")
        server.must("promotion", "pause", "nth")
        report.equal("while it is paused", badge_of(server), "next prize: none")


def doors(report):
    """HEAD, preflights, foreign origins; no cookie is set and none is read."""
    with Draws() as server:
        server.run()
        server.open("doors", {"rule": "every", "every": 1})
        page, ticket = "/api/v1/promotions/doors", server.enter()
        whole = server.ask(get(page))
        report.check("GET", answer_problems(whole, 200, promotion="doors"))
        head = server.ask(Request("HEAD", page))
        report.equal("HEAD", (head.status, head.body, head.header("Content-Length")),
                     (200, b"", str(len(whole.body))))
        for target, method in ((page, "GET"), (draws.CLAIMS, "POST")):
            granted = server.ask(Request("OPTIONS", target, None, (
                ("Origin", "https://foreign.example"), ("Access-Control-Request-Method", method),
                ("Access-Control-Request-Headers", "content-type, x-own"))))
            report.equal(f"preflight of {target}", (
                granted.status, granted.all("Access-Control-Allow-Origin"),
                granted.header("Access-Control-Allow-Headers"),
                granted.all("Access-Control-Allow-Credentials")),
                (204, ["*"], "content-type, x-own", []))
            report.check("grants the method",
                         method in granted.header("Access-Control-Allow-Methods"))
        body = {"receipt": ticket.receipt, "secret": ticket.secret}
        plain = server.ask(draws.post(draws.CLAIMS, body, Content_Type="text/plain",
                                      Origin="https://foreign.example", Cookie="session=1"))
        report.check("a claim of a foreign page", answer_problems(plain, 200, won=True))
        for method, target in (("GET", draws.CLAIMS), ("POST", page), ("DELETE", page)):
            answer = server.ask(Request(method, target, b"" if method == "POST" else None))
            report.check(f"{method} {target}",
                         answer_problems(answer, 405, "method_not_allowed"))


ALL = (exact, every, instant_by_entries, instant_by_time, pending_until_the_window_ends, quiet,
       sealed, commands, prizes, limits, keys, badges, doors)
