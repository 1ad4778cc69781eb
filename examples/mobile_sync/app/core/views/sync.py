"""Items over HTTP, and how many there are."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from core.services import stats, tenants
from core.sync import writer
from core.sync.items import NAME, InvalidItem, Item
from core.views import api
from mobile_sync.identity import COLOUR


@require_POST
async def items(request: HttpRequest) -> JsonResponse:
    """Takes one item: 201 if it is new, 200 if it was there; the same path as over WebSocket."""
    tenant_id = api.known(await tenants.find(api.slug(request)))
    try:
        item = Item.parse(api.body(request), tenant_id, request.headers.get("X-Device-Id", "")[:128])
        outcome = await writer.submit(item)
    except InvalidItem as error:
        raise api.Refused(400, str(error)) from error
    except writer.Unavailable as error:
        response = api.problem(503, str(error))
        response["Retry-After"] = "1"
        return response
    answer = {"id": item.item_id, "colour": COLOUR, **outcome.answer()}
    return JsonResponse(answer, status=200 if outcome.duplicate else 201)


@require_GET
def statistics(request: HttpRequest) -> JsonResponse:
    """Counts of the items whose id begins with ?run=; &ids=1 adds the ids that were applied."""
    run = request.GET.get("run", "")
    if not NAME.fullmatch(run):
        raise api.Refused(400, f"run: expected the beginning of item ids, like {NAME.pattern}")
    tenant_id = api.tenant(request)
    answer = {"run": run, "colour": COLOUR, **stats.count(tenant_id, run)}
    if request.GET.get("ids") == "1":
        answer["ids"] = stats.identifiers(tenant_id, run)
    return JsonResponse(answer)
