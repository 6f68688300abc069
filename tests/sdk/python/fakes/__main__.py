"""Starts the fakes and says where they are."""

from .server import Server

server = Server()
print(f"listening on {server.server_address[1]}", flush=True)
server.serve_forever()
