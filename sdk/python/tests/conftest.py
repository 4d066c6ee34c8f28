from collections.abc import Iterator

import pytest
from stage import PlayedServer, play


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def played() -> Iterator[PlayedServer]:
    with play() as server:
        yield server
