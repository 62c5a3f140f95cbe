/** Stands in for uPlot, which wants a canvas. */

export const plots: UPlotOfTests[] = [];

export default class UPlotOfTests {
  constructor(
    readonly options: { width: number; height: number },
    public data: unknown[][],
    host: HTMLElement
  ) {
    host.append(this.over);
    plots.push(this);
  }
  over = document.createElement('div');
  scales = { x: { min: 0, max: 1 } };
  width = 0;
  height = 0;
  sets = 0;
  isDestroyed = false;
  batch = (work: () => void): void => work();
  redraw = (): void => undefined;
  setScale = (): void => undefined;
  setSize = (): void => undefined;
  setData = (data: unknown[][]): void => {
    this.sets += 1;
    this.data = data;
  };
  destroy = (): void => {
    this.isDestroyed = true;
  };
}
