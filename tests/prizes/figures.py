"""P2 and P4 at their figures. NANDO_CLAIMS is the number of receipts of P2, a hundredth of P4's."""
import base64
import json
import os
import random
import time

import draws
from draws import Draws, but_duplicate
from wire import Connection, Request, post

RECEIPTS = int(os.environ.get("NANDO_CLAIMS", "1000"))
AT_ONCE = 64
PIPELINED = 250


def claim_of(receipt, secret):
    body = post("", {"receipt": receipt, "secret": secret}).body
    return Request("POST", draws.CLAIMS, body, close=False)


def claim_together(lines, ticket):
    """As many claims as connections, complete within one burst: their last bytes go together."""
    for line in lines:
        line.send(claim_of(ticket.receipt, ticket.secret).bytes(line.host)[:-1])
    for line in lines:
        line.socket.send(b"}")
    return [line.read() for line in lines]


def one_prize(report):
    """P2: of one receipt, 64 claims at once get one answer, and one of them is the redemption."""
    with Draws() as server:
        server.run()
        server.open("launch", {"rule": "every", "every": 1, "windows": RECEIPTS},
                    closes=draws.after(draws.DAY))
        tickets = server.enter_many(RECEIPTS)
        lines = [Connection(server.port) for _ in range(AT_ONCE)]
        odd, numbers, began = [], [], time.monotonic()
        for ticket in tickets:
            bodies = [answer.body for answer in claim_together(lines, ticket)]
            first = [body for body in bodies if b'"duplicate":false' in body]
            if len(set(map(but_duplicate, bodies))) != 1 or len(first) != 1:
                odd.append(set(bodies))
            numbers.append(json.loads(bodies[0]).get("prize", {}).get("number"))
        seconds = time.monotonic() - began
        for line in lines:
            line.socket.close()
        report.equal(f"P2: {RECEIPTS} receipts x {AT_ONCE} claims: one answer each", odd[:3], [])
        report.equal("P2: one prize each", numbers, list(range(1, RECEIPTS + 1)))
        report.equal("P2: one redemption each", server.listed("launch")["claimed"], RECEIPTS)
        server.kill()
        server.run()
        report.equal("P2: and after kill -9", server.listed("launch")["claimed"], RECEIPTS)
        server.stop()
        report.equal("P2: the journal recounted", server.command("verify").returncode, 0)
        print(f"P2: {RECEIPTS} receipts x {AT_ONCE} claims in {seconds:.1f} s")


def guesses(ticket, chance):
    """Secrets that are not the right one: near it, made of what a thief sees, and any other."""
    receipt = base64.urlsafe_b64decode(ticket.receipt)
    seen = receipt[72:88]
    yield seen.hex()
    yield base64.urlsafe_b64encode(seen).decode().rstrip("=")
    yield ticket.receipt[:55]
    at = chance.randrange(len(ticket.secret))
    yield ticket.secret[:at] + ("-" if ticket.secret[at] != "-" else "_") + ticket.secret[at + 1:]
    yield ticket.secret[:-1]
    while True:
        yield base64.urlsafe_b64encode(chance.randbytes(24)).decode()


def stolen(report):
    """P4: who has the receipt and not the secret gets nothing."""
    with Draws() as server:
        server.run()
        server.open("launch", {"rule": "every", "every": 1})
        tickets, chance = server.enter_many(100), random.Random(4)
        count, words = 100 * RECEIPTS, {}
        with Connection(server.port) as line:
            for begin in range(0, count, PIPELINED):
                ticket = tickets[begin // PIPELINED % len(tickets)]
                secrets = guesses(ticket, chance)
                line.send(*(claim_of(ticket.receipt, next(secrets)) for _ in range(PIPELINED)))
                for _ in range(PIPELINED):
                    answer = line.read()
                    word = (answer.status, answer.json().get("error"))
                    words[word] = words.get(word, 0) + 1
        report.equal(f"P4: {count} claims without the secret", words,
                     {(403, "wrong_secret"): count})
        report.equal("P4: nothing was given", server.listed("launch")["claimed"], 0)
        report.equal("P4: the control: who has it wins",
                     [server.claim(ticket)["won"] for ticket in tickets], [True] * len(tickets))
        print(f"P4: 0 of {count} claims without the secret")


ALL = (one_prize, stolen)
