"""What this version of the application consists of."""

APPLICATIONS = ["core"]

# Coroutines `effect(connection, fresh_items) -> {(tenant_id, item_id): {...}}`, awaited in the transaction that stores
# the items; what they return for an item becomes part of its acknowledgement.
SYNC_EFFECTS: list[str] = []
