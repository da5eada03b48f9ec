"""Turns the discussions people have in Slack, Figma, e-mail and Notion into tasks in Notion."""

__version__ = "0.1.0"
