"""HTTP by hand: requests as bytes, answers taken apart, so that a row can say anything at all."""
import dataclasses
import json
import socket

SECONDS_MAX = 10
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclasses.dataclass(frozen=True)
class Request:
    method: str
    target: str
    body: bytes = None
    headers: tuple = ()
    version: str = "HTTP/1.1"
    close: bool = True

    def bytes(self, host):
        lines = [f"{self.method} {self.target} {self.version}", f"Host: {host}"]
        names = {name.lower() for name, _ in self.headers}
        if self.body is not None and "transfer-encoding" not in names:
            lines.append(f"Content-Length: {len(self.body)}")
        if self.close and "connection" not in names:
            lines.append("Connection: close")
        if "user-agent" not in names:
            lines.append(f"User-Agent: {BROWSER}")
        lines += [f"{name}: {value}" for name, value in self.headers if value is not None]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + (self.body or b"")


def pairs(headers):
    """X_Real_IP="192.0.2.1" is a header of that name with dashes, a list is one sent repeatedly;
    with User_Agent=None there is none, which else is a browser's."""
    found = []
    for name, value in headers.items():
        for one in value if isinstance(value, list) else [value]:
            found.append((name.replace("_", "-"), one))
    return tuple(found)


def get(target, **headers):
    return Request("GET", target, None, pairs(headers))


def post(target, body, **headers):
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    return Request("POST", target, body.encode() if isinstance(body, str) else body, pairs(headers))


@dataclasses.dataclass
class Answer:
    version: str
    status: int
    headers: list
    body: bytes

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        found = self.all(name)
        return found[0] if found else None

    def json(self):
        return json.loads(self.body.decode("utf-8"))


class Connection:
    def __init__(self, port, address="127.0.0.1"):
        self.socket = socket.create_connection((address, port), timeout=SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = f"{address}:{port}"
        self.left = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *requests):
        data = b"".join(one if isinstance(one, bytes) else one.bytes(self.host) for one in requests)
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It was refused before its end; the answer is there to be read.

    def more(self):
        data = self.socket.recv(65536)
        self.left += data
        return bool(data)

    def read(self, method="GET"):
        while b"\r\n\r\n" not in self.left:
            if not self.more():
                raise EOFError(f"no answer, only {self.left!r}")
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        headers = [tuple(line.split(": ", 1)) for line in lines]
        answer = Answer(version, int(status), headers, b"")
        size = int(answer.header("Content-Length") or 0)
        if method == "HEAD" or answer.status in (204, 304):
            size = 0
        while len(self.left) < size:
            if not self.more():
                raise EOFError(f"the body ends after {len(self.left)} of {size} bytes")
        answer.body, self.left = self.left[:size], self.left[size:]
        return answer

    def ask(self, request):
        self.send(request)
        return self.read(request.method if isinstance(request, Request) else "GET")


def ask(port, request):
    with Connection(port) as connection:
        return connection.ask(request)
