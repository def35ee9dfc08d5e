"""Which errors a caller can put right, and what is said of them.

Exit code 2: the input or the request is at fault, and the sentence says what to do. Exit code 1: a contract failed, or
the warehouse is not what its manifests say. Exit code 70: something nobody foresaw.
"""

from __future__ import annotations

BAD_INPUT = 2
CONTRACT_FAILED = 1
UNFORESEEN = 70


def exit_code(error: Exception) -> int:
    """The exit code of an error that ends a command."""
    from assets.carrier_file import NoHomeError
    from assets.closing import ClosingError
    from ledger.carrier_file import CarrierError
    from ledger.contracts import ContractViolationError
    from pipelines.export import ExportError
    from pipelines.homes import HomeError
    from pipelines.questions import QuestionError
    from warehouse.catalogue import CatalogueError
    from warehouse.faults import ChainError, CorruptError, StorageError
    from warehouse.landing import LandingError

    if isinstance(error, ContractViolationError | CorruptError | ChainError):
        return CONTRACT_FAILED
    is_callers = isinstance(
        error,
        ClosingError
        | NoHomeError
        | LandingError
        | CarrierError
        | HomeError
        | QuestionError
        | ExportError
        | CatalogueError
        | StorageError
        | OSError,
    )
    return BAD_INPUT if is_callers else UNFORESEEN


def sentence(error: Exception) -> str:
    """What to say of an error: its own words, or that nobody foresaw it."""
    if exit_code(error) == UNFORESEEN:
        kind = type(error).__name__
        return f"failed in a way that was not foreseen ({kind}: {error}); set PAIDTHROUGH_DEBUG=1 to see where"
    return str(error).strip()
