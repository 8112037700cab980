"""How moto's classes are amended: by wrapping one method and calling the original from inside."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Wrapper = Callable[..., Any]


def wrap(owner: type, name: str) -> Callable[[Wrapper], Wrapper]:
    """Decorator: replace `owner.name` by the decorated function, which gets the original as its first argument.

    Wrapping the same method with the same function twice does nothing, so that `install()` may be called again.
    """
    original = getattr(owner, name)

    def install(new: Wrapper) -> Wrapper:
        mark = f"{new.__module__}.{new.__qualname__}"
        if mark not in getattr(original, "amended_by", ()):

            @functools.wraps(original)
            def amended(self: Any, *args: Any, **kwargs: Any) -> Any:
                return new(original, self, *args, **kwargs)

            vars(amended)["amended_by"] = (*getattr(original, "amended_by", ()), mark)
            setattr(owner, name, amended)
        return new

    return install
