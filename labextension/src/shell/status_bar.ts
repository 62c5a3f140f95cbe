/** The status bar's item: how many jobs run; it is not there where none does and none did. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { runningWords } from '../panel/status_line';
import { IJobStore } from '../tokens/job_store';
import { isFinal } from '../wording';
import { COMMANDS } from '../tokens/command_ids';
import { cloudmlIcon } from '../parts/icon';

export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloudml-magic:status-bar',
  description: 'The number of running jobs in the status bar.',
  autoStart: true,
  requires: [IJobStore],
  optional: [IStatusBar],
  activate: (app: JupyterFrontEnd, store: IJobStore, statusBar: IStatusBar | null) => {
    if (statusBar) {
      const item = new RunningItem(store, () => void app.commands.execute(COMMANDS.openPanel, { tab: 'jobs' }));
      statusBar.registerStatusItem('cloudml-magic:running', {
        item,
        align: 'left',
        rank: 50,
        isActive: () => item.isActive,
        activeStateChanged: item.activeChanged
      });
    }
  }
};

export class RunningItem extends Widget {
  readonly activeChanged = new Signal<this, void>(this);
  isActive = false;
  private readonly button = document.createElement('button');
  private readonly words = document.createElement('span');

  constructor(
    private readonly store: IJobStore,
    open: () => void
  ) {
    super();
    this.addClass('cloudml-StatusItem');
    this.button.type = 'button';
    this.button.addEventListener('click', open);
    cloudmlIcon.element({ container: this.button.appendChild(document.createElement('span')), tag: 'span' });
    this.button.append(this.words);
    this.node.append(this.button);
    store.overviewChanged.connect(this.draw, this);
    this.draw();
  }

  override dispose(): void {
    Signal.clearData(this);
    super.dispose();
  }

  private draw(): void {
    const live = this.store.jobs.filter(job => !isFinal(job.state));
    this.words.textContent = runningWords(this.store.counts);
    this.button.title = live.map(job => job.name).join('\n') || 'Cloud ML: nothing runs';
    const wasActive = this.isActive;
    this.isActive ||= live.length > 0;
    if (this.isActive !== wasActive) {
      this.activeChanged.emit();
    }
  }
}
