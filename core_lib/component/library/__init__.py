"""Component types as data: a folder each, read once."""

from core_lib.component.library.catalogue import Catalogue, builtin_catalogue
from core_lib.component.library.types import ComponentType, EntryRule, Role, StepRule

__all__ = ["Catalogue", "ComponentType", "EntryRule", "Role", "StepRule", "builtin_catalogue"]
