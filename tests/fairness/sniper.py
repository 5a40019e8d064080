"""P6: watching the count does not pay where winners are drawn, and does where each Nth wins.

A sniper has 100 connections, each with an address of its own in a network of its own. Between any
two bursts of honest visitors it asks for the page's public count, and enters when it likes.
"""
import math
import random

from stall import CHECK_DRAW, HOST, Door, Stall, hit, read_receipt, secret_hash, visitor

SIZE, ADDRESSES = 50, 100
EVERY_WINDOWS = 60  # As many show that each Nth can be aimed at.


class Sniper:
    """Enters by the public door. Its ways: shortly before each full window, as soon as one has
    begun, and where most winners were so far."""

    def __init__(self, port, page):
        self.page, self.turn, self.entries, self.used = page, 0, set(), {}
        self.visitors = [visitor(i, "77.0.0.0") for i in range(ADDRESSES)]
        self.doors = [Door(port, address=who.address) for who in self.visitors]
        self.seen = [0] * SIZE  # Of each place in a window, how often it won.

    def look(self):
        """Asks for the count, and enters while it believes that the next place is a good one."""
        while self.pays(count := self.doors[self.turn % ADDRESSES].count(self.page)):
            if not self.enter(count // SIZE):
                return

    def pays(self, count):
        window, place = divmod(count, SIZE)
        if self.used.get(window, 0) >= ADDRESSES:
            return False
        way = window % 3
        if way == 0:
            return place >= SIZE - 3
        if way == 1:
            return place < 5
        return self.seen[place] > 0 and self.seen[place] == max(self.seen)

    def enter(self, window):
        number = self.turn % ADDRESSES
        self.turn += 1
        self.used[window] = self.used.get(window, 0) + 1
        body = {"url": f"https://{HOST}{self.page}",
                "secret_hash": secret_hash(self.visitors[number].secret)}
        answer = self.doors[number].ask("POST", "/api/v1/hits", body)
        entry = read_receipt(answer["receipt"]).entry
        if entry:
            self.entries.add(entry)
            self.settle(number, window, entry, answer["receipt"])
        return entry

    def settle(self, number, window, entry, receipt):
        """What it does with an entry; it has all the time in the world to claim."""

    def learn(self, winners):
        for winner in winners:
            self.seen[(winner - 1) % SIZE] += 1

    def close(self):
        for door in self.doors:
            door.close()


class StopsWhenItHasWon(Sniper):
    """Takes the first places of each window, asks after each whether it has won, and then stops:
    the one thing in a drawn window that anybody can know. `fair` is what tickets in a hat give."""

    def __init__(self, port, page):
        super().__init__(port, page)
        self.won, self.lost, self.wins, self.fair, self.variance = set(), {}, 0, 0.0, 0.0

    def pays(self, count):
        window, place = divmod(count, SIZE)
        return window not in self.won and place < SIZE * 4 // 5

    def settle(self, number, window, entry, receipt):
        chance = 1 / (SIZE - self.lost.get(window, 0))
        self.fair, self.variance = self.fair + chance, self.variance + chance * (1 - chance)
        if self.doors[number].claim(receipt, self.visitors[number].secret)["won"]:
            self.won, self.wins = self.won | {window}, self.wins + 1
        else:
            self.lost[window] = self.lost.get(window, 0) + 1


def play(stall, name, sniper, windows, seed):
    """Honest visitors in random order, some at a time; the sniper looks after each burst."""
    chance, door, page = random.Random(seed), stall.door(), f"/{name}"
    order = list(range(windows * SIZE))
    chance.shuffle(order)
    told = 0
    while (count := door.count(page)) < windows * SIZE:
        burst = min(chance.randint(1, 8), windows * SIZE - count, len(order))
        door.send([hit(page, visitor(order.pop())) for _ in range(burst)])
        sniper.look()
        if count // SIZE >= told + windows // 10:  # Windows that are over are published.
            told = count // SIZE
            windows_over = stall.proof(name, told * SIZE)["windows"][:told]
            sniper.seen = [0] * SIZE
            for window in windows_over:
                sniper.learn(window["winners"])
    door.close()
    return stall.proof(name, windows * SIZE)


def shares(proof, sniper):
    """Wins, what its entries are worth, and the spread of that: window by window."""
    wins, worth, variance = 0, 0.0, 0.0
    for window in proof["windows"]:
        entries = sum(e in sniper.entries for e in range(window["first"], window["last"] + 1))
        part = entries / SIZE
        worth, variance = worth + part, variance + part * (1 - part)
        wins += sum(winner in sniper.entries for winner in window["winners"])
    return wins, worth, math.sqrt(variance)


def is_bounded(wins, worth, sigma):
    return wins <= worth + 3 * sigma


def say(wins, worth, sigma, windows):
    return (f"{wins / windows:.2%} of wins, {worth / windows:.2%} of entries"
            f" + 3 sigma {3 * sigma / windows:.2%}; {wins} wins in {windows:,} windows")


def sniping(report, windows, budget):
    with report.suite("P6", f"sniping does not pay: {windows:,} drawn windows", budget):
        with Stall("sniper", flags=("--trusted-proxies", "127.0.0.1")) as stall:
            stall.add("drawn", f'rule = "instant"\nentries = {SIZE}\nwindows = {windows}')
            stall.add("every", f'rule = "every"\nevery = {SIZE}')
            for name, count in (("drawn", windows), ("every", EVERY_WINDOWS)):
                sniper = Sniper(stall.server.port, f"/{name}")
                proof = play(stall, name, sniper, count, seed=6)
                sniper.close()
                figures = shares(proof, sniper)
                figure = say(*figures, count)
                if name == "drawn":
                    report.check("drawn: no more than its share", is_bounded(*figures), figure)
                else:
                    report.check("control, every Nth: it pays, and is seen",
                                 not is_bounded(*figures), figure)
                found = stall.contradictions(name, proof)
                report.check(f"{name}: a stranger's check agrees", not found, "; ".join(found[:3]))
                report.check(f"{name}: it has entered", len(sniper.entries) > count,
                             f"{len(sniper.entries):,} entries")
            stopping(report, stall, max(windows // 10, EVERY_WINDOWS))
            watching_prizes(report, stall)


def stopping(report, stall, windows):
    """Who stops after a win spares the entries that could not win: no more than a hat gives."""
    stall.add("stops", f'rule = "instant"\nentries = {SIZE}\nwindows = {windows}')
    sniper = StopsWhenItHasWon(stall.server.port, "/stops")
    figures = shares(play(stall, "stops", sniper, windows, seed=7), sniper)
    sniper.close()
    report.check("who stops when it has won: no more than tickets in a hat give",
                 is_bounded(sniper.wins, sniper.fair, math.sqrt(sniper.variance)),
                 f"{sniper.wins} wins, {sniper.fair:.1f} by its own tickets;"
                 f" {say(*figures, windows)}")


def watching_prizes(report, stall):
    """While a window is open nobody but its winner may know that its prize is gone: whoever knew
    that it is not would enter at its end, where the next place wins nearly for certain."""
    # Two winners, since the first of two is never at the last place.
    stall.add("watched", f'rule = "instant"\nentries = {SIZE}\nwindows = 2\nwinners = 2')
    door, place = stall.door(), CHECK_DRAW.draw(stall.seeds("watched", 2)[1], SIZE, 2)[0]
    whose = [visitor(i) for i in range(SIZE)]
    answers = door.send([hit("/watched", who) for who in whose[:SIZE - 1]])
    said = door.claim(answers[place - 1]["receipt"], whose[place - 1].secret)
    proof = stall.proof("watched", SIZE - 1)
    while proof["as_of"] < said["claimed"]:
        proof = stall.proof("watched", SIZE - 1)
    report.check("the page does not tell that the prize of an open window is gone",
                 said["won"] and proof["claimed"] == 0, f"claimed {proof['claimed']}")
    door.send([hit("/watched", whose[-1])])
    proof = stall.proof("watched", SIZE)
    report.check("control: of a window that is over it tells", proof["claimed"] == 1,
                 f"claimed {proof['claimed']}")
    door.close()
