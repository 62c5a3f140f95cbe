"""Files and folders of this machine and of buckets: copy, move, delete, list, bring into line."""

from cloudml_magic.pipeline.files.copying import Copied, copy, move
from cloudml_magic.pipeline.files.looking import Line, completions, listed, read, sizes
from cloudml_magic.pipeline.files.progress import Progress
from cloudml_magic.pipeline.files.removing import Doomed, doomed, make_bucket, remove, remove_bucket
from cloudml_magic.pipeline.files.synchronising import synchronise

__all__ = [
    "Copied",
    "Doomed",
    "Line",
    "Progress",
    "completions",
    "copy",
    "doomed",
    "listed",
    "make_bucket",
    "move",
    "read",
    "remove",
    "remove_bucket",
    "sizes",
    "synchronise",
]
