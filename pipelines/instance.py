"""Dagster's own storage for a home, and its web page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from warehouse.storage import Home

SETTINGS = """\
# Settings of the Dagster instance: `dagster dev` in this folder reads them, `paidthrough ui` writes the same.
telemetry:
  enabled: false
nux:
  # no sign-up form in front of the first page
  enabled: false
concurrency:
  runs:
    # One run at a time writes to a home; what guarantees it is the writer's lease of the warehouse.
    max_concurrent_runs: 1
    tag_concurrency_limits:
      # Where more homes share an instance, raise the number above and keep this limit.
      - key: paidthrough/home
        value:
          applyLimitPerUniqueValue: true
        limit: 1
run_monitoring:
  enabled: true
"""
"""The content of `dagster.yaml`; a test compares the one at the root of the project."""


def serve(home: Home, host: str, port: str) -> int:
    """Run `dagster dev` on a home until it is interrupted; its runs and events are kept below the home.

    Returns the exit code of Dagster.
    """
    directory = home.root / "dagster"
    directory.mkdir(exist_ok=True)
    settings = directory / "dagster.yaml"
    if not settings.exists():
        settings.write_text(SETTINGS, encoding="utf-8")
    environment = {**os.environ, "DAGSTER_HOME": str(directory), "PAIDTHROUGH_HOME": str(home.root)}
    program = Path(sys.executable).with_name("dagster")
    command = [str(program), "dev", "-m", "pipelines.definitions", "-h", host, "-p", port]
    try:
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - our own program
    except KeyboardInterrupt:
        return 0
