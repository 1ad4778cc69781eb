# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would put a row of the truth table right, as SQL that a person can run. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import Catalog, Index, Table
from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import WantedForeignKey, WantedIndex
from ansible_collections.greenlight.deploy.plugins.module_utils.database.shadow import definition
from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import listed, path, readable

REINDEX_LEFTOVERS = ("_ccnew", "_ccold")


def create_index(wanted: WantedIndex, table: Table, columns: Collection[str], name: str = "") -> str:
    """Make a declared index without stopping writers, where PostgreSQL can."""
    concurrently = "" if table.partitioned else " CONCURRENTLY"
    named = f" {readable(name or wanted.name)}" if name or wanted.name else ""
    return f"{definition(wanted, columns, f'INDEX{concurrently}{named} ON {table.label}')};"


def replace_index(wanted: WantedIndex, table: Table, columns: Collection[str], wrong: str) -> str:
    """Put the declared index in the place of the one that has its name."""
    temporary = f"{wanted.name[:58]}_new"
    concurrently = "" if table.partitioned else " CONCURRENTLY"
    return (
        f"{create_index(wanted, table, columns, temporary)} DROP INDEX{concurrently} {wrong}; "
        f"ALTER INDEX {path(table.schema, temporary)} RENAME TO {readable(wanted.name)};"
    )


def rename_index(label: str, name: str) -> str:
    """Give an index its declared name."""
    return f"ALTER INDEX {label} RENAME TO {readable(name)};"


def is_reindex_leftover(index: Index) -> bool:
    """Whether a REINDEX CONCURRENTLY that was cancelled left it: beside it stands the index that it was made for."""
    return not index.valid and index.name.rstrip("0123456789").endswith(REINDEX_LEFTOVERS)


def revive_index(catalog: Catalog, index: Index) -> str:
    """Make an index that is not valid valid, or take it away where it is only a leftover."""
    label = catalog.label(index)
    if is_reindex_leftover(index):
        return f"DROP INDEX CONCURRENTLY {label};"
    if index.partitioned:
        return f"ALTER INDEX {label} ATTACH PARTITION ...; -- one of each partition that has none attached"
    return f"REINDEX INDEX CONCURRENTLY {label};"


def drop_index(catalog: Catalog, index: Index) -> str:
    """Take an index away, with the constraint that it belongs to."""
    table = catalog.tables[index.table]
    if index.constraint:
        return f"ALTER TABLE {table.label} DROP CONSTRAINT {readable(index.constraint)};"
    return f"DROP INDEX{'' if index.partitioned else ' CONCURRENTLY'} {catalog.label(index)};"


def support_foreign_key(table: Table, columns: Sequence[str]) -> str:
    """Make the index that a foreign key lacks."""
    return f"CREATE INDEX{'' if table.partitioned else ' CONCURRENTLY'} ON {table.label} ({listed(columns)});"


def create_foreign_key(wanted: WantedForeignKey) -> str:
    """Make a declared foreign key: new rows are checked at once, those that are there in a second step."""
    table = path(wanted.schema, wanted.table)
    name = wanted.name or f"{wanted.table}_{'_'.join(wanted.columns)}_fkey"[:63]
    referenced = f" ({listed(wanted.references_columns)})" if wanted.references_columns else ""
    action = f" ON DELETE {wanted.on_delete.upper()}" if wanted.on_delete else ""
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {readable(name)} FOREIGN KEY ({listed(wanted.columns)}) "
        f"REFERENCES {path(wanted.references_schema, wanted.references)}{referenced}{action} NOT VALID; "
        f"{validate_foreign_key(table, name)}"
    )


def validate_foreign_key(table: str, name: str) -> str:
    """Have the rows that were there before a foreign key checked."""
    return f"ALTER TABLE {table} VALIDATE CONSTRAINT {readable(name)};"


def add_column(table: Table, name: str, kind: str) -> str:
    """Make a column that is missing."""
    return f"ALTER TABLE {table.label} ADD COLUMN {readable(name)} {kind};"


def change_column(table: Table, name: str, kind: str) -> str:
    """Give a column its declared type."""
    return f"ALTER TABLE {table.label} ALTER COLUMN {readable(name)} TYPE {kind};"
