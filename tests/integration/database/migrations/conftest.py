# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project of the tests, on a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.greenlight.deploy.tests.integration.database.migrations.project import PASSWORD, Shop


@pytest.fixture
def shop(cluster: Any, database: str, tmp_path: Path, run_module: Any) -> Iterator[Shop]:
    """The project, whose role owns its database and nothing else."""
    role = f"role_{database}"
    cluster.sql("postgres", f'CREATE ROLE "{role}" LOGIN PASSWORD %s', PASSWORD)
    cluster.sql("postgres", f'ALTER DATABASE "{database}" OWNER TO "{role}"')
    yield Shop(cluster, database, tmp_path, run_module, role)
    cluster.sql("postgres", f'ALTER DATABASE "{database}" OWNER TO postgres')
    cluster.sql(database, f'REASSIGN OWNED BY "{role}" TO postgres')
    cluster.sql(database, f'DROP OWNED BY "{role}"')
    cluster.sql("postgres", f'DROP ROLE "{role}"')
