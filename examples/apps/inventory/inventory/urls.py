"""Routes: pages for people, /api for programs, /health for the load balancer."""

from __future__ import annotations

from django.urls import path

from inventory.health import health
from items import api, views

urlpatterns = [
    path("", views.ItemList.as_view(), name="items"),
    path("items/add", views.ItemAdd.as_view(), name="item-add"),
    path("items/<int:pk>/edit", views.ItemEdit.as_view(), name="item-edit"),
    path("items/<int:pk>/remove", views.ItemRemove.as_view(), name="item-remove"),
    path("api/items", api.Items.as_view(), name="api-items"),
    path("api/items/<int:pk>", api.OneItem.as_view(), name="api-item"),
    path("health", health, name="health"),
]
