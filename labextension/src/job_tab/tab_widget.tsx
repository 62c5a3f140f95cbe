/** What stands in a tab: drawn while the tab is looked at. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { observeShown } from '../cards/shown';

export class TabContent extends ReactWidget {
  constructor(private readonly draw: (isShown: boolean) => JSX.Element) {
    super();
    this.addClass('cloudml-JobTab');
  }

  /** Brings a section into view, as soon as it is there. */
  showSection(name: string): void {
    this.section = name;
    this.update();
  }

  protected override render(): JSX.Element {
    requestAnimationFrame(() => this.scroll());
    return this.draw(this.isShown);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.stopObserving = observeShown(this.node, isShown => {
      if (this.isShown !== isShown) {
        this.isShown = isShown;
        this.update();
      }
    });
  }

  protected override onBeforeDetach(message: Message): void {
    this.stopObserving();
    super.onBeforeDetach(message);
  }

  private scroll(): void {
    const target = this.section && this.node.querySelector(`[data-section="${this.section}"]`);
    if (target) {
      this.section = '';
      target.scrollIntoView({ block: 'start' });
    }
  }

  private section = '';
  private isShown = true;
  private stopObserving: () => void = () => undefined;
}
