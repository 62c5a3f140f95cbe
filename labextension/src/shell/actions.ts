/** Registers what can be done with a job. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IJobTabs } from '../tokens/job_tabs';
import { IJobStore } from '../tokens/job_store';
import { IJobActions } from '../tokens/actions';
import { CellVisitor } from './go_to_cell';
import { cloudmlIcon } from '../parts/icon';
import { showWidget } from '../parts/place';
import { JobActions } from './job_actions';

export const actionsPlugin: JupyterFrontEndPlugin<IJobActions> = {
  id: 'cloudml-magic:actions',
  description: 'What can be done with a job.',
  autoStart: true,
  requires: [IJobStore],
  optional: [INotebookTracker, IDocumentManager],
  provides: IJobActions,
  activate: (app: JupyterFrontEnd, store: IJobStore, tracker: INotebookTracker | null, documents: IDocumentManager | null) => {
    const visitor = new CellVisitor({
      tracker,
      documents,
      root: PageConfig.getOption('serverRoot'),
      activate: id => app.shell.activateById(id)
    });
    return new JobActions({
      store,
      tabs: () => app.resolveOptionalService(IJobTabs),
      showTensorBoard: (address, title) => showTensorBoard(app, address, title),
      visit: (job, near) => visitor.visit(job, near)
    });
  }
};

/** TensorBoard as a tab; one per address. It needs its own origin to reach its data, which is the server's. */
function showTensorBoard(app: JupyterFrontEnd, address: string, title: string): void {
  const id = `cloudml-tensorboard-${address.replace(/\W+/g, '-')}`;
  let widget = [...app.shell.widgets('main'), ...app.shell.widgets('down')].find(each => each.id === id);
  if (!widget) {
    const content = new IFrame({ sandbox: ['allow-scripts', 'allow-same-origin', 'allow-forms', 'allow-downloads'] });
    content.url = address;
    widget = new MainAreaWidget({ content });
    widget.id = id;
    widget.title.label = `TensorBoard: ${title}`;
    widget.title.icon = cloudmlIcon;
    widget.title.closable = true;
  }
  showWidget(app, widget);
}
