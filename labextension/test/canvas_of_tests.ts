/** A canvas and a layout, which jsdom lacks: enough to count what is drawn. */

export const drawn = { pictures: 0 };

const pen = new Proxy({} as Record<string, unknown>, {
  get: (held, name) => held[name as string] ?? (() => void (name === 'clearRect' && (drawn.pictures += 1)))
});
HTMLCanvasElement.prototype.getContext = (() => pen) as unknown as HTMLCanvasElement['getContext'];
for (const side of ['clientWidth', 'clientHeight']) {
  Object.defineProperty(HTMLElement.prototype, side, { configurable: true, get: () => 258 });
}
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
