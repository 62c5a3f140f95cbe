"""What has run in this kernel: cells with texts, numbers, ids and failures; light, for `%load_ext` needs it."""

from cloudml_magic.history.executed_cell import ExecutedCell, latest_selves
from cloudml_magic.history.kernel_history import CellRecorder, executed_cells, running_cell_id

__all__ = ["CellRecorder", "ExecutedCell", "executed_cells", "latest_selves", "running_cell_id"]
