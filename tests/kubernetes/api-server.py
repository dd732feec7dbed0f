#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""api-server.py DIR: as much of Kubernetes' API as the installer asks for, on a loopback port that DIR/port tells, by TLS with
DIR/tls.crt and DIR/tls.key. DIR/node.json is the node; DIR/daemonset.json the DaemonSet, gone when the file is; DIR/token what
a request must bear, gone when the ServiceAccount is. DIR/requests gets a line for each."""
import http.server
import json
import os
import ssl
import sys

DIR = sys.argv[1]


def path(name):
    return os.path.join(DIR, name)


def load(name):
    with open(path(name), encoding="utf-8") as file:
        return json.load(file)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with open(path("requests"), "a", encoding="utf-8") as file:
            file.write(f"{self.command} {self.path} {body}\n")
        token = open(path("token"), encoding="utf-8").read().strip() if os.path.exists(path("token")) else None
        if token is None or self.headers.get("Authorization") != f"Bearer {token}":
            return self.answer(401, {"kind": "Status", "code": 401})
        if os.path.exists(path("forbidden")):
            return self.answer(403, {"kind": "Status", "code": 403})
        if self.path == "/api/v1/nodes/node-1" and self.command in ("GET", "PATCH"):
            node = load("node.json")
            if self.command == "PATCH":
                if self.headers.get("Content-Type") != "application/merge-patch+json":
                    return self.answer(415, {})
                for key, value in json.loads(body)["metadata"]["labels"].items():
                    node["metadata"]["labels"].pop(key, None)
                    if value is not None:
                        node["metadata"]["labels"][key] = value
                with open(path("node.json.new"), "w", encoding="utf-8") as file:
                    json.dump(node, file)
                os.rename(path("node.json.new"), path("node.json"))
            return self.answer(200, node)
        if self.path == "/apis/apps/v1/namespaces/oci-harden/daemonsets/oci-harden-installer" and self.command == "GET":
            if os.path.exists(path("daemonset.json")):
                return self.answer(200, load("daemonset.json"))
        return self.answer(404, {"kind": "Status", "code": 404})

    do_GET = do_PATCH = handle_one

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(path("tls.crt"), path("tls.key"))
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(path("port.new"), "w", encoding="utf-8") as file:
    file.write(str(server.server_port))
os.rename(path("port.new"), path("port"))
server.serve_forever()
