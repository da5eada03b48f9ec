"""Dagster's own storages on Postgres, each with what we changed in it. `dagster.yaml` names them."""
