"""Filters: what expressions can do with a value. `FILTERS` is the whole list, by name.

The platform's own filters each lie in a file by subject. Of Jinja's, those are taken over that deployspecs need and that
cannot make something huge out of something small; a few are replaced by bounded ones. Filters of HTML and of chance are left
out: what is compiled is never HTML, and the same every time.
"""

from core_lib.renderer.filters.catalogue import CONTEXT_FILTERS, FILTERS, charged

__all__ = ["CONTEXT_FILTERS", "FILTERS", "charged"]
