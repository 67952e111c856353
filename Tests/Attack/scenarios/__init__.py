"""The scenarios by name. A new one is an entry in SCENARIOS of its file, and a new file a line here."""

from . import control, door, memory, rooms, tiny, tls
from .scenario import Attacker, Scenario

SCENARIOS = {
    scenario.name: scenario
    for module in (rooms, tiny, memory, door, control, tls)
    for scenario in module.SCENARIOS
}
