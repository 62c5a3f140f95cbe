/** Where a job's widgets stand: in the main area, or beneath it where that holds one document only, as in Notebook 7. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { TabPanel, type Widget } from '@lumino/widgets';

export function showWidget({ shell }: Pick<JupyterFrontEnd, 'shell'>, widget: Widget): void {
  if (!widget.parent) {
    // Only a shell of many documents has modes.
    shell.add(widget, 'mode' in shell ? 'main' : 'down');
  }
  shell.activateById(widget.id);
  const below = widget.parent?.parent;
  if (below instanceof TabPanel) {
    below.currentWidget = widget;
  }
}
