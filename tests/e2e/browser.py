"""In a real browser: /try counts itself once a load and shows its number, without script too; and
no badge runs anything."""
import pathlib
import re
import shutil
import subprocess
import tempfile

from server import Server
from wire import get

SECONDS_MAX = 40
VIRTUAL_MILLISECONDS = 5000
WITHOUT_SCRIPT = '{"profile": {"default_content_setting_values": {"javascript": 2}}}'
NAMES = ("chromium", "chromium-browser", "google-chrome")


def load(url, script=True):
    """The page as it stands when its script has done all it does; and the browser's own words."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        raise RuntimeError("there is no chromium")
    with tempfile.TemporaryDirectory(prefix="nandolytics-e2e-") as profile:
        if not script:  # --blink-settings=scriptEnabled=false would stop the headless mode itself.
            (pathlib.Path(profile) / "Default").mkdir()
            (pathlib.Path(profile) / "Default/Preferences").write_text(WITHOUT_SCRIPT)
        done = subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage",
             "--enable-logging=stderr",
             f"--user-data-dir={profile}", f"--virtual-time-budget={VIRTUAL_MILLISECONDS}",
             "--dump-dom", url],
            capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return done.stdout, console


def text_of(page, name):
    found = re.search(rf'id="{name}"[^>]*>([^<]*)<', page)
    return found[1] if found else None


def counted(server, url):
    return server.ask(get(f"/api/v1/counts?url={url}")).json()["counts"][0]["page"]


def counts_itself(report):
    with Server("--auto-sites") as server:
        url = f"http://127.0.0.1:{server.start().port}/try"
        for number in ("1", "2"):
            page, console = load(url)
            report.equal(f"load {number} shows its number", text_of(page, "number"), number)
            report.equal("and says so", text_of(page, "text"), "Counted once, and kept.")
            report.check("with a receipt", len(text_of(page, "receipt") or "") == 192)
            report.equal("the browser has nothing to complain about", console, [])
        report.equal("two loads, two hits", counted(server, url), 2)
        page, _ = load(url, script=False)
        report.equal("without script a pixel counts", counted(server, url), 3)
        report.check("and the page says so", "a pixel has counted this visit" in page)


def below_a_path(report):
    with Server("--auto-sites", "--public-url", "http://127.0.0.1/stats") as server:
        url = f"http://127.0.0.1:{server.start().port}/stats/try"
        page, console = load(url)
        report.equal("below the path of public_url", (text_of(page, "number"), console), ("1", []))
        report.check("its commands name that path", "/stats/nandolytics/record" in page)


def refused(report):
    """On a server that does not count this host the page says what to do."""
    with Server() as server:
        page, _ = load(f"http://127.0.0.1:{server.start().port}/try")
        report.equal("no number", text_of(page, "number"), "\u2013")
        report.check("but what to do", "nandolytics site add" in (text_of(page, "text") or ""))
    with Server() as server:
        server.must("site", "add", "127.0.0.1")
        page, _ = load(f"http://127.0.0.1:{server.start().port}/try")
        report.equal("a closed site shows no number", text_of(page, "number"), "\u2713")


HOSTILE = ("</text><script>document.title=1</script>",
           "</title></svg><script>document.title=1</script>",
           "\" onload=\"document.title=1", "]]><script>document.title=1</script>",
           "<image href=\"x\" onerror=\"document.title=1\"/>", "&lt;script&gt;")


def escaped(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


def badges_run_nothing(report):
    """Opened by itself, where a script in it would run (H6): it is read as it was meant."""
    with Server() as server:
        server.must("site", "add", "open.example", "--public-counts")
        base = f"http://127.0.0.1:{server.start().port}/badge/open.example/a.svg"
        plain, _ = load(base)
        shape = re.findall(r"<(/?\w+)", plain)
        for names in (("label",), ("label", "color", "label_color", "style", "format", "query")):
            value = "".join(HOSTILE) if names == ("label",) else HOSTILE[0]
            query = "&".join(f"{name}={escaped(value)}" for name in names)
            page, console = load(f"{base}?{query}")
            report.equal(f"{names}: no element more", re.findall(r"<(/?\w+)", page), shape)
            report.equal(f"{names}: no script was even refused", console, [])
            report.check(f"{names}: its text is the label",
                         value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                         in page)


ALL = (counts_itself, below_a_path, refused, badges_run_nothing)
