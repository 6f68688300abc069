"""The HTTP of all fakes: one listener; an address names who asks, which fake is asked, and then what the vendor's would."""

import json
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import anthropic, bedrock, gemini, openai_chat, openai_embeddings, openai_responses, scene
from .exchange import SECRET, Call, Reply
from .scene import Invalid

OPENAI = {
    "v1/chat/completions": openai_chat.answer,
    "v1/responses": openai_responses.answer,
    "v1/embeddings": openai_embeddings.answer,
}


def openai(call):
    call.needs_header("authorization", f"Bearer {SECRET}")
    return OPENAI[call.path](call)


FAKES = {
    "openai": openai,
    "compatible": openai,
    "anthropic": anthropic.answer,
    "gemini": gemini.answer,
    "bedrock": bedrock.answer,
}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.problems = defaultdict(list)
        self.calls = defaultdict(int)

    def ask(self, who, fake, call):
        with self.lock:
            self.calls[who] += 1
        try:
            return FAKES[fake](call)
        except (Invalid, KeyError, TypeError, ValueError, AttributeError) as error:
            problem = f"{fake} {call.path}: {type(error).__name__}: {error}; the request was {call.raw.decode()}"
            with self.lock:
                self.problems[who].append(problem)
            return Reply(400, {"type": "error", "error": {"type": "invalid_request_error", "message": str(error)}})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        who = self.path.strip("/")
        with self.server.lock:
            told = {"calls": self.server.calls[who], "problems": self.server.problems[who]}
        self.reply(Reply(body=told))

    def do_POST(self):
        raw = self.read()
        if scene.SLOWLY in raw:
            time.sleep(scene.PAUSE_SECONDS)
        _, who, fake, path = self.path.split("/", 3)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.reply(self.server.ask(who, fake, Call(path, headers, raw)))

    def read(self):
        if "content-length" in self.headers:
            return self.rfile.read(int(self.headers["content-length"]))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def reply(self, reply):
        self.send_response(reply.status)
        self.send_header("content-type", reply.kind)
        if reply.pieces:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for piece in reply.pieces:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
            return
        body = json.dumps(reply.body).encode()
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
