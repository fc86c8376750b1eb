"""Fixtures that run a contract test once per backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.ledgers import BACKENDS, SHARED_BACKENDS, Backend, Store

from budget_gate.ledger.interface import Ledger


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Every row of the table."""
    row: Backend = request.param
    return row


@pytest.fixture
def store(backend: Backend, tmp_path: Path) -> Iterator[Store]:
    """A fresh store of every backend."""
    opened = backend.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=SHARED_BACKENDS, ids=lambda backend: backend.name)
def shared_backend(request: pytest.FixtureRequest) -> Backend:
    """Every row that several processes can share."""
    row: Backend = request.param
    return row


@pytest.fixture
def shared_store(shared_backend: Backend, tmp_path: Path) -> Iterator[Store]:
    """A fresh store of every backend that several processes can share."""
    opened = shared_backend.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """A fresh ledger of every backend, on the system's clock."""
    return store.ledger
