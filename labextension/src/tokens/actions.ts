/** What a user can do with a job, wherever its name is shown: one set of actions for cards, panel, tab and palette. */

import { Token } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';
import type { JobDocument } from '../documents/generated';

export interface IJobActions {
  /** Opens the job as a tab of the main area. */
  open(id: string): void;

  /** Opens the job's tab at its log. */
  openLogs(id: string): void;

  /** Opens one tab with the curves of several jobs and their parameters side by side. */
  compare(ids: readonly string[]): void;

  /** Asks, naming the job as the server does, then cancels it. */
  cancel(id: string): Promise<void>;

  /** Asks for the model's name, then deploys; the operation's progress is in the store. */
  deploy(id: string): Promise<void>;

  /** Opens TensorBoard of these jobs as a tab, proxied through the Jupyter server. */
  tensorboard(ids: readonly string[]): Promise<void>;

  /** Puts the Python that brings the job back on the clipboard. */
  copyPython(id: string): Promise<void>;

  /** Asks, naming what will go, then deletes the job. */
  remove(id: string): Promise<void>;

  /**
   * Shows the cell that sent the job, or the line that failed, and marks it; `near` is the widget in whose notebook to look first.
   * False where the cell is not there any more.
   */
  goToCell(job: JobDocument, near?: Widget): Promise<boolean>;
}

export const IJobActions = new Token<IJobActions>('cloudml-magic:IJobActions', 'What can be done with a job.');
