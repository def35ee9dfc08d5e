"""The Dagster project: its asset graph as it was reviewed, and days closed by Dagster's own execution."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import yaml

from assets.closing import close_range
from assets.days import LedgerHome, landing_key, ledger_key
from assets.late import RANGE_END, RANGE_START
from pipelines.definitions import build_definitions, start_from_environment
from pipelines.instance import SETTINGS
from tests.assets.homes import day, pay, small_home
from warehouse.catalogue import connect
from warehouse.storage import Home, Store

GRAPH = Path(__file__).parent / "asset_graph.json"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return small_home(tmp_path / "home")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as one:
        yield one


def run(home: Home, instance: dg.DagsterInstance, first: date, last: date | None = None) -> dg.ExecuteInProcessResult:
    """Run the job that closes days, for one partition or a range in one run."""
    job = build_definitions(home, day(1)).resolve_job_def("close_days")
    if last is None:
        return job.execute_in_process(instance=instance, partition_key=str(first), raise_on_error=False)
    tags = {RANGE_START: str(first), RANGE_END: str(last)}
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def failed_checks(result: dg.ExecuteInProcessResult) -> list[str]:
    return sorted(one.check_name for one in result.get_asset_check_evaluations() if not one.passed)


def graph_of(definitions: dg.Definitions) -> dict[str, dict[str, object]]:
    """Keys, dependencies, partitions, backfill policy and checks of every asset, as plain values."""
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    return {
        key.to_user_string(): {
            "depends_on": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            "depends_on_the_day_before": sorted(
                parent.to_user_string()
                for parent, mapping in graph.get(key).partition_mappings.items()
                if mapping == dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
            ),
            "group": graph.get(key).group_name,
            "partitions": type(graph.get(key).partitions_def).__name__,
            "one_run_per_backfill": graph.get(key).backfill_policy == dg.BackfillPolicy.single_run(),
            "checks": {
                check.name: "blocking" if graph.get(check).blocking else "warns"
                for check in sorted(graph.get(key).check_keys, key=lambda one: one.name)
            },
        }
        for key in sorted(graph.get_all_asset_keys(), key=lambda one: one.path)
    }


class TestTheProject:
    def test_the_asset_graph_is_the_reviewed_one(self, home: Home) -> None:
        # To review a change: python -m tests.pipelines.write_asset_graph, and read the difference.
        assert graph_of(build_definitions(home, day(1))) == json.loads(GRAPH.read_text())

    def test_jobs_schedule_and_sensor_are_there_and_valid(self, home: Home) -> None:
        definitions = build_definitions(home, day(1))
        dg.Definitions.validate_loadable(definitions)
        repository = definitions.get_repository_def()
        assert [one.name for one in repository.schedule_defs] == ["close_yesterday"]
        assert [one.name for one in repository.sensor_defs] == ["late_landing"]
        assert repository.get_job("close_days").executor_def.name == "in_process"

    def test_runs_of_one_home_carry_its_tag(self, home: Home) -> None:
        tags = build_definitions(home, day(1)).resolve_job_def("close_days").tags
        assert tags["paidthrough/home"] == str(home.root)

    def test_the_settings_at_the_root_are_those_of_the_ui(self) -> None:
        root = Path(__file__).parents[2] / "dagster.yaml"
        assert root.read_text() == SETTINGS
        limits = yaml.safe_load(SETTINGS)["concurrency"]["runs"]["tag_concurrency_limits"]
        assert limits == [{"key": "paidthrough/home", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}]

    def test_partitions_begin_where_the_home_does(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PAIDTHROUGH_START", raising=False)
        assert start_from_environment(home) == day(1)
        monkeypatch.setenv("PAIDTHROUGH_START", "2025-12-01")
        assert start_from_environment(home) == date(2025, 12, 1)


class TestClosing:
    def test_one_partition_closes_one_day(self, home: Home, instance: dg.DagsterInstance) -> None:
        result = run(home, instance, day(1))
        assert result.success
        assert failed_checks(result) == []
        assert [record.business_date for record in Store(home).days()] == [day(1)]
        (journal,) = [
            event for event in result.get_asset_materialization_events() if event.asset_key == ledger_key("journal")
        ]
        metadata = journal.materialization.metadata
        assert metadata["dagster/partition_row_count"].value > 0
        assert metadata["debits_USD_minor_units"].value > 0

    def test_a_range_closes_in_one_run_with_metadata_per_day(self, home: Home, instance: dg.DagsterInstance) -> None:
        result = run(home, instance, day(1), day(4))
        assert result.success
        assert [record.business_date for record in Store(home).days()] == [day(n) for n in range(1, 5)]
        landed = {
            event.partition: event.materialization.metadata["dagster/partition_row_count"].value
            for event in result.get_asset_materialization_events()
            if event.asset_key == landing_key("payments")
        }
        assert landed == {str(day(1)): 0, str(day(2)): 0, str(day(3)): 1, str(day(4)): 0}
        days = {
            event.partition
            for event in result.get_asset_materialization_events()
            if event.asset_key == ledger_key("invoice_items")
        }
        assert days == {str(day(n)) for n in range(1, 5)}

    def test_asking_for_one_table_closes_and_records_the_whole_day(
        self, home: Home, instance: dg.DagsterInstance
    ) -> None:
        definitions = build_definitions(home, day(1))
        assets = [one for one in definitions.assets or [] if isinstance(one, dg.AssetsDefinition)]
        result = dg.materialize(
            assets,
            selection=[ledger_key("journal")],
            partition_key=str(day(1)),
            instance=instance,
            resources={"ledger_home": LedgerHome(path=str(home.root))},
        )
        assert result.success
        for table in ("journal", "invoice_items", "quarantine"):
            assert instance.get_materialized_partitions(ledger_key(table)) == {str(day(1))}

    def test_the_report_of_the_last_day_is_shown(self, home: Home, instance: dg.DagsterInstance) -> None:
        result = run(home, instance, day(1), day(3))
        shown = {
            event.partition: event.materialization.metadata
            for event in result.get_asset_materialization_events()
            if event.asset_key == dg.AssetKey(["reports", "daily"])
        }
        (aging,) = shown[str(day(3))]["aging"].records
        assert aging.data["currency"] == "USD"
        assert "aging" not in shown[str(day(1))]

    def test_dagster_and_the_plain_function_agree(
        self, home: Home, instance: dg.DagsterInstance, tmp_path: Path
    ) -> None:
        assert run(home, instance, day(1), day(3)).success
        other = small_home(tmp_path / "other")
        close_range(other, day(1), day(3))
        assert [one.digest for one in Store(home).days()] == [one.digest for one in Store(other).days()]

    def test_a_day_after_an_open_one_fails_and_says_what_to_run(self, home: Home, instance: dg.DagsterInstance) -> None:
        assert run(home, instance, day(1)).success
        result = run(home, instance, day(3))
        assert not result.success
        errors = [event.event_specific_data.error for event in result.all_events if event.is_step_failure]
        assert "paidthrough backfill 2026-01-06 2026-01-07" in str(errors[0])
        assert [record.business_date for record in Store(home).days()] == [day(1)]


class TestChecks:
    def test_unbalanced_lines_block_the_reports(
        self, home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        close_range(home, day(1), day(3))
        _publish_with_a_line_changed(home)
        monkeypatch.setattr("assets.closing.publish_catalogue", lambda *_: None)
        result = run(home, instance, day(1), day(3))
        assert not result.success
        assert failed_checks(result) == ["debits_equal_credits", "subledger_ties_to_ledger"]
        keys = {event.asset_key for event in result.get_asset_materialization_events()}
        assert dg.AssetKey(["reports", "daily"]) not in keys

    def test_quarantined_rows_are_a_warning(self, home: Home, instance: dg.DagsterInstance) -> None:
        pay(home, 1, "-5.00", day(1), payment="R9")
        result = run(home, instance, day(1))
        assert result.success
        assert failed_checks(result) == ["nothing_is_in_quarantine"]

    def test_a_file_that_cannot_be_taken_is_a_warning_on_its_table(
        self, home: Home, instance: dg.DagsterInstance
    ) -> None:
        bad = home.landing / "payments" / f"business_date={day(1)}" / "bad.parquet"
        bad.parent.mkdir(parents=True)
        bad.write_bytes(b"no parquet")
        result = run(home, instance, day(1))
        assert result.success
        failed = {one.asset_key for one in result.get_asset_check_evaluations() if not one.passed}
        assert failed == {landing_key("payments"), ledger_key("quarantine")}


class TestTheSensor:
    def look(self, home: Home, instance: dg.DagsterInstance) -> object:
        sensor = build_definitions(home, day(1)).get_repository_def().get_sensor_def("late_landing")
        ledger_home = LedgerHome(path=str(home.root))
        return sensor(dg.build_sensor_context(instance=instance, resources={"ledger_home": ledger_home}))

    def test_it_asks_for_all_days_from_the_late_file_on(self, home: Home, instance: dg.DagsterInstance) -> None:
        close_range(home, day(1), day(4))
        assert isinstance(self.look(home, instance), dg.SkipReason)
        pay(home, 1, "10.00", day(2))
        request = self.look(home, instance)
        assert isinstance(request, dg.RunRequest)
        assert (request.tags[RANGE_START], request.tags[RANGE_END]) == (str(day(2)), str(day(4)))
        assert run(home, instance, day(2), day(4)).success
        assert isinstance(self.look(home, instance), dg.SkipReason)

    def test_another_late_file_is_another_request(self, home: Home, instance: dg.DagsterInstance) -> None:
        close_range(home, day(1), day(3))
        keys = []
        for payment in ("R8", "R9"):
            pay(home, 1, "10.00", day(2), payment=payment)
            request = self.look(home, instance)
            assert isinstance(request, dg.RunRequest)
            keys.append(request.run_key)
            close_range(home, day(2), day(3))
        assert keys[0] != keys[1]


def _publish_with_a_line_changed(home: Home) -> None:
    """Put one cent more on one receivable line of the published journal, where the stored line stays as it is."""
    with connect(home.root) as connection:
        lines = connection.sql("SELECT * FROM stored.journal").pl()
    with duckdb.connect(str(home.database)) as connection:
        connection.register("lines", lines.to_arrow())
        connection.execute("CREATE TABLE stored.changed_lines AS SELECT * FROM lines")
        connection.execute(
            "UPDATE stored.changed_lines SET amount = amount + 1 WHERE transaction_key = (SELECT min(transaction_key) "
            "FROM stored.changed_lines WHERE side = 'D' AND t_account_pattern = '<Charge Pattern> Unbilled') "
            "AND side = 'D'"
        )
        connection.execute("CREATE OR REPLACE VIEW stored.journal AS SELECT * FROM stored.changed_lines")
