"""Codecs: reading and writing YAML and JSON without their traps, and telling the file and line of every value.

`load_document` reads a file into a `Document` (data + places); `parse` turns a document, or a part of it, into a message and
reports all faults at once. Reading is bounded in size, depth and alias expansion, refuses duplicate keys, and never raises
anything but `CodecError` (or `SchemaError` from `parse`). `dump_yaml` quotes whatever any YAML reader would misread;
`canonical_json` has one spelling per value and is what hashes are made of; `edit_yaml` changes a file and leaves the rest of
it alone. Which plain YAML scalars are numbers and which are text is the table in `scalars`.
"""

from core_lib.framework.codecs.document import Document
from core_lib.framework.codecs.editing import edit_yaml
from core_lib.framework.codecs.files import load_document
from core_lib.framework.codecs.json_reader import load_json
from core_lib.framework.codecs.limits import DEFAULT_LIMITS, Limits
from core_lib.framework.codecs.nearest import nearest
from core_lib.framework.codecs.nodes import Path
from core_lib.framework.codecs.schema import parse
from core_lib.framework.codecs.tags import SHORT_TAGS, TaggedValue, cfn_to_plain
from core_lib.framework.codecs.writer import canonical_json, dump_yaml, plain_data, sha256_hex, to_json
from core_lib.framework.codecs.yaml_reader import load_yaml

__all__ = [
    "DEFAULT_LIMITS", "SHORT_TAGS", "Document", "Limits", "Path", "TaggedValue", "canonical_json", "cfn_to_plain", "dump_yaml",
    "edit_yaml", "load_document", "load_json", "load_yaml", "nearest", "parse", "plain_data", "sha256_hex", "to_json",
]  # fmt: skip
