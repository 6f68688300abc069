"""The HTTP of all fakes: one listener; an address names who asks, which fake is asked, and then what the vendor's would."""

import json
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import anthropic, bedrock, cohere, gemini, openai_chat, openai_embeddings, openai_responses, scene
from .exchange import SECRET, Call, Failed, Reply
from .scene import Invalid
from .vendors import VENDORS


def openai(call):
    """OpenAI itself, which has more than chat completions."""
    call.needs_header("authorization", f"Bearer {SECRET}")
    if call.path == "v1/responses":
        return openai_responses.answer(call)
    if call.path == "v1/embeddings":
        return openai_embeddings.answer(call)
    return vendor("openai")(call)


def vendor(name):
    def answer(call):
        call.needs_header("authorization", f"Bearer {SECRET}")
        if name == "compatible" and call.path == "v1/embeddings":
            return openai_embeddings.answer(call)
        if call.path != "v1/chat/completions":
            raise Invalid(f"there is no {call.path}")
        return openai_chat.answer(call, VENDORS[name])

    return answer


def azure(call):
    """Version 1 of its interface, and the classic one, whose addresses name the deployment."""
    call.needs_header("api-key", SECRET)
    version = "?api-version=2024-10-21"
    if call.path == "openai/v1/chat/completions":
        return openai_chat.answer(call, VENDORS["azure"])
    if call.path in ("openai/v1/responses", f"openai/responses{version}"):
        return openai_responses.answer(call)
    if call.path == f"openai/deployments/{call.body['model']}/chat/completions{version}":
        return openai_chat.answer(call, VENDORS["azure"])
    raise Invalid(f"there is no {call.path}")


FAKES = {
    **{name: vendor(name) for name in VENDORS},
    "openai": openai,
    "azure": azure,
    "anthropic": anthropic.answer,
    "gemini": gemini.answer,
    "vertex": gemini.answer,
    "bedrock": bedrock.answer,
    "cohere": cohere.answer,
}


# Bytes of the chunks in which comes what is not ASCII: it is cut within its characters.
CUT = 7


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
            self.stream(reply.pieces)
            return
        body = json.dumps(reply.body).encode()
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, pieces):
        try:
            for piece in pieces:
                size = len(piece) if piece.isascii() else CUT
                for at in range(0, len(piece), size):
                    part = piece[at : at + size]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except Failed:
            self.close_connection = True
        except BrokenPipeError:
            self.close_connection = True

    def log_message(self, *_):
        pass
