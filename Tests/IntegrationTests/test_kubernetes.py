"""What ops/kubernetes says of the gateway is so."""

import re

import yaml

from gateway_process import ROOT, command

MANIFEST = ROOT / "ops/kubernetes/gateway.yaml"


async def test_the_manifest_fits_the_configuration_in_it(tmp_path):
    objects = {item["kind"]: item for item in yaml.safe_load_all(MANIFEST.read_text())}
    text = objects["ConfigMap"]["data"]["gateway.conf"]
    file = tmp_path / "gateway.conf"
    file.write_text(text)
    status, printed, errors = await command("check", "--config", file)
    assert status == 0, errors
    assert "1 listener, 1 route, 1 backend: OK" in printed
    configuration = yaml.safe_load(text)
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {
        "http": int(configuration["listeners"][0]["address"].rsplit(":", 1)[1]),
        "admin": int(configuration["admin"].rsplit(":", 1)[1]),
    }
    probes = {name: container[name]["httpGet"] for name in ("readinessProbe", "livenessProbe")}
    assert probes == {"readinessProbe": {"path": "/readyz", "port": "admin"}, "livenessProbe": {"path": "/healthz", "port": "admin"}}
    [port] = objects["Service"]["spec"]["ports"]
    assert (port["targetPort"], port["appProtocol"]) == ("http", "kubernetes.io/ws")
    assert objects["Service"]["spec"]["selector"] == objects["Deployment"]["spec"]["selector"]["matchLabels"]
    # SIGKILL comes after everything that a drain may take.
    drain = {key: int(re.fullmatch(r"(\d+)s", value)[1]) for key, value in configuration["drain"].items()}
    assert pod["terminationGracePeriodSeconds"] > drain["delay"] + 2 * drain["over"]
    program, *arguments = container["lifecycle"]["preStop"]["exec"]["command"]
    assert (program, arguments[0]) == ("gateway", "drain")
    assert arguments[1:] == ["--admin", f"127.0.0.1:{ports['admin']}"]
