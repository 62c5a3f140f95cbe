/** How a view follows the store: it draws anew when the store says that what it shows has changed, and rests while hidden. */

import type { ISignal } from '@lumino/signaling';
import { createContext, useContext, useEffect, useReducer, useState } from 'react';
import type { IJobStore } from '../tokens/job_store';

/** Whether the panel is on screen. */
export const Shown = createContext(true);

/** Draws anew with each emission, or with those that concern this view. */
export function useSignal<Sender, Value>(signal: ISignal<Sender, Value>, concerns?: (value: Value) => boolean): void {
  const isShown = useContext(Shown);
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!isShown) {
      return undefined;
    }
    const heard = (_: Sender, value: Value) => {
      if (!concerns || concerns(value)) {
        draw();
      }
    };
    signal.connect(heard);
    return () => void signal.disconnect(heard);
  }, [signal, concerns, isShown]);
}

/** Seconds by the server's clock, counted on every `step` seconds while it is shown. */
export function useNow(store: IJobStore, step: number): number {
  const isShown = useContext(Shown);
  const read = () => Date.now() / 1000 - store.clockOffset;
  const [now, setNow] = useState(read);
  useEffect(() => {
    if (!isShown) {
      return undefined;
    }
    setNow(read());
    const timer = setInterval(() => setNow(read()), step * 1000);
    return () => clearInterval(timer);
  }, [store, step, isShown]);
  return now;
}
