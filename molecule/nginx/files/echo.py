#!/usr/bin/python3
"""Answer every request with its own path and headers, on a unix socket."""

from __future__ import annotations

import json
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path


class Echo(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "headers": {name.lower(): value for name, value in self.headers.items()}})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def address_string(self) -> str:
        return "nginx"


if __name__ == "__main__":
    with socketserver.ThreadingUnixStreamServer(sys.argv[1], Echo) as server:
        Path(sys.argv[1]).chmod(0o666)  # nginx is another user
        server.serve_forever()
