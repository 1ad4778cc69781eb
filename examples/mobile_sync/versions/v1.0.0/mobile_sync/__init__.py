"""Synchronisation of mobile devices over WebSocket and HTTP."""

__version__ = "1.0.0"
