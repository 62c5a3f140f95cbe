// What jsdom lacks and JupyterLab's modules touch when they are loaded.
class DragEventOfTests extends MouseEvent {}
Object.assign(globalThis, { DragEvent: DragEventOfTests });
window.matchMedia ??= (query: string) =>
  ({ matches: false, media: query, addEventListener: () => {}, removeEventListener: () => {} }) as unknown as MediaQueryList;
globalThis.requestIdleCallback ??= (act: IdleRequestCallback) =>
  setTimeout(() => act({ didTimeout: false, timeRemaining: () => 1 }), 0) as unknown as number;
