"""What is changed in each library so that bucket addresses reach the bucket's folder also in its compiled code."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

from cloudml_paths import make_room, mapped  # type: ignore[import-not-found]


def _keras_files(module: ModuleType) -> None:
    # Keras sends what it thinks remote through TensorFlow; here it is a path like any other.
    first = module.is_remote_path

    @functools.wraps(first)
    def is_remote_path(filepath: Any) -> Any:
        return first(filepath) if mapped(filepath) is filepath else False

    module.is_remote_path = is_remote_path  # type: ignore[attr-defined]


def _pandas(module: ModuleType) -> None:
    first = module.stringify_path

    @functools.wraps(first)
    def stringify_path(filepath_or_buffer: Any, *arguments: Any, **options: Any) -> Any:
        return first(mapped(filepath_or_buffer), *arguments, **options)

    module.stringify_path = stringify_path  # type: ignore[attr-defined]


def _numpy_text(module: ModuleType) -> None:
    first = module.open

    @functools.wraps(first)
    def open(path: Any, *arguments: Any, **options: Any) -> Any:
        return first(mapped(path), *arguments, **options)

    module.open = open  # type: ignore[attr-defined]


def _h5py(module: ModuleType) -> None:
    first = module.File.__init__

    @functools.wraps(first)
    def __init__(self: Any, name: Any, mode: str = "r", *arguments: Any, **options: Any) -> None:  # noqa: N807
        path = mapped(name)
        if path is not name:
            make_room(path, mode)
        first(self, path, mode, *arguments, **options)

    module.File.__init__ = __init__


def _tensorflow_files(module: ModuleType) -> None:
    first = module.FileIO.__init__

    @functools.wraps(first)
    def __init__(self: Any, name: Any, mode: str, *arguments: Any, **options: Any) -> None:  # noqa: N807
        make_room(mapped(name), mode)
        first(self, name, mode, *arguments, **options)

    module.FileIO.__init__ = __init__
    # These two bypass the conversion that all others go through.
    _arguments(get_matching_files=(0,), get_matching_files_v2=(0,))(module)


def _arguments(**positions: tuple[int, ...]) -> Callable[[ModuleType], None]:
    """Changes functions of a module by name: which of their positional arguments are paths or tensors of paths."""

    def change(module: ModuleType) -> None:
        for name, places in positions.items():
            first = getattr(module, name, None)
            if first is not None:
                setattr(module, name, _mapping(first, places))

    return change


def _tensorflow_records(module: ModuleType) -> None:
    first = module.TFRecordWriter.__init__

    @functools.wraps(first)
    def __init__(self: Any, path: Any, *arguments: Any, **options: Any) -> None:  # noqa: N807
        make_room(mapped(path), "w")
        first(self, mapped(path), *arguments, **options)

    module.TFRecordWriter.__init__ = __init__
    _arguments(tf_record_iterator=(0,))(module)


_PATH_NAMES = frozenset(
    {"basename", "checkpoint_prefixes", "contents_dir", "destination_prefix", "export_dir", "filename", "filenames",
     "filepattern", "logdir", "path", "pattern", "prefix", "save_path"}
)  # fmt: skip


def _mapping(first: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., Any]:
    @functools.wraps(first)
    def replacement(*arguments: Any, **options: Any) -> Any:
        changed = [_mapped_value(value) if index in places else value for index, value in enumerate(arguments)]
        named = {name: _mapped_value(value) if name in _PATH_NAMES else value for name, value in options.items()}
        return first(*changed, **named)

    return replacement


def _mapped_value(value: Any) -> Any:
    """A path, a list of paths, or a tensor of paths, also one that has no value yet."""
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped_value(item) for item in value) if type(value) in (list, tuple) else value
    if isinstance(value, (str, bytes)) or hasattr(value, "__fspath__"):
        return mapped(value)
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return value
    if getattr(dtype, "name", "") == "string":
        return _mapped_tensor(value)
    if getattr(dtype, "kind", "") in "SUO":
        return _mapped_value(value.tolist())
    return value


def _mapped_tensor(tensor: Any) -> Any:
    if hasattr(tensor, "numpy"):
        values = tensor.numpy()
        texts = [values] if isinstance(values, bytes) else values.ravel().tolist()
        if not any(text.startswith((b"gs://", b"/gcs/")) for text in texts):
            return tensor
    from tensorflow.python.ops import string_ops

    root = str(mapped("gs://")).rstrip("/")
    return string_ops.regex_replace(tensor, "^(gs://|/gcs/)", re.sub(r"(\\)", r"\\\1", root) + "/")


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "h5py._hl.files": _h5py,
    "keras.src.utils.file_utils": _keras_files,
    "numpy.lib._datasource": _numpy_text,
    "pandas.io.common": _pandas,
    "tensorflow.python.checkpoint.checkpoint_management": _arguments(latest_checkpoint=(0,), get_checkpoint_state=(0,)),
    "tensorflow.python.lib.io.file_io": _tensorflow_files,
    "tensorflow.python.lib.io.tf_record": _tensorflow_records,
    "tensorflow.python.ops.gen_dataset_ops": _arguments(
        text_line_dataset=(0,), tf_record_dataset=(0,), tf_record_dataset_v2=(0,), fixed_length_record_dataset=(0,),
        fixed_length_record_dataset_v2=(0,),
    ),
    "tensorflow.python.ops.gen_io_ops": _arguments(
        read_file=(0,), write_file=(0,), matching_files=(0,), save=(0,), save_v2=(0,), restore=(0,), restore_v2=(0,),
        merge_v2_checkpoints=(0, 1), sharded_filename=(0,),
    ),
    "tensorflow.python.ops.gen_summary_ops": _arguments(create_summary_file_writer=(1,)),
    "tensorflow.python.saved_model.load": _arguments(load=(0,), load_partial=(0,)),
    "tensorflow.python.saved_model.save": _arguments(save=(1,), save_and_return_nodes=(1,)),
    "tensorflow.python.training.py_checkpoint_reader": _arguments(NewCheckpointReader=(0,)),
    "tensorflow.python.util.compat": _arguments(path_to_bytes=(0,), path_to_str=(0,)),
}  # fmt: skip
