"""The program as the page configures it, and what stands in front of it: nothing, nginx, Caddy."""
import contextlib
import http.client
import os
import pathlib
import queue
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import page
import wire
from server import PROGRAM, SECONDS_MAX, Server, environment

HOST, SITE = "127.0.0.1", "open.example"
PATHS = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # Where Debian keeps nginx.
SHORT_TIMEOUT = "1s"  # In place of nginx's default of 60 s: what an ordinary request may take.

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE  # The certificates are of the moment.


def missing_programs():
    return [name for name in ("nginx", "caddy", "openssl") if not shutil.which(name, path=PATHS)]


def free_port():
    with socket.create_server((HOST, 0)) as one:
        return one.getsockname()[1]


@contextlib.contextmanager
def certificate():
    """A folder with the two files that nginx wants."""
    with tempfile.TemporaryDirectory(prefix="nandolytics-proxy-") as name:
        folder = pathlib.Path(name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
                        "/CN=stats.example.com", "-keyout", folder / "privkey.pem",
                        "-out", folder / "fullchain.pem"], check=True, capture_output=True,
                       timeout=SECONDS_MAX)
        yield folder


class Program(Server):
    """The real program with the settings of the page, on a port that it keeps when restarted."""

    def __init__(self, settings):
        super().__init__()
        self.fixed = free_port()
        self.settings = page.replaced(settings, r'listen = "[0-9.]+:8000"',
                                      f'listen = "{HOST}:{self.fixed}"')
        self.unlimited = self.flags
        self.token = None

    def furnish(self):
        self.must("site", "add", SITE, "--public-counts")
        self.token = self.must("token", "add", "proxy", "--scope", "hits")
        return self

    def arguments(self, *flags):
        file = self.folder / "nandolytics.toml"
        file.write_text(self.settings)
        return [PROGRAM, "serve", "--config", file, "--data", self.data, "--run-dir",
                self.folder / "salts", *self.flags, *flags]

    def again(self, flags=None, settings=None):
        """Restarted, in order, with other settings."""
        self.stop()
        self.flags = self.unlimited if flags is None else flags
        self.settings = settings or self.settings
        return self.start()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def count(self, where):
        target = f"/api/v1/counts?url=https://{SITE}{where}"
        return self.ask(wire.get(target)).json()["counts"][0]["page"]


class Secure(wire.Connection):
    def __init__(self, port, host, source):
        plain = socket.create_connection((HOST, port), timeout=wire.SECONDS_MAX,
                                         source_address=(source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = TLS.wrap_socket(plain, server_hostname=host)
        self.host, self.left = host, b""

    def send(self, *requests):
        with contextlib.suppress(ssl.SSLEOFError):  # Refused before its end, as without TLS.
            super().send(*requests)


class Front:
    """What clients connect to. `base` is the path below which the program answers."""

    def __init__(self, where, upstream, pem, change=lambda text: text):
        self.base = "/stats" if where == "path" else ""
        self.host = "example.com" if where == "path" else "stats.example.com"
        self.where, self.upstream, self.pem, self.change = where, upstream, pem, change
        self.port, self.process = free_port(), None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nandolytics-proxy-"))

    def __enter__(self):
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdout=log, stderr=log,
                                            env={**environment(), "HOME": str(self.folder),
                                                 "XDG_DATA_HOME": str(self.folder),
                                                 "XDG_CONFIG_HOME": str(self.folder)})
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            try:
                self.connect().socket.close()
                return self
            except OSError as error:
                if self.process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                self.__exit__()
                raise RuntimeError(f"{type(self).__name__} does not start: {error}") from error

    def __exit__(self, *_):
        if self.process.poll() is not None:
            print("it ended by itself: " + (self.folder / "log").read_text()[-4000:])
        self.process.terminate()
        self.process.wait(SECONDS_MAX)
        shutil.rmtree(self.folder, ignore_errors=True)

    def configuration(self):
        """The page's, with the ports and certificates of here."""
        text = page.block(type(self).__name__.lower(), self.where)
        return self.change(page.replaced(text, r"127\.0\.0\.1:8000", f"{HOST}:{self.upstream}"))

    def connect(self, source=HOST):
        return Secure(self.port, self.host, source)

    def ask(self, request, source=HOST):
        with self.connect(source) as connection:
            return connection.ask(request)

    def get(self, target, **headers):
        return wire.get(self.base + target, **headers)

    def post(self, target, body, **headers):
        return wire.post(self.base + target, body, **headers)

    def listen(self, where):
        return Events(self, f"https://{SITE}{where}")


class Plain(Front):
    """Nothing in between."""

    def __enter__(self):
        self.port = self.upstream
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, source=HOST):
        connection = wire.Connection.__new__(wire.Connection)
        connection.socket = socket.create_connection((HOST, self.port), timeout=wire.SECONDS_MAX,
                                                     source_address=(source, 0))
        connection.host, connection.left = f"{self.host}:8000", b""
        return connection


class Nginx(Front):
    OURS = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    access_log {folder}/access.log;
    proxy_read_timeout {timeout};
    {page}
}}
"""

    def command(self):
        text = self.configuration()
        text = page.replaced(text, r"listen 443", f"listen {HOST}:{self.port}")
        text = page.replaced(text, r"listen \[::\]:443", f"listen unix:{self.folder}/six")
        text = page.replaced(text, r"/etc/letsencrypt/live/[^/]+/", f"{self.pem}/")
        user = "user root;" if os.getuid() == 0 else ""  # Else the workers may not write here.
        file = self.folder / "nginx.conf"
        file.write_text(user + self.OURS.format(folder=self.folder, timeout=SHORT_TIMEOUT,
                                                page=text))
        return [shutil.which("nginx", path=PATHS), "-c", file, "-e", self.folder / "error.log"]


class Caddy(Front):
    OURS = """{{
    admin off
    local_certs
    skip_install_trust
    auto_https disable_redirects
    default_bind {host}
    http_port {other}
    https_port {port}
}}
"""

    def command(self):
        file = self.folder / "Caddyfile"
        file.write_text(self.OURS.format(host=HOST, other=free_port(), port=self.port)
                        + self.configuration())
        caddy = shutil.which("caddy", path=PATHS)
        return [caddy, "run", "--config", file, "--adapter", "caddyfile"]


class Events:
    """An EventSource: what comes is noted with its time by a thread, and None at the end."""

    def __init__(self, front, url):
        self.connection = front.connect()
        self.connection.send(front.get(f"/api/v1/live?url={url}"))
        self.answer = http.client.HTTPResponse(self.connection.socket)
        self.answer.begin()
        self.came = queue.Queue()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.connection.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(SECONDS_MAX)
        self.connection.socket.close()

    def read(self):
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            while line := self.answer.readline():
                if found := re.match(rb"id: (\d+)", line):
                    self.came.put(int(found[1]))
        self.came.put(None)

    def next(self, seconds):
        """The id of the next event; None if the stream has ended, "" if nothing came in time."""
        try:
            return self.came.get(timeout=seconds)
        except queue.Empty:
            return ""


ALL = ((Plain, "plain"), (Nginx, "host"), (Nginx, "path"), (Caddy, "host"), (Caddy, "path"))
