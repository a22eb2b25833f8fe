"""Keystone's entities, made unless they are there: what the programs that fill the lab's Keystone share."""
from cloud import ADDRESS, KEYSTONE, PASSWORD, sign_in

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
        admin.put(f"{KEYSTONE}/{scope}/users/{user_id}/roles/{ensure('roles', name=name)}")


def service(name, kind, where):
    """A service with its user and its endpoints; where is port and path."""
    grant(("admin", "service"), user(name), project=ensure("projects", name="service", domain_id="default"))
    service_id = ensure("services", name=name, type=kind)
    for interface in ("public", "internal", "admin"):
        ensure("endpoints", service_id=service_id, interface=interface, region_id="RegionOne",
               url=f"http://{ADDRESS}{where}")
