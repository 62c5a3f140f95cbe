/** Provides the store: one per page, fed by Jupyter's event stream. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Api } from '../server/api';
import { Requests } from '../server/requests';
import { DEFAULTS, IPreferences } from '../tokens/preferences';
import { IJobStore } from '../tokens/job_store';
import { JobStore } from './store';

export const storePlugin: JupyterFrontEndPlugin<IJobStore> = {
  id: 'cloudml-magic:store',
  description: 'Keeps the jobs of cloudml-magic up to date, for everything on the page that shows them.',
  autoStart: true,
  provides: IJobStore,
  optional: [IPreferences],
  activate: (app: JupyterFrontEnd, preferences: IPreferences | null): IJobStore => {
    const { serviceManager } = app;
    const requests = new Requests(serviceManager.serverSettings);
    const store = new JobStore(new Api(requests), () => (preferences?.current ?? DEFAULTS).pollSeconds);
    serviceManager.events.stream.connect(store.onEvent);
    void app.restored.then(() => store.begin());
    return store;
  }
};
