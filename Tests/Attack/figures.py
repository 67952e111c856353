"""What the gateway's metrics say it refused."""

import collections
import re
import urllib.request

from children import Site

_SAMPLE = re.compile(r"^gateway_(\w+)\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# Of each metric, the label that says what was refused.
_REFUSALS = {"handshakes_total": "result", "closes_total": "cause", "limits_reached_total": "limit", "requests_total": "status"}
# What is no refusal.
_GOOD = {"accepted", "client-closed", "2xx", "none"}


def said(site: Site, path: str) -> str:
    """What the admin address answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{site.admin[0]}:{site.admin[1]}{path}", timeout=20) as answer:
        return answer.read().decode()


def refusals(text: str) -> collections.Counter:
    """How often the gateway refused or ended something, by the cause, over all routes. `text` is what /metrics says."""
    counts = collections.Counter()
    for name, labels, value in _SAMPLE.findall(text):
        if label := _REFUSALS.get(name):
            cause = dict(_LABEL.findall(labels))[label]
            if cause not in _GOOD:
                counts[f"limit {cause}" if name == "limits_reached_total" else cause] += int(float(value))
    return counts
