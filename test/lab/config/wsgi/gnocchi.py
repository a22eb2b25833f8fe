"""Gnocchi's API under uWSGI, with the lab's configuration."""
from gnocchi import service
from gnocchi.rest import app

application = app.load_app(service.prepare_service(["--config-file", "@ETC@/gnocchi/gnocchi.conf"]))
