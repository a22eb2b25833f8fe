"""Ends with 0 if Cinder has a host for volumes.

Usage: cinder_ready.py ADDRESS PASSWORD.
"""
import sys

from cloud import ADDRESS
from entities import admin, ensure

project = ensure("projects", name="admin", domain_id="default")
services = admin.get(f"http://{ADDRESS}:8776/v3/{project}/os-services").json()["services"]
up = {service["binary"] for service in services if service["state"] == "up"}
sys.exit(0 if {"cinder-scheduler", "cinder-volume"} <= up else 1)
