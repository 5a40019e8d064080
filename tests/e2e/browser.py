"""In a real browser: no badge runs anything. What pages do there is tested in tests/browser."""
import re
import shutil
import subprocess
import tempfile

from server import Server

SECONDS_MAX = 40
VIRTUAL_MILLISECONDS = 5000
NAMES = ("chromium", "chromium-browser", "google-chrome")


def load(url):
    """The document as it stands when all scripts have run; and the browser's own words."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        raise RuntimeError("there is no chromium")
    with tempfile.TemporaryDirectory(prefix="nandolytics-e2e-") as profile:
        done = subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage",
             "--enable-logging=stderr",
             f"--user-data-dir={profile}", f"--virtual-time-budget={VIRTUAL_MILLISECONDS}",
             "--dump-dom", url],
            capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return done.stdout, console


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


ALL = (badges_run_nothing,)
