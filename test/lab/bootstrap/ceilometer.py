"""Ceilometer's user in Keystone. It has no API, and so no endpoint.

Usage: ceilometer.py ADDRESS PASSWORD. May run any number of times.
"""
from entities import ensure, grant, user

grant(("admin", "service"), user("ceilometer"), project=ensure("projects", name="service", domain_id="default"))
