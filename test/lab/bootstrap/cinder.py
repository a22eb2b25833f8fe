"""Cinder in Keystone's catalog, and its only volume type.

Usage: cinder.py ADDRESS PASSWORD. May run any number of times.
"""
from cloud import ADDRESS
from entities import admin, ensure, service

service("cinder", "volumev3", ":8776/v3/%(tenant_id)s")

project = ensure("projects", name="admin", domain_id="default")
TYPES = f"http://{ADDRESS}:8776/v3/{project}/types"
if not any(kind["name"] == "paper" for kind in admin.get(TYPES).json()["volume_types"]):
    admin.post(TYPES, json={"volume_type": {"name": "paper"}})
