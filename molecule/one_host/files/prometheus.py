# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gate needs of a Prometheus: ``prometheus.py FOLDER`` answers each query with 2.

FOLDER gets ``port``, and in ``queries`` each query that came, a line each.
"""

from __future__ import annotations

import json
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])


class Answer(BaseHTTPRequestHandler):
    """Answers as Prometheus does."""

    def do_GET(self) -> None:
        """Note the query and give it its number."""
        parts = urllib.parse.urlsplit(self.path)
        if parts.path != "/api/v1/query":
            self.send_error(404)
            return
        with (FOLDER / "queries").open("a") as queries:
            queries.write(urllib.parse.parse_qs(parts.query)["query"][0] + "\n")
        vector = {"resultType": "vector", "result": [{"metric": {}, "value": [1, "2"]}]}
        body = json.dumps({"status": "success", "data": vector}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


with HTTPServer(("127.0.0.1", 0), Answer) as server:
    (FOLDER / "port").write_text(str(server.server_address[1]))
    server.serve_forever()
