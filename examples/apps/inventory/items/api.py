"""JSON for programs.

GET /api/items?search=bolt&page=1   POST /api/items   GET, PUT, PATCH, DELETE /api/items/<id>

Bodies must be `application/json`. A browser never sends that across sites without asking first, and nobody is
logged in, so the form token is not asked for here.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from items.forms import ItemForm
from items.models import Item

PAGE_SIZE = 100
FIELDS = {"name": str, "store": str, "quantity": int, "notes": str}
EMPTY: dict[str, Any] = {"name": "", "store": "", "quantity": 0, "notes": ""}


class _Refused(Exception):
    """A request that cannot be done: the status and what is wrong."""

    def __init__(self, status: HTTPStatus, errors: object) -> None:
        super().__init__(errors)
        self.status = status
        self.errors = errors


@method_decorator(csrf_exempt, name="dispatch")
class _Api(View):
    """A view whose refusals are JSON too."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except _Refused as refused:
            return JsonResponse({"errors": refused.errors}, status=refused.status)


class Items(_Api):
    """All items, or those that `search` finds."""

    def get(self, request: HttpRequest) -> JsonResponse:
        found = Item.objects.search(request.GET.get("search", ""))
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        return JsonResponse(
            {
                "items": [as_dict(item) for item in page],
                "count": page.paginator.count,
                "page": page.number,
                "pages": page.paginator.num_pages,
            }
        )

    def post(self, request: HttpRequest) -> JsonResponse:
        item = _save(EMPTY | _body(request), Item())
        return JsonResponse(as_dict(item), status=HTTPStatus.CREATED, headers={"Location": reverse("api-item", args=[item.pk])})


class OneItem(_Api):
    """One item."""

    def get(self, _request: HttpRequest, pk: int) -> JsonResponse:
        return JsonResponse(as_dict(_find(pk)))

    def put(self, request: HttpRequest, pk: int) -> JsonResponse:
        return JsonResponse(as_dict(_save(EMPTY | _body(request), _find(pk))))

    def patch(self, request: HttpRequest, pk: int) -> JsonResponse:
        item = _find(pk)
        kept = {name: getattr(item, name) for name in FIELDS}
        return JsonResponse(as_dict(_save(kept | _body(request), item)))

    def delete(self, _request: HttpRequest, pk: int) -> HttpResponse:
        _find(pk).delete()
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


def as_dict(item: Item) -> dict[str, Any]:
    """An item as JSON shows it."""
    return {"item_id": item.pk} | {name: getattr(item, name) for name in FIELDS}


def _find(pk: int) -> Item:
    try:
        return Item.objects.get(pk=pk)
    except Item.DoesNotExist:
        raise _Refused(HTTPStatus.NOT_FOUND, f"there is no item {pk}") from None


def _body(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object, of known fields with values of their types."""
    if request.content_type != "application/json":
        raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"found {request.content_type or 'no type'}, expected application/json")
    try:
        body = json.loads(request.body)
    except RequestDataTooBig:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large") from None
    except ValueError as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"found {type(body).__name__}, expected an object with {', '.join(FIELDS)}")
    for name, value in body.items():
        if name not in FIELDS:
            raise _Refused(HTTPStatus.BAD_REQUEST, {name: [f"is not known; known are {', '.join(FIELDS)}"]})
        if type(value) is not FIELDS[name]:
            raise _Refused(HTTPStatus.BAD_REQUEST, {name: [f"found {type(value).__name__}, expected {FIELDS[name].__name__}"]})
    return body


def _save(fields: dict[str, Any], item: Item) -> Item:
    form = ItemForm(fields, instance=item)
    saved = form.saved() if form.is_valid() else None
    if saved is None:
        raise _Refused(HTTPStatus.BAD_REQUEST, form.errors)
    return saved
