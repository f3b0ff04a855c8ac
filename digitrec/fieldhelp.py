"""What ``help()`` shows of a dataclass: the meaning of its fields, which Python itself forgets.

A string below a field is for readers of the source alone; nothing of it is left when the program runs.
"""

from __future__ import annotations

import inspect
import sys
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type[Any])


def documented(cls: Class) -> Class:
    """The same dataclass, its docstring followed by each field's meaning, from the string below it.

    They are looked up in the source when somebody asks for the docstring; where there is no source, it
    stays as it was.
    """
    cls.__doc__ = _Docstring(cls)  # type: ignore[assignment]  # a descriptor that gives a string
    return cls


class _Docstring:
    """A docstring that is put together when it is asked for."""

    def __init__(self, cls: type[Any]) -> None:
        self._module, self._name, self._summary = cls.__module__, cls.__qualname__, cls.__doc__ or ""

    def __get__(self, instance: object, owner: type[Any]) -> str:
        return self._whole

    @cached_property
    def _whole(self) -> str:
        try:
            source = inspect.getsource(sys.modules[self._module])
        except (OSError, TypeError):
            return self._summary
        entries = [
            f"    {name}: " + meaning.replace("\n", "\n        ")
            for name, meaning in _meanings(source, self._name).items()
        ]
        return "\n".join([inspect.cleandoc(self._summary), "", "Attributes:", *entries])


def _meanings(source: str, name: str) -> dict[str, str]:
    """The string below each field of a class, by the field's name."""
    import ast  # needed by whoever reads help, not by whoever reads digits

    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    (body,) = (node.body for node in classes if node.name == name)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }  # fmt: skip
