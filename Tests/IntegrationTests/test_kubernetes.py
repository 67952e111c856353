"""What ops/kubernetes says of the gateway is so."""

import re

import aiohttp
import yaml

from admin import admin_address
from confidential import password
from credentials import user
from gateway_process import ROOT, Gateway, command, insecure

MANIFEST = ROOT / "ops/kubernetes/gateway.yaml"


SECRET = "/run/secrets/gateway"


class Manifest:
    """The objects, and the configuration in one of them with a folder of the test in the place of the Secret."""

    def __init__(self, folder, authority):
        self.objects = {item["kind"]: item for item in yaml.safe_load_all(MANIFEST.read_text())}
        identity = authority.issue("gateway", "localhost")
        for name, content in {
            "operators.htpasswd": user("alice", "right"), "tls.crt": identity.chain.read_text(), "tls.key": identity.key.read_text(),
        }.items():
            (folder / name).write_text(content)
        text = self.objects["ConfigMap"]["data"]["gateway.conf"]
        self.secrets = re.findall(rf"{SECRET}/([\w.]+)", text)
        self.text = text.replace(SECRET, str(folder))
        self.configuration = yaml.safe_load(self.text)
        self.pod = self.objects["Deployment"]["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]

    def probe(self, name: str) -> dict:
        return self.container[name]["httpGet"]


async def test_the_manifest_fits_the_configuration_in_it(tmp_path, authority):
    manifest = Manifest(tmp_path, authority)
    file = tmp_path / "gateway.conf"
    file.write_text(manifest.text)
    status, printed, errors = await command("check", "--config", file)
    assert status == 0, errors
    # No warnings.
    assert printed.splitlines() == [f"{file}: 1 listener, 1 route, 1 backend: OK"] and not errors
    configuration, container, objects = manifest.configuration, manifest.container, manifest.objects
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {
        "http": int(configuration["listeners"][0]["address"].rsplit(":", 1)[1]),
        "admin": int(configuration["admin"]["address"].rsplit(":", 1)[1]),
    }
    [port] = objects["Service"]["spec"]["ports"]
    assert (port["targetPort"], port["appProtocol"]) == ("http", "kubernetes.io/ws")
    assert objects["Service"]["spec"]["selector"] == objects["Deployment"]["spec"]["selector"]["matchLabels"]
    # The Secret is where the configuration looks, and has what it looks for.
    (volume,) = (mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == SECRET)
    (secret,) = (each["secret"]["secretName"] for each in manifest.pod["volumes"] if each["name"] == volume)
    created = f"create secret generic {secret} " + " ".join(f"--from-file={name}" for name in manifest.secrets)
    assert len(manifest.secrets) == 3 and created in MANIFEST.read_text()
    # SIGKILL comes after everything that a drain may take. SIGTERM begins it.
    drain = {key: int(re.fullmatch(r"(\d+)s", value)[1]) for key, value in configuration["drain"].items()}
    assert manifest.pod["terminationGracePeriodSeconds"] > drain["delay"] + 2 * drain["over"]


async def test_probes_and_prometheus_need_no_password_and_all_else_does(tmp_path, authority):
    manifest = Manifest(tmp_path, authority)
    settings = {**manifest.configuration, "listeners": [{"address": "127.0.0.1:0"}]}
    settings["admin"] = {**settings["admin"], "address": "127.0.0.1:0"}
    settings["backends"] = {"chat": {"builtin": "echo"}}
    settings["routes"] = [{"path": "/*", "backend": "chat"}]
    # Nothing is closed slowly at the end.
    del settings["drain"]
    annotations = manifest.objects["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == "9901"
    asked = [(manifest.probe(name)["scheme"].lower(), manifest.probe(name)["path"]) for name in ("readinessProbe", "livenessProbe")]
    assert {manifest.probe(name)["port"] for name in ("readinessProbe", "livenessProbe")} == {"admin"}
    asked.append((annotations["prometheus.io/scheme"], "/metrics"))
    async with Gateway(**settings) as gateway, aiohttp.ClientSession() as session:
        address = await admin_address(gateway)
        for scheme, path in asked:
            async with session.get(f"{scheme}://{address}{path}", ssl=insecure()) as answer:
                assert answer.status == 200, path
        for auth, status in ((None, 401), (aiohttp.BasicAuth("alice", password("right")), 200)):
            for path in ("/", "/api/sessions"):
                async with session.get(f"https://{address}{path}", ssl=insecure(), auth=auth) as answer:
                    assert answer.status == status, path
