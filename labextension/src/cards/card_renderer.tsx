/** What both renderers of outputs share: a React root that draws what the output's model holds, while it is on the screen. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { observeShown } from './shown';

export abstract class CardRenderer<T> extends ReactWidget implements IRenderMime.IRenderer {
  constructor(
    private readonly mimeType: string,
    private readonly read: (value: unknown) => T | null
  ) {
    super();
    this.addClass('cloudml-Output');
  }

  /** Called for each new output of the cell's display, not only for the first. */
  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    this.payload = this.read(model.data[this.mimeType]);
    this.update();
    return this.renderPromise ?? Promise.resolve();
  }

  protected override render(): JSX.Element | null {
    if (!this.model) {
      return null;
    }
    return this.payload === null ? <Unreadable /> : this.card(this.payload);
  }

  protected abstract card(payload: T): JSX.Element;

  protected setShown(isShown: boolean): void {
    if (this.isShown !== isShown) {
      this.isShown = isShown;
      this.update();
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.stopObserving = observeShown(this.node, isShown => this.setShown(isShown));
  }

  protected override onBeforeDetach(message: Message): void {
    this.stopObserving();
    super.onBeforeDetach(message);
  }

  protected model: IRenderMime.IMimeModel | null = null;
  protected payload: T | null = null;
  /** Taken for granted until the browser says otherwise, so that the first picture waits for nothing. */
  protected isShown = true;
  private stopObserving: () => void = () => undefined;
}

function Unreadable(): JSX.Element {
  return (
    <article className="cloudml-Card">
      <p className="cloudml-Note">
        This output is not a card that this version of cloudml-magic can read. Update the package, or run the cell again.
      </p>
    </article>
  );
}
