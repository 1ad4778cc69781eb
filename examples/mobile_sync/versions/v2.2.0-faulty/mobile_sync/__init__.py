"""Synchronisation of mobile devices over WebSocket and HTTP."""

__version__ = "2.2.0-faulty"
