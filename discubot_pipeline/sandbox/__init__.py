"""Loopback stand-ins of other people's services, with a page to play with; imports nothing else of ours."""
