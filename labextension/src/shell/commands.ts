/** The command palette: everything that the extension does, under “Cloud ML”. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PANEL_TABS } from '../panel/tabs';
import { IJobStore } from '../tokens/job_store';
import { IJobActions } from '../tokens/actions';
import { COMMANDS } from '../tokens/command_ids';
import { addJobCommands } from './job_commands';

const CATEGORY = 'Cloud ML';
const SHOWN = Object.values(COMMANDS).filter(id => id !== COMMANDS.openPanel);

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloudml-magic:commands',
  description: 'Commands for jobs, models and buckets.',
  autoStart: true,
  requires: [IJobStore, IJobActions],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, store: IJobStore, actions: IJobActions, palette: ICommandPalette | null) => {
    const { commands } = app;
    addJobCommands(commands, store, actions);
    commands.addCommand(COMMANDS.openLatest, {
      label: 'Open Latest Job',
      isEnabled: () => store.jobs.length > 0,
      execute: () => {
        const latest = [...store.jobs].sort((one, other) => (other.created ?? 0) - (one.created ?? 0))[0];
        if (latest) {
          actions.open(latest.id);
        }
      }
    });
    commands.addCommand(COMMANDS.goToFailed, {
      label: 'Go to Cell of Latest Failed Job',
      isEnabled: () => latestFailed(store) !== undefined,
      execute: async () => {
        const failed = latestFailed(store);
        return failed && actions.goToCell(failed);
      }
    });
    commands.addCommand(COMMANDS.refresh, { label: 'Refresh Jobs', execute: () => store.refresh() });
    store.overviewChanged.connect(() => commands.notifyCommandChanged());

    palette?.addItem({ command: COMMANDS.openPanel, category: CATEGORY });
    PANEL_TABS.forEach(([tab]) => palette?.addItem({ command: COMMANDS.openPanel, args: { tab }, category: CATEGORY }));
    SHOWN.forEach(command => palette?.addItem({ command, category: CATEGORY }));
  }
};

function latestFailed(store: IJobStore) {
  const failed = store.jobs.filter(job => job.state === 'FAILED');
  return failed.sort((one, other) => (other.ended ?? 0) - (one.ended ?? 0))[0];
}
