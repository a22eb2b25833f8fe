"""Ends with 0 if the compute host offers its resources, so that servers can be placed on it.

Usage: compute_ready.py ADDRESS PASSWORD.
"""
import sys

from cloud import ADDRESS, sign_in

services = sign_in("admin", "admin").get(f"http://{ADDRESS}:8774/v2.1/os-services?binary=nova-compute").json()["services"]
providers = sign_in("admin", "admin").get(
    f"http://{ADDRESS}:8778/resource_providers",
    headers={"OpenStack-API-Version": "placement 1.10"}).json()["resource_providers"]
sys.exit(0 if providers and any(service["state"] == "up" for service in services) else 1)
