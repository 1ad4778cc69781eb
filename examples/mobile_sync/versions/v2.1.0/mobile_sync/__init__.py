"""Synchronisation of mobile devices over WebSocket and HTTP."""

__version__ = "2.1.0"
