"""Ends with 0 if Murano's engine listens for deployments; one that is ordered before is lost.

Usage: murano_ready.py ADDRESS PASSWORD.
"""
import sys

from amqp import Connection

with Connection(f"{sys.argv[1]}:5672", userid="guest", password="guest") as queue:
    sys.exit(0 if queue.channel().queue_declare("tasks", passive=True).consumer_count else 1)
