from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import add_person, auth_server
from sign_in import ADA


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An authorization server in development mode, which also knows ada."""
    data: Path = tmp_path_factory.mktemp("auth") / "dev.db"
    with auth_server("--data-file", str(data)) as url:
        add_person(data, *ADA)
        yield url
