"""Where devices are."""

from django.db import connection

PLACE = """
INSERT INTO core_device (tenant_id, device_id, seen_at, location)
VALUES (%s, %s, now(), ST_SetSRID(ST_MakePoint(%s, %s), 4326))
ON CONFLICT (device_id, tenant_id) DO UPDATE SET seen_at = excluded.seen_at, location = excluded.location
"""


def place(tenant_id: int, device_id: str, longitude: float, latitude: float) -> None:
    """Remembers a device and its position (degrees, WGS 84)."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE, (tenant_id, device_id, longitude, latitude))
