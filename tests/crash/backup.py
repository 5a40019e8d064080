"""D12: a backup taken under load, and a store made from it."""
import json
import shutil

from harness import Server, audit, client, finish, load, remove, scratch
from kills import SMALL_SEGMENT

SITES, PAGES = 4, 64


def lines_of(server):
    return [json.loads(line) for line in server.export().read_text().splitlines()]


def same(a, b, *, receipts):
    """Two lines of an export, but for receipts where the keys are others."""
    return a == b if receipts else {**a, "receipt": ""} == {**b, "receipt": ""}


def backup(report, seconds, budget):
    with report.suite("D12", f"a backup under load for {seconds} s, restored elsewhere", budget):
        folder = scratch("backup")
        server, log = Server(folder, SMALL_SEGMENT), folder / "answers"
        log.touch()
        try:
            server.start()
            shape = {"sites": SITES, "pages": PAGES, "log": log}
            load(server, connections=16, count=20_000, seed=1, **shape)
            running = client(
                "load", port=server.port, connections=16, seconds=seconds, seed=2, **shape
            )
            made = [folder / "plain", folder / "whole"]
            for path, flags in zip(made, ([], ["--with-keys"]), strict=True):
                done = server.command("backup", str(path), *flags, check=False)
                report.check(f"{path.name}: made", done.returncode == 0, done.stdout + done.stderr)
                for name in ("keys", "signing"):
                    kept = path / name
                    report.check(
                        f"{path.name}: the file {name} is there only where keys are asked for",
                        kept.read_bytes() == (server.data / name).read_bytes()
                        if flags
                        else not kept.exists(),
                    )
            finish(running)
            audit(report, "the one that was backed up", server, [log], SITES)
            before = lines_of(server)
            server.term()
            for path in made:
                restored(report, server, path, before, path.name == "whole")
            spoilt(report, server, made[0])
        finally:
            server.close()
            remove(folder)


def restored(report, server, path, before, with_keys):
    name = path.name
    other = Server(scratch(f"restored-{name}"), SMALL_SEGMENT)
    try:
        done = other.command("restore", str(path), check=False)
        report.check(f"{name}: restored", done.returncode == 0, done.stdout + done.stderr)
        if with_keys:
            report.check(
                f"{name}: signs with the same key",
                (other.data / "signing").read_bytes() == (path / "signing").read_bytes(),
            )
        if name == "plain":  # What the former life knew, and more than this one.
            shutil.copy(server.data / "warehouse.duckdb", other.data / "warehouse.duckdb")
            log = server.data / "warehouse.duckdb.wal"
            if log.exists():
                shutil.copy(log, other.data / log.name)
        other.start()
        now = lines_of(other)
        cut = now[-1]["sequence"]
        then = [line for line in before if line["sequence"] <= cut]
        report.check(
            f"{name}: equals the state at its sequence number",
            len(now) == len(then)
            and all(same(a, b, receipts=with_keys) for a, b in zip(now, then, strict=True)),
            f"{len(now)} hits, {len(before)} in the former life",
        )
        good, said = other.verify()
        report.check(f"{name}: verify agrees", good, said)
        if name == "plain":
            report.check(
                "the warehouse of the former life was not believed",
                (other.data / "warehouse.duckdb.aside").exists(),
            )
        load(other, connections=16, count=2000, seed=9, sites=SITES, pages=PAGES)
        after = lines_of(other)[len(now) :]
        former = {line["receipt"] for line in before if "receipt" in line}
        fresh = [line["receipt"] for line in after]
        report.check(
            f"{name}: no receipt of the former life is issued again",
            len(fresh) == 2000 and not former.intersection(fresh),
        )
        report.check(
            f"{name}: the epoch is another one",
            epoch(other) != epoch(server),
        )
        good, said = other.verify()
        report.check(f"{name}: verify agrees after more hits", good, said)
        again = other.command("restore", str(path), check=False)
        report.check(f"{name}: no restore over a store", again.returncode == 1, again.stderr)
    finally:
        other.close()
        remove(other.folder)


def epoch(server):
    return server.command("inspect", "--end").stdout.split()[1]


def spoilt(report, server, path):
    """Damage is reported, not copied."""
    name = sorted((path / "journal").iterdir())[0]
    whole = name.read_bytes()
    name.write_bytes(bytes([*whole[:3000], whole[3000] ^ 1, *whole[3001:]]))
    other = Server(scratch("spoilt"))
    try:
        done = other.command("restore", str(path), check=False)
        report.check(
            "a damaged backup is refused by name",
            done.returncode == 1 and name.name in done.stderr and not other.data.exists(),
            done.stderr,
        )
    finally:
        other.close()
        remove(other.folder)
    sealed = next(iter(sorted(server.data.glob("journal/*.sealed"))))
    whole = sealed.read_bytes()
    sealed.write_bytes(bytes([*whole[:3000], whole[3000] ^ 1, *whole[3001:]]))
    to = server.folder / "never"
    done = server.command("backup", str(to), check=False)
    report.check(
        "a damaged store is refused by name, and leaves no backup",
        done.returncode == 1 and sealed.name in done.stderr and not to.exists(),
        done.stderr,
    )
