"""Cinder's API under uWSGI: it takes its configuration from the command line, which uWSGI does not give it."""
import sys

sys.argv = ["cinder-api", "--config-file", "@ETC@/cinder/cinder.conf"]

from cinder.wsgi.wsgi import initialize_application  # noqa: E402

application = initialize_application()
