"""Layer 8, invoker: the traffic cop. It looks at a payload and says which processor handles it and how far it goes; no more."""

from core_lib.invoker.routing import Processor, Route, route

__all__ = ["Processor", "Route", "route"]
