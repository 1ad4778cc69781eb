"""Conflict policies of the tenants, kept in Redis."""

from django.core.cache import cache

from core.models import ConflictPolicy, Tenant

KEPT_SECONDS = 3600


def _key(tenant_id: int) -> str:
    return f"conflict-policies:{tenant_id}"


def load(tenant_id: int) -> dict[str, str]:
    """A tenant's rules by domain, read from the database and put into the cache."""
    rules = {policy.domain: policy.rule for policy in ConflictPolicy.objects.filter(tenant_id=tenant_id)}
    cache.set(_key(tenant_id), rules, KEPT_SECONDS)
    return rules


def rules(tenant_id: int) -> dict[str, str]:
    """A tenant's rules by domain, at most an hour old."""
    cached = cache.get(_key(tenant_id))
    return load(tenant_id) if cached is None else cached


def rule(tenant_id: int, domain: str) -> str:
    """The rule for a domain; the highest version wins where the tenant said nothing."""
    return rules(tenant_id).get(domain, ConflictPolicy.Rule.HIGHEST_VERSION)


def warm() -> int:
    """Puts the rules of every tenant into the cache of this release; their number."""
    return sum(len(load(tenant_id)) for tenant_id in Tenant.objects.values_list("id", flat=True))
