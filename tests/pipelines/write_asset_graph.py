"""Writes the asset graph that `test_definitions` compares with: python -m tests.pipelines.write_asset_graph."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.definitions import build_definitions
from tests.assets.homes import day
from tests.pipelines.test_definitions import GRAPH, graph_of
from warehouse.storage import Home

if __name__ == "__main__":
    graph = graph_of(build_definitions(Home(Path("home")), day(1)))
    GRAPH.write_text(json.dumps(graph, indent=2) + "\n")
