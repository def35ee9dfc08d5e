"""Closing a range of days, and the Dagster assets and checks around it."""
