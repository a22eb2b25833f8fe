"""Ends with 0 if Ceilometer's notification agent listens for Nova's notifications and for samples.

Usage: ceilometer_ready.py ADDRESS PASSWORD.
"""
import sys

from amqp import Connection

with Connection(f"{sys.argv[1]}:5672", userid="guest", password="guest") as queue:
    consumers = [queue.channel().queue_declare(name, passive=True).consumer_count
                 for name in ("notifications.info", "notifications.sample")]
    sys.exit(0 if all(consumers) else 1)
