"""What the lab's programs share: the address from the command line and signed-in sessions."""
import sys

from keystoneauth1 import session
from keystoneauth1.identity import v3

ADDRESS, PASSWORD = sys.argv[1:3]
KEYSTONE = f"http://{ADDRESS}:5000/v3"


def sign_in(user, project):
    return session.Session(v3.Password(
        KEYSTONE, username=user, password=PASSWORD, project_name=project,
        user_domain_id="default", project_domain_id="default"))
