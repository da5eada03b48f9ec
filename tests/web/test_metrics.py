"""What Prometheus is shown, and who may see it."""
