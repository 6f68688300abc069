"""OpenAI's embeddings: as long as asked, in either encoding."""

import base64
import struct

from openai.types.embedding_create_params import EmbeddingCreateParams

from .exchange import Reply
from .scene import EMBEDDED, VECTOR
from .types import check


def answer(call):
    body = call.body
    check(EmbeddingCreateParams, body)
    vector = VECTOR[: body.get("dimensions", len(VECTOR))]
    if body.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, _ in enumerate(inputs)]
    usage = {"prompt_tokens": EMBEDDED, "total_tokens": EMBEDDED}
    return Reply(body={"object": "list", "data": data, "model": body["model"], "usage": usage})
