"""Keystone's content: services with endpoints, service users, Heat's domain, and the projects and users of the tests.

Usage: identity.py ADDRESS PASSWORD. May run any number of times.
"""
from cloud import ADDRESS, KEYSTONE, PASSWORD, sign_in

ENDPOINTS = {  # service: (type, port and path)
    "glance": ("image", ":9292"),
    "placement": ("placement", ":8778"),
    "nova": ("compute", ":8774/v2.1"),
    "neutron": ("network", ":9696"),
    "heat": ("orchestration", ":8004/v1/%(tenant_id)s"),
    "gnocchi": ("metric", ":8041"),
}
PLAIN_ROLES = ("member", "reader", "heat_stack_owner")

admin = sign_in("admin", "admin")


def ensure(collection, **fields):
    """The id of the entity with these fields, which is made if there is none."""
    query = {k: v for k, v in fields.items() if k in ("name", "type", "domain_id", "service_id", "interface")}
    found = admin.get(f"{KEYSTONE}/{collection}", params=query).json()[collection]
    if found:
        return found[0]["id"]
    one = collection[:-1]
    return admin.post(f"{KEYSTONE}/{collection}", json={one: fields}).json()[one]["id"]


def user(name, domain="default"):
    return ensure("users", name=name, domain_id=domain, password=PASSWORD)


def grant(roles, user_id, project=None, domain=None):
    scope = f"projects/{project}" if project else f"domains/{domain}"
    for name in roles:
        admin.put(f"{KEYSTONE}/{scope}/users/{user_id}/roles/{role_ids[name]}")


role_ids = {name: ensure("roles", name=name)
            for name in ("admin", "member", "reader", "service", "heat_stack_owner", "heat_stack_user")}

service_project = ensure("projects", name="service", domain_id="default")
for name, (kind, where) in ENDPOINTS.items():
    grant(("admin", "service"), user(name), project=service_project)
    service = ensure("services", name=name, type=kind)
    for interface in ("public", "internal", "admin"):
        ensure("endpoints", service_id=service, interface=interface, region_id="RegionOne",
               url=f"http://{ADDRESS}{where}")

heat_domain = ensure("domains", name="heat")
grant(("admin",), user("heat_domain_admin", heat_domain), domain=heat_domain)

grant(("heat_stack_owner",), user("admin"), project=ensure("projects", name="admin", domain_id="default"))
demo = user("demo")
for name in ("demo", "second"):
    grant(PLAIN_ROLES, demo, project=ensure("projects", name=name, domain_id="default"))
