"""What stacks are made of: an image, flavors, a network for all projects and one that leads outside.

Usage: resources.py ADDRESS PASSWORD. May run any number of times.
"""
from cloud import ADDRESS, sign_in

GLANCE = f"http://{ADDRESS}:9292/v2"
NOVA = f"http://{ADDRESS}:8774/v2.1"
NEUTRON = f"http://{ADDRESS}:9696/v2.0"

FLAVORS = {  # name: (vCPUs, MiB, GiB of disk, extra specs)
    "m1.tiny": (1, 512, 1, {}),
    "m1.small": (1, 2048, 20, {}),
    "m1.medium": (2, 4096, 40, {}),
    "m1.large": (4, 8192, 80, {}),
    "m1.huge": (2000, 4096, 40, {}),  # larger than the only host: "No valid host was found"
    "g1.small": (2, 4096, 40, {"resources:VGPU": "1", "trait:CUSTOM_LAB_GPU": "required"}),  # no host has such a GPU
}

admin = sign_in("admin", "admin")

if not admin.get(f"{GLANCE}/images?name=node-image").json()["images"]:
    image = admin.post(f"{GLANCE}/images", json={
        "name": "node-image", "disk_format": "raw", "container_format": "bare", "visibility": "public",
        "architecture": "x86_64"}).json()["id"]
    admin.put(f"{GLANCE}/images/{image}/file", data=b"\0" * 4096,
              headers={"Content-Type": "application/octet-stream"})

existing = {flavor["name"] for flavor in admin.get(f"{NOVA}/flavors").json()["flavors"]}
for name, (vcpus, ram, disk, extra_specs) in FLAVORS.items():
    if name in existing:
        continue
    flavor = admin.post(f"{NOVA}/flavors", json={
        "flavor": {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk}}).json()["flavor"]["id"]
    if extra_specs:
        admin.post(f"{NOVA}/flavors/{flavor}/os-extra_specs", json={"extra_specs": extra_specs})

if not admin.get(f"{NEUTRON}/networks?name=nodes").json()["networks"]:
    network = admin.post(f"{NEUTRON}/networks", json={"network": {"name": "nodes", "shared": True}}).json()["network"]["id"]
    admin.post(f"{NEUTRON}/subnets", json={"subnet": {
        "name": "nodes", "network_id": network, "ip_version": 4, "cidr": "10.0.0.0/20", "enable_dhcp": False}})

# Routers have their gateways in it and floating IPs come from it. The addresses are for documentation, RFC 5737.
if not admin.get(f"{NEUTRON}/networks?name=public").json()["networks"]:
    network = admin.post(f"{NEUTRON}/networks", json={"network": {"name": "public", "router:external": True}}).json()["network"]["id"]
    admin.post(f"{NEUTRON}/subnets", json={"subnet": {
        "name": "public", "network_id": network, "ip_version": 4, "cidr": "198.51.100.0/24", "enable_dhcp": False}})
