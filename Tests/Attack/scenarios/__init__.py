"""The scenarios by name. A new one is an entry in SCENARIOS of its file, and a new file a line here."""

from . import backends, control, door, guessing, memory, noise, plain, rooms, slow, tiny, tls
from .scenario import Attacker, Scenario

SCENARIOS = {
    scenario.name: scenario
    for module in (slow, door, tls, guessing, noise, tiny, rooms, memory, plain, backends, control)
    for scenario in module.SCENARIOS
}
