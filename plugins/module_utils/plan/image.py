# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden image: playbooks/bake.yml, image_test.yml and the role `ami`. It is wanted by its recipe, the hash of what goes into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..stack.shape import recipe_of
from .model import Kind, Resource, later
from .normal import tags_of

KINDS = (Kind("image", "image", frozenset(), {"verified": "a copy is started and asked before the fleet may use the image"}, pruned=True),)
STANDING = ("available", "pending")


def want_image(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """The image of the recipe, and those that stay beside it: with a new one those beyond `ami_keep` go.

    `ami_images` are the stack's images in the words of stack.shape, the newest first.
    """
    recipe, images = arguments["ami_recipe"], arguments["ami_images"]
    of_recipe = standing(images, recipe)
    name = of_recipe[0]["name"] if of_recipe else f"{arguments['ami_name']}-{recipe}"
    tags = arguments["ami_tags"] | {"Name": arguments["ami_name"], "Role": "web", "Recipe": recipe, "Version": arguments["ami_version"]}
    fields = {"recipe": recipe, "verified": True, "tags": tags}
    if not of_recipe:
        fields["description"] = f"Recipe {recipe}"
    yield Resource("image", name, fields, name)
    for image in kept(images, of_recipe, int(arguments["ami_keep"])):
        yield Resource("image", image["name"], {}, image["name"])


def standing(images: list[Mapping[str, Any]], recipe: str) -> list[Mapping[str, Any]]:
    """The images of a recipe from which machines can start, those that passed their test first."""
    found = [image for image in images if image["recipe"] == recipe and image["state"] in STANDING]
    return sorted(found, key=lambda image: not image["verified"])


def kept(images: list[Mapping[str, Any]], of_recipe: list[Mapping[str, Any]], keep: int) -> list[Mapping[str, Any]]:
    """The other images that a run leaves: all of them unless one has to be made or tested."""
    others = [image for image in images if image not in of_recipe[:1]]
    if of_recipe and of_recipe[0]["verified"]:
        return others
    return [image for image in others if image["verified"]][: max(0, keep - 1)]


def chosen(images: list[Mapping[str, Any]], name: str, recipe: str) -> list[Mapping[str, Any]]:
    """The images as they are when the image layer has run: the one of the recipe stands and has passed its test."""
    of_recipe = standing(images, recipe)
    made: Mapping[str, Any] = {"id": later("image", f"{name}-{recipe}"), "name": f"{name}-{recipe}", "state": "available", "recipe": recipe}
    return [{**(of_recipe[0] if of_recipe else made), "verified": True}, *(one for one in images if one not in of_recipe[:1])]


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """What the distribution publishes, from which builders, plain machines and bastions start."""
    source = wanted.get("stack_source_image")
    if not source or not (wanted.get("stack_compute") == "fleet" or wanted.get("stack_bastion")):
        return {}
    filters = [{"Name": "name", "Values": [source["name"]]}, {"Name": "state", "Values": ["available"]}]
    pages = clients["ec2"].get_paginator("describe_images").paginate(Owners=[source["owner"]], Filters=filters)
    return {"source_images": lambda: [image for page in pages for image in page["Images"]]}


def found_image(found: Mapping[str, Any]) -> Iterator[Resource]:
    """The stack's images by their names, which EC2 never changes and gives only once."""
    for image in found["images"]:
        tags = tags_of(image)
        fields = {
            "recipe": recipe_of(image),
            "verified": tags.pop("Verified", "") == "true",
            "tags": tags,
        }
        yield Resource("image", image["Name"], fields, image["Name"], image["ImageId"])
