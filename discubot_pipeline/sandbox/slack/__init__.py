"""The stand-in of Slack: workspaces, Web API, signed events."""
