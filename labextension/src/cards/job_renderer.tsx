/** Renders the output of a job, and leaves its end in the notebook in every representation. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { readJob } from '../documents/check';
import type { JobDocument } from '../documents/generated';
import type { IJobActions } from '../tokens/actions';
import { DEFAULTS, type IPreferences } from '../tokens/preferences';
import type { IJobStore } from '../tokens/job_store';
import { isFinal } from '../wording';
import { CardRenderer } from './card_renderer';
import { JobCard } from './job_card';

export const JOB_MIME = 'application/vnd.cloudml.job+json';

export class JobRenderer extends CardRenderer<JobDocument> {
  constructor(
    private readonly store: IJobStore,
    private readonly actions: IJobActions,
    private readonly preferences: IPreferences | null
  ) {
    super(JOB_MIME, readJob);
    store.changed.connect(this.onChanged, this);
    preferences?.changed.connect(this.update, this);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.store.changed.disconnect(this.onChanged, this);
      this.preferences?.changed.disconnect(this.update, this);
    }
    super.dispose();
  }

  protected card(payload: JobDocument): JSX.Element {
    const { smoothing } = this.preferences?.current ?? DEFAULTS;
    return (
      <JobCard
        payload={payload}
        store={this.store}
        actions={this.actions}
        isShown={this.isShown}
        smoothing={smoothing}
        near={this}
      />
    );
  }

  override async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    await super.renderModel(model);
    this.keepEnd();
  }

  protected override setShown(isShown: boolean): void {
    super.setShown(isShown);
    this.keepEnd();
  }

  private onChanged(_: IJobStore, ids: ReadonlySet<string>): void {
    if (this.payload && ids.has(this.payload.id)) {
      this.keepEnd();
    }
  }

  /** Once a job has ended, what is saved says so too: as text, as HTML and as data, all made together. */
  private keepEnd(): void {
    const { model, payload } = this;
    const known = payload && this.store.document(payload.id);
    const hasNews = known && isFinal(known.state) && known.state !== payload.state;
    if (model && hasNews && this.isShown && this.keptId !== payload.id) {
      this.keptId = payload.id;
      void this.replace(model, payload.id);
    }
  }

  private async replace(model: IRenderMime.IMimeModel, id: string): Promise<void> {
    try {
      const bundle = await this.store.api.bundle(id);
      if (!this.isDisposed && this.model === model && isBundle(bundle)) {
        model.setData({ data: bundle, metadata: { ...model.metadata } });
      }
    } catch {
      // A place that cannot be written, or a server that has just gone: the card shows the end nevertheless.
      this.keptId = '';
    }
  }

  private keptId = '';
}

type Bundle = IRenderMime.IMimeModel['data'];

function isBundle(bundle: Record<string, unknown>): bundle is Bundle {
  const hasText = typeof bundle['text/plain'] === 'string' && typeof bundle['text/html'] === 'string';
  return hasText && readJob(bundle[JOB_MIME]) !== null;
}
