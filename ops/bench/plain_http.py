"""Plain HTTP through the gateway and its peers: CPU time per request, in turns. See `ops/bench/http --help`."""

import argparse
import dataclasses
import pathlib
import random
import re
import statistics
import subprocess
import tempfile

import procfs
from processes import Server, free_ports

CONNECTIONS = 32

BACKEND = """
daemon off; worker_processes 1; user root; pid {folder}/backend.pid; error_log {folder}/backend.error error;
events {{ worker_connections 1024; }}
http {{
    access_log off; client_body_temp_path {folder}/backend-body; keepalive_requests 100000000; client_max_body_size 0;
    server {{
        listen 127.0.0.1:{backend}; root {folder}/files;
        location /upload {{ client_body_buffer_size 256k; proxy_pass http://127.0.0.1:{sink}; }}
    }}
    server {{ listen 127.0.0.1:{sink}; location / {{ return 204; }} }}
}}
"""

NGINX = """
daemon off; worker_processes 1; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.error error;
events {{ worker_connections 1024; }}
http {{
    access_log off; client_body_temp_path {folder}/nginx-body; proxy_temp_path {folder}/nginx-proxy;
    keepalive_requests 100000000; client_max_body_size 0;
    upstream app {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr; proxy_request_buffering off;
        }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
defaults
    mode http
    option forwardfor
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend clients
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server app 127.0.0.1:{backend}
"""

CADDY = """
{{
	admin off
	auto_https off
	default_bind 127.0.0.1
	log {{
		level ERROR
	}}
	servers {{
		protocols h1
	}}
}}
http://:{port} {{
	reverse_proxy 127.0.0.1:{backend}
}}
"""

GATEWAY = """
workers: 1
log: {{level: error}}
listeners: [{{address: "127.0.0.1:{port}"}}]
defaults: {{limits: {{body: "0"}}}}
routes: [{{path: /*, backend: app, http: pass}}]
backends: {{app: {{websocket: ["ws://127.0.0.1:{backend}"]}}}}
"""

UPLOAD = """
wrk.method = "POST"
wrk.body = string.rep("x", 102400)
"""


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    path: str
    is_upload: bool = False


WORKLOADS = [Workload("1 KiB", "/1k"), Workload("100 KiB", "/100k"), Workload("upload of 100 KiB", "/upload", True)]


def turn(server: Server, port: int, workload: Workload, folder: pathlib.Path, seconds: int) -> float:
    """Microseconds of CPU time per request."""
    script = ["-s", folder / "upload.lua"] if workload.is_upload else []
    before = procfs.cpu_sum(server.pids())
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *script,
               f"http://127.0.0.1:{port}{workload.path}"]
    output = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    used = procfs.cpu_sum(server.pids()) - before
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{server.name}: {workload.name}: {output}")
    return 1e6 * used.total / int(re.search(r"(\d+) requests in", output)[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "files").mkdir()
        (folder / "files/1k").write_bytes(b"x" * 1024)
        (folder / "files/100k").write_bytes(b"x" * 102400)
        (folder / "upload.lua").write_text(UPLOAD)
        backend, sink, *ports = free_ports(6)
        values = {"folder": folder, "backend": backend, "sink": sink}

        def write(file: str, text: str, port: int = 0) -> pathlib.Path:
            (folder / file).write_text(text.format(**values, port=port))
            return folder / file

        def start(name: str, command: list, port: int, core: int = 0, **environment) -> Server:
            return Server(name, command, core=core, folder=folder, urls={}, ports=[port], environment=environment)

        servers = [
            start("backend", ["nginx", "-c", write("backend.conf", BACKEND)], backend, core=1),
            start("gateway", [options.gateway, "run", "--config", write("gateway.conf", GATEWAY, ports[0])], ports[0]),
            start("nginx", ["nginx", "-c", write("nginx.conf", NGINX, ports[1])], ports[1]),
            start("haproxy", ["haproxy", "-f", write("haproxy.cfg", HAPROXY, ports[2])], ports[2]),
            start("caddy", ["caddy", "run", "--adapter", "caddyfile", "--config", write("Caddyfile", CADDY, ports[3])],
                  ports[3], GOMAXPROCS="1", XDG_DATA_HOME=name, XDG_CONFIG_HOME=name),
        ]
        try:
            peers = list(zip(servers[1:], ports))
            for workload in WORKLOADS:
                report(workload, measure(workload, peers, folder, options))
        finally:
            for server in servers:
                server.stop()


def measure(workload: Workload, peers: list, folder: pathlib.Path, options) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {server.name: [] for server, _ in peers}
    for _ in range(options.rounds):
        for server, port in random.sample(peers, len(peers)):
            costs[server.name].append(turn(server, port, workload, folder, options.seconds))
    return costs


def report(workload: Workload, costs: dict[str, list[float]]):
    print(f"{workload.name}:", flush=True)
    for name, times in costs.items():
        ratio = statistics.median(own / other for own, other in zip(costs["gateway"], times))
        shown = "" if name == "gateway" else f"   gateway / {name} {ratio:.2f}"
        print(f"  {name:8} {statistics.median(times):8.2f} µs of CPU per request{shown}", flush=True)


if __name__ == "__main__":
    main()
