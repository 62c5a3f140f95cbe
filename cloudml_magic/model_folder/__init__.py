"""What a folder with an exported model says of itself, read without TensorFlow (docs/model_folder.md)."""

from cloudml_magic.model_folder.complete import check_files
from cloudml_magic.model_folder.interface import MANIFEST, SAVED_MODEL, read_folder, read_interface
from cloudml_magic.model_folder.operations import check_operations

__all__ = ["MANIFEST", "SAVED_MODEL", "check_files", "check_operations", "read_folder", "read_interface"]
