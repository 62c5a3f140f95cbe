/** The panel as a widget of the side bar: it keeps the store awake only while it is shown. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { Menu } from '@lumino/widgets';
import { PredictionView } from '../cards/prediction_view';
import type { PredictionDocument } from '../documents/generated';
import type { IJobActions } from '../tokens/actions';
import { JOB_MENU } from '../tokens/command_ids';
import { cloudmlIcon } from '../parts/icon';
import type { IJobStore } from '../tokens/job_store';
import { Panel } from './panel';
import { Shown } from './signals';
import type { PanelTab } from './tabs';

const showAnswer = (answer: PredictionDocument) => <PredictionView prediction={answer} />;

export class PanelWidget extends ReactWidget {
  private tab: PanelTab = 'jobs';
  private attention: IDisposable | null = null;

  constructor(
    private readonly store: IJobStore,
    private readonly actions: IJobActions,
    private readonly commands: CommandRegistry
  ) {
    super();
    this.id = 'cloudml-panel';
    this.addClass('cloudml-Panel');
    this.title.icon = cloudmlIcon;
    this.title.caption = 'Cloud ML';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Cloud ML');
    // What is dropped beside a place for it would be opened by the browser.
    this.node.ondragover = this.node.ondrop = event => event.preventDefault();
  }

  choose = (tab: PanelTab): void => {
    this.tab = tab;
    this.update();
  };

  override dispose(): void {
    this.attention?.dispose();
    super.dispose();
  }

  protected override render() {
    return (
      <Shown.Provider value={this.attention !== null}>
        <Panel
          store={this.store}
          actions={this.actions}
          tab={this.tab}
          onTab={this.choose}
          showMenu={this.showMenu}
          showAnswer={showAnswer}
        />
      </Shown.Provider>
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.attend();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this.attend();
    }
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.rest();
  }

  protected override onBeforeDetach(message: Message): void {
    this.rest();
    super.onBeforeDetach(message);
  }

  private attend(): void {
    this.attention ??= this.store.watchOverview();
    this.update();
  }

  private rest(): void {
    this.attention?.dispose();
    this.attention = null;
    this.update();
  }

  private readonly showMenu = (id: string, x: number, y: number): void => {
    const menu = new Menu({ commands: this.commands });
    for (const command of JOB_MENU) {
      menu.addItem(command ? { command, args: { id } } : { type: 'separator' });
    }
    const before = document.activeElement as HTMLElement;
    menu.aboutToClose.connect(() => {
      // At once: a dialog that is opened now returns to here.
      before.focus();
      requestAnimationFrame(() => menu.dispose());
    });
    menu.open(x, y);
  };
}
