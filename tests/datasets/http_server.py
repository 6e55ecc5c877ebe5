"""A web server on this machine that answers as it is told, also badly."""

import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass
class Answer:
    """How one request for a file is answered.

    body: the whole file; status: of the answer; ranges: whether Range is understood; stop_after:
    bytes of the answer after which the connection closes; stall_after: bytes after which nothing
    more is sent; length: what Content-Length claims (False: none); etag, headers:
    sent as given.
    """

    body: bytes = b""
    status: int = 200
    ranges: bool = True
    stop_after: int | None = None
    stall_after: int | None = None
    length: int | bool | None = None
    etag: str | None = '"1"'
    headers: dict = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """Holds the answers (the last one of a path is given again and again) and logs requests."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = defaultdict(list)
        self.log = []  # (path as asked, headers)
        self.closing = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def put(self, path, *answers):
        """Set what the next requests of a path get."""
        self.answers[path] = list(answers)

    def next_answer(self, path):
        waiting = self.answers[path]
        if not waiting:
            return Answer(status=404)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def ranges_asked(self):
        """Return the Range header of each request so far, None where there was none."""
        return [headers.get("Range") for _, headers in self.log]

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Leave the terminal alone."""

    def do_GET(self):
        path = unquote(self.path).lstrip("/")
        self.server.log.append((self.path, dict(self.headers)))
        answer = self.server.next_answer(path)
        self.close_connection = True
        send = partial(self.send_answer, answer)
        start = self.start_of_range(answer)
        if start is None:
            send(answer.status, answer.body)
        elif start >= len(answer.body):
            send(416, b"", **{"Content-Range": f"bytes */{len(answer.body)}"})
        else:
            span = f"bytes {start}-{len(answer.body) - 1}/{len(answer.body)}"
            send(206, answer.body[start:], **{"Content-Range": span})

    def start_of_range(self, answer):
        """Return the first byte that is asked for, or None for the whole file."""
        asked = self.headers.get("Range")
        if asked is None or not answer.ranges or answer.status != 200:
            return None
        if self.headers.get("If-Range") not in {None, answer.etag}:
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def send_answer(self, answer, status, body, **headers):
        self.send_response(status)
        if answer.length is not False:
            self.send_header("Content-Length", str(answer.length or len(body)))
        if answer.etag:
            self.send_header("ETag", answer.etag)
        self.send_header("Connection", "close")
        for name, value in (headers | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if answer.stall_after is not None:
            self.wfile.write(body[: answer.stall_after])
            self.server.closing.wait(5)
        else:
            self.wfile.write(body[: answer.stop_after])


@contextmanager
def running_server():
    """Serve until the block ends."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
