"""Plain HTTP through the gateway and its peers, and files from them: CPU time per request, in turns. See `ops/bench/http --help`."""

import argparse
import dataclasses
import pathlib
import random
import re
import statistics
import subprocess
import tempfile

import procfs
from peers import make_certificate
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
    ssl_certificate {certificate}; ssl_certificate_key {key};
    # What the gateway picks.
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    upstream app {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port}; listen 127.0.0.1:{tls} ssl;
        location /files/ {{ alias {folder}/files/; sendfile on; }}
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
listeners:
  - {{address: "127.0.0.1:{port}"}}
  - {{address: "127.0.0.1:{tls}", tls: {{certificates: [{{chain: {certificate}, key: {key}}}]}}}}
defaults: {{limits: {{body: "0"}}}}
routes: [{{path: /files/*, files: {folder}/files}}, {{path: /*, backend: app, http: pass}}]
backends: {{app: {{websocket: ["ws://127.0.0.1:{backend}"]}}}}
"""

UPLOAD = """
wrk.method = "POST"
wrk.body = string.rep("x", 102400)
"""


PASSED, FILES = "passed", "files"
# Downloads of more than this are made one by one: wrk counts whole answers only.
MOST_FOR_WRK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    path: str
    kind: str = PASSED
    is_upload: bool = False
    has_tls: bool = False
    # Of a file, in bytes.
    size: int = 0


@dataclasses.dataclass(frozen=True)
class Peer:
    server: Server
    port: int
    tls: int | None = None

    @property
    def name(self) -> str:
        return self.server.name

    def url(self, workload: Workload) -> str:
        return f"https://127.0.0.1:{self.tls}{workload.path}" if workload.has_tls else f"http://127.0.0.1:{self.port}{workload.path}"


SIZES = {"1 KiB": 1 << 10, "100 KiB": 100 << 10, "1 GiB": 1 << 30}
WORKLOADS = [
    Workload("1 KiB", f"/{SIZES['1 KiB']}"), Workload("100 KiB", f"/{SIZES['100 KiB']}"), Workload("upload of 100 KiB", "/upload", is_upload=True),
    *(Workload(f"file of {name}{', TLS' if has_tls else ''}", f"/files/{size}", FILES, has_tls=has_tls, size=size)
      for name, size in SIZES.items() for has_tls in (False, True)),
]


def turn(peer: Peer, workload: Workload, folder: pathlib.Path, seconds: int) -> float:
    """Microseconds of CPU time per request."""
    before = procfs.cpu_sum(peer.server.pids())
    requests = download(peer, workload) if workload.size > MOST_FOR_WRK else load(peer, workload, folder, seconds)
    return 1e6 * (procfs.cpu_sum(peer.server.pids()) - before).total / requests


def load(peer: Peer, workload: Workload, folder: pathlib.Path, seconds: int) -> int:
    """How many requests were answered."""
    script = ["-s", folder / "upload.lua"] if workload.is_upload else []
    output = run(peer, workload, ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *script, peer.url(workload)])
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{peer.name}: {workload.name}: {output}")
    answered = int(re.search(r"(\d+) requests in", output)[1])
    if answered == 0:
        raise SystemExit(f"{peer.name}: {workload.name}: no request was answered; the machine has other work")
    return answered


def download(peer: Peer, workload: Workload) -> int:
    """The same, of one."""
    output = run(peer, workload, ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", peer.url(workload)])
    if output != f"200 {workload.size}":
        raise SystemExit(f"{peer.name}: {workload.name}: {output}")
    return 1


def run(peer: Peer, workload: Workload, command: list) -> str:
    result = subprocess.run([str(part) for part in ["taskset", "-c", "1", *command]], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{peer.name}: {workload.name}: {result.stdout}{result.stderr}")
    return result.stdout


def write_files(folder: pathlib.Path, workloads: list[Workload]):
    """The files that are asked for, each named for its size. The kernel has them in memory then."""
    folder.mkdir()
    block = random.randbytes(1 << 20)
    for size in SIZES.values():
        if size > MOST_FOR_WRK and all(workload.size != size for workload in workloads):
            continue
        with (folder / str(size)).open("wb") as file:
            for start in range(0, size, len(block)):
                file.write(block[:size - start])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--only", choices=[PASSED, FILES])
    options = parser.parse_args()
    workloads = [workload for workload in WORKLOADS if options.only in (None, workload.kind)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        write_files(folder / "files", workloads)
        (folder / "upload.lua").write_text(UPLOAD)
        backend, sink, *ports = free_ports(8)
        values = {"folder": folder, "backend": backend, "sink": sink, **make_certificate(folder)}

        def write(file: str, text: str, port: int = 0, tls: int = 0) -> pathlib.Path:
            (folder / file).write_text(text.format(**values, port=port, tls=tls))
            return folder / file

        def start(name: str, command: list, port: int, core: int = 0, **environment) -> Server:
            return Server(name, command, core=core, folder=folder, urls={}, ports=[port], environment=environment)

        servers = [
            start("backend", ["nginx", "-c", write("backend.conf", BACKEND)], backend, core=1),
            start("gateway", [options.gateway, "run", "--config", write("gateway.conf", GATEWAY, ports[0], ports[1])], ports[0]),
            start("nginx", ["nginx", "-c", write("nginx.conf", NGINX, ports[2], ports[3])], ports[2]),
            start("haproxy", ["haproxy", "-f", write("haproxy.cfg", HAPROXY, ports[4])], ports[4]),
            start("caddy", ["caddy", "run", "--adapter", "caddyfile", "--config", write("Caddyfile", CADDY, ports[5])],
                  ports[5], GOMAXPROCS="1", XDG_DATA_HOME=name, XDG_CONFIG_HOME=name),
        ]
        _, gateway, nginx, haproxy, caddy = servers
        peers = {
            PASSED: [Peer(gateway, ports[0]), Peer(nginx, ports[2]), Peer(haproxy, ports[4]), Peer(caddy, ports[5])],
            FILES: [Peer(gateway, ports[0], ports[1]), Peer(nginx, ports[2], ports[3])],
        }
        try:
            for workload in workloads:
                report(workload, measure(workload, peers[workload.kind], folder, options))
        finally:
            for server in servers:
                server.stop()


def measure(workload: Workload, peers: list[Peer], folder: pathlib.Path, options) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for _ in range(options.rounds):
        for peer in random.sample(peers, len(peers)):
            costs[peer.name].append(turn(peer, workload, folder, options.seconds))
    return costs


def report(workload: Workload, costs: dict[str, list[float]]):
    print(f"{workload.name}:", flush=True)
    for name, times in costs.items():
        ratio = statistics.median(own / other for own, other in zip(costs["gateway"], times))
        shown = "" if name == "gateway" else f"   gateway / {name} {ratio:.2f}"
        print(f"  {name:8} {statistics.median(times):8.2f} µs of CPU per request{shown}", flush=True)


if __name__ == "__main__":
    main()
