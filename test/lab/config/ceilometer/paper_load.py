"""How busy the servers of Nova's fake driver are: as busy as a file says.

The file named by LAB_LOADS is read at every poll. It maps a server's id, or the metering.server_group of several, to
    {"cpu": percent of all its vCPUs, "memory": percent of its RAM, "boot": a number}
A server that is in the file by neither is not measured by this agent. "*" is for all others. When "boot" changes, the counter of
processor time begins at 0 again, as it does after a reboot.
"""
import json
import os
import time
from datetime import datetime

from ceilometer.compute.virt import inspector

# Servers are taken to have run at their load for an hour when they were made: what a reboot then takes from the counter is more
# than any period adds to it.
EARLIER = 3600


class Inspector(inspector.Inspector):
    def __init__(self, conf):
        super().__init__(conf)
        self._counters = {}  # server id: (boot, time of the last look, nanoseconds)

    def inspect_instance(self, instance, duration=None):
        load = self._load(instance)
        vcpus, ram = int(instance.flavor["vcpus"]), int(instance.flavor["ram"])
        boot, now = load.get("boot", 0), time.time()
        made = datetime.fromisoformat(instance.created.replace("Z", "+00:00")).timestamp()
        known = self._counters.get(instance.id, (boot, made - EARLIER, 0))
        since, counter = (known[1], known[2]) if known[0] == boot else (now, 0)
        counter += (now - since) * 1e9 * vcpus * load["cpu"] / 100
        self._counters[instance.id] = (boot, now, counter)
        return inspector.InstanceStats(
            cpu_number=vcpus, cpu_time=int(counter), memory_usage=ram * load["memory"] / 100)

    @staticmethod
    def _load(instance):
        try:
            with open(os.environ["LAB_LOADS"]) as file:
                loads = json.load(file)
        except FileNotFoundError:
            loads = {}
        group = instance.metadata.get("metering.server_group")
        for name in (instance.id, group, "*"):
            if name in loads:
                return loads[name]
        raise inspector.InstanceNotFoundException(f"no load is set for {instance.id} of {group}")
