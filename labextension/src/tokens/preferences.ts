/** What the user set in JupyterLab's settings, for every part of the extension. */

import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

export interface Preferences {
  /** Seconds between two questions where pushes do not come. */
  readonly pollSeconds: number;
  /** Which ends are told: all, only failures, or none. */
  readonly notifications: 'all' | 'failures' | 'none';
  readonly defaultTarget: 'local' | 'cloud';
  /** How much curves are smoothed, from 0 (as they are) to 0.95. */
  readonly smoothing: number;
}

export const DEFAULTS: Preferences = { pollSeconds: 2, notifications: 'all', defaultTarget: 'local', smoothing: 0 };

export interface IPreferences {
  readonly current: Preferences;
  readonly changed: ISignal<IPreferences, Preferences>;
  set<Name extends keyof Preferences>(name: Name, value: Preferences[Name]): Promise<void>;
}

export const IPreferences = new Token<IPreferences>('cloudml-magic:IPreferences', 'The settings of cloudml-magic.');
