/** Registers the panel at the left. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IJobActions } from '../tokens/actions';
import { COMMANDS } from '../tokens/command_ids';
import { IJobStore } from '../tokens/job_store';
import { PanelWidget } from './panel_widget';
import { PANEL_TABS, type PanelTab } from './tabs';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloudml-magic:panel',
  description: 'Jobs, models and buckets at the left.',
  autoStart: true,
  requires: [IJobStore, IJobActions],
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, store: IJobStore, actions: IJobActions, restorer: ILayoutRestorer | null) => {
    const panel = new PanelWidget(store, actions, app.commands);
    app.shell.add(panel, 'left', { rank: 450 });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(COMMANDS.openPanel, {
      label: args => `Show ${labelOf(args['tab']) ?? 'Cloud ML Panel'}`,
      caption: 'Jobs, models and buckets',
      execute: args => {
        const tab = args['tab'];
        if (labelOf(tab)) {
          panel.choose(tab as PanelTab);
        }
        app.shell.activateById(panel.id);
        if (!panel.isVisible) {
          // Notebook 7 leaves its side closed.
          (app.shell as { expandLeft?(id: string): void }).expandLeft?.(panel.id);
        }
      }
    });
  }
};

function labelOf(tab: unknown): string | undefined {
  return PANEL_TABS.find(([name]) => name === tab)?.[1];
}
