/** The lab extension: everything that it adds to JupyterLab, one plugin each. */

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cardsPlugin } from './cards/plugin';
import { jobTabPlugin } from './job_tab/plugin';
import { panelPlugin } from './panel/plugin';
import { actionsPlugin } from './shell/actions';
import { commandsPlugin } from './shell/commands';
import { launcherPlugin } from './shell/launcher';
import { notificationsPlugin } from './shell/notifications';
import { preferencesPlugin } from './shell/preferences';
import { statusBarPlugin } from './shell/status_bar';
import { storePlugin } from './store/plugin';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  preferencesPlugin,
  storePlugin,
  actionsPlugin,
  cardsPlugin,
  jobTabPlugin,
  panelPlugin,
  commandsPlugin,
  statusBarPlugin,
  notificationsPlugin,
  launcherPlugin
];

export default plugins;
