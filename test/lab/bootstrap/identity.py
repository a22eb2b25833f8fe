"""Keystone's content: services with endpoints, service users, Heat's domain, and the projects and users of the tests.

Usage: identity.py ADDRESS PASSWORD. May run any number of times.
"""
from entities import ensure, grant, service, user

ENDPOINTS = {  # service: (type, port and path)
    "glance": ("image", ":9292"),
    "placement": ("placement", ":8778"),
    "nova": ("compute", ":8774/v2.1"),
    "neutron": ("network", ":9696"),
    "heat": ("orchestration", ":8004/v1/%(tenant_id)s"),
    "gnocchi": ("metric", ":8041"),
}
PLAIN_ROLES = ("member", "reader", "heat_stack_owner")

for name, (kind, where) in ENDPOINTS.items():
    service(name, kind, where)

ensure("roles", name="heat_stack_user")  # Heat gives it to the users that it makes
heat_domain = ensure("domains", name="heat")
grant(("admin",), user("heat_domain_admin", heat_domain), domain=heat_domain)

grant(("heat_stack_owner",), user("admin"), project=ensure("projects", name="admin", domain_id="default"))
demo = user("demo")
for name in ("demo", "second"):
    grant(PLAIN_ROLES, demo, project=ensure("projects", name=name, domain_id="default"))
