"""Murano in Keystone's catalog, and its core library in Murano's: no application can be deployed without that.

Usage: murano.py ADDRESS PASSWORD CORE_LIBRARY. May run any number of times.
"""
import json
import sys

from cloud import ADDRESS
from entities import admin, service

CATALOG = f"http://{ADDRESS}:8082/v1/catalog/packages"

service("murano", "application-catalog", ":8082")
if not admin.get(CATALOG, params={"fqn": "io.murano"}).json()["packages"]:
    with open(sys.argv[3], "rb") as library:
        admin.post(CATALOG, files={
            "about": (None, json.dumps({"is_public": True, "categories": []}), "application/json"),
            "package": ("io.murano.zip", library, "application/zip"),
        })
