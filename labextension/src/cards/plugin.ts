/** Registers the cards as what JupyterLab shows of our outputs, ahead of their HTML. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IJobActions } from '../tokens/actions';
import { IPreferences } from '../tokens/preferences';
import { IJobStore } from '../tokens/job_store';
import { JOB_MIME, JobRenderer } from './job_renderer';
import { PREDICTION_MIME, PredictionRenderer } from './prediction_renderer';

/** Beneath that of text/html, so that a card is preferred to its HTML. */
const RANK = 0;

export const cardsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloudml-magic:cards',
  description: 'Shows jobs and predictions beneath their cells.',
  autoStart: true,
  requires: [IRenderMimeRegistry, IJobStore, IJobActions],
  optional: [IPreferences],
  activate: (
    _: JupyterFrontEnd,
    registry: IRenderMimeRegistry,
    store: IJobStore,
    actions: IJobActions,
    preferences: IPreferences | null
  ): void => {
    registry.addFactory(
      { safe: true, mimeTypes: [JOB_MIME], createRenderer: () => new JobRenderer(store, actions, preferences) },
      RANK
    );
    registry.addFactory({ safe: true, mimeTypes: [PREDICTION_MIME], createRenderer: () => new PredictionRenderer() }, RANK);
  }
};
