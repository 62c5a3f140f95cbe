/** Renders the output of a job, and leaves its end in the notebook in every representation. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { IDisposable } from '@lumino/disposable';
import { readJob } from '../documents/check';
import type { JobDocument } from '../documents/generated';
import type { IJobActions } from '../tokens/actions';
import { DEFAULTS, type IPreferences } from '../tokens/preferences';
import type { IJobStore } from '../tokens/job_store';
import { isFinal } from '../wording';
import { CardRenderer } from './card_renderer';
import { JobCard } from './job_card';

export const JOB_MIME = 'application/vnd.cloudml.job+json';

const MOST_TRIES = 5;
/** How many outputs were; each has errands of its own. */
let rendered = 0;

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
      this.asking?.dispose();
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
    this.tries = 0;
    this.keepEnd();
  }

  private onChanged(_: IJobStore, ids: ReadonlySet<string>): void {
    if (this.payload && ids.has(this.payload.id)) {
      this.keepEnd();
    }
  }

  /** Once a job has ended, what is saved says so too, on the screen or not: as text, HTML and data, all made together. */
  private keepEnd(): void {
    const { model, payload, store } = this;
    this.ask(payload);
    const known = payload && store.document(payload.id);
    if (model && known && isFinal(known.state) && known.state !== payload.state) {
      store.errand(this.errand, () => this.replace(model, payload));
    }
  }

  /** A job that the output says is running is asked for once, until the server has said what it knows of it. */
  private ask(payload: JobDocument | null): void {
    this.asking?.dispose();
    const isOpen = payload && !isFinal(payload.state) && !this.store.document(payload.id) && !this.store.isUnknown(payload.id);
    this.asking = isOpen ? this.store.watch(payload.id) : null;
  }

  private async replace(model: IRenderMime.IMimeModel, payload: JobDocument): Promise<void> {
    // Meanwhile the kernel may have said the end itself.
    const isWanted = (): boolean => !this.isDisposed && this.payload === payload;
    if (!isWanted() || this.tries === MOST_TRIES) {
      return;
    }
    this.tries += 1;
    try {
      const bundle = await this.store.api.bundle(payload.id);
      if (isWanted() && isBundle(bundle)) {
        model.setData({ data: bundle, metadata: { ...model.metadata } });
      }
    } catch {
      // A place that cannot be written, or a server that has just gone: the card shows the end nevertheless.
      this.keepEnd();
    }
  }

  private readonly errand = `end ${++rendered}`;
  private asking: IDisposable | null = null;
  private tries = 0;
}

type Bundle = IRenderMime.IMimeModel['data'];

function isBundle(bundle: Record<string, unknown>): bundle is Bundle {
  const hasText = typeof bundle['text/plain'] === 'string' && typeof bundle['text/html'] === 'string';
  return hasText && readJob(bundle[JOB_MIME]) !== null;
}
