"""Heat's API under uWSGI: it takes its configuration from the command line, which uWSGI does not give it."""
import sys

sys.argv = ["heat-api", "--config-file", "@ETC@/heat/heat.conf"]

from heat.httpd.heat_api import init_application  # noqa: E402

application = init_application()
