/** Opens jobs in the main area. */

import { Token } from '@lumino/coreutils';

export interface IJobTabs {
  open(id: string, at?: 'top' | 'log'): void;
  compare(ids: readonly string[]): void;
}

export const IJobTabs = new Token<IJobTabs>('cloudml-magic:IJobTabs', 'Jobs as tabs of the main area.');
