"""Component types as data: a folder each, read once."""

from core_lib.component.library.catalogue import Catalogue, builtin_catalogue
from core_lib.component.library.types import ComponentType, EntryRule, Role, SecurityRule, StepRule

__all__ = ["Catalogue", "ComponentType", "EntryRule", "Role", "SecurityRule", "StepRule", "builtin_catalogue"]
