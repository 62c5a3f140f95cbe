/** Does with jobs what a user asks: asks first where something ends or goes, and tells what went wrong. */

import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';
import type { JobDocument } from '../documents/generated';
import type { IJobTabs } from '../tokens/job_tabs';
import type { IJobStore } from '../tokens/job_store';
import type { IJobActions } from '../tokens/actions';
import { askForName, confirm, told } from '../parts/dialogs';

export interface Surroundings {
  readonly store: IJobStore;
  /** Found when first needed: the tabs need the actions too. */
  tabs(): Promise<IJobTabs | null>;
  showTensorBoard(address: string, title: string): void;
  visit(job: JobDocument, near?: Widget): Promise<boolean>;
}

export class JobActions implements IJobActions {
  constructor(private readonly around: Surroundings) {}

  open(id: string): void {
    void this.around.tabs().then(tabs => tabs?.open(id));
  }

  openLogs(id: string): void {
    void this.around.tabs().then(tabs => tabs?.open(id, 'log'));
  }

  compare(ids: readonly string[]): void {
    void this.around.tabs().then(tabs => tabs?.compare(ids));
  }

  async cancel(id: string): Promise<void> {
    const job = this.known(id);
    const end = job?.state === 'RUNNING' ? 'ends now. What it has saved so far stays.' : 'ends before it has begun.';
    const words = job && `${job.name} (${job.where}) ${end}`;
    if (job && (await confirm(`Cancel ${job.name}?`, words as string, 'Cancel the job'))) {
      await told(() => this.around.store.api.cancel(id));
      await this.around.store.refresh();
    }
  }

  async deploy(id: string): Promise<void> {
    const job = this.known(id);
    const name = job && (await askForName(`Deploy ${job.name}`, 'As the model', modelName(job.name), 'Deploy'));
    if (name) {
      await told(async () => this.around.store.follow(await this.around.store.api.deployJob(id, name)));
    }
  }

  async tensorboard(ids: readonly string[]): Promise<void> {
    const names = ids.map(id => this.known(id)?.name ?? id);
    await told(async () => this.around.showTensorBoard(await this.around.store.api.tensorboard(ids), names.join(', ')));
  }

  async copyPython(id: string): Promise<void> {
    const job = this.known(id);
    if (job) {
      Clipboard.copyToSystem(pythonOf(job));
      Notification.info(`Copied: the Python that brings ${job.name} back.`, { autoClose: 3000 });
    }
  }

  async remove(id: string): Promise<void> {
    const job = this.known(id);
    await told(async () => {
      const { api } = this.around.store;
      if (job && (await confirm(`Delete ${job.name}?`, await api.deletionOf(id), 'Delete'))) {
        await api.deleteJob(id);
        await this.around.store.refresh();
      }
    });
  }

  goToCell(job: JobDocument, near?: Widget): Promise<boolean> {
    return this.around.visit(job, near);
  }

  /** The job as the server knows it; a card may claim anything. */
  private known(id: string): JobDocument | undefined {
    return this.around.store.document(id);
  }
}

/** The Python that brings this very job back in any kernel; its name alone would mean the latest of that name. */
export function pythonOf({ id, name }: Pick<JobDocument, 'id' | 'name'>): string {
  const variable = /^[a-z_][a-z0-9_]*$/i.test(name) ? name : 'found';
  return `from cloudml_magic import job\n\n${variable}_job = job("${id}")`;
}

/** `digits` of `digits~2`: a job's repetitions are versions of one model. */
export function modelName(job: string): string {
  return job.replace(/~\d+$/, '');
}
