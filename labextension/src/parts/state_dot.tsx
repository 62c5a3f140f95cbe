/** The state of a job: a coloured dot and its word. */

import { memo } from 'react';
import { stateWord, type JobState } from '../wording';

export interface StateDotProps {
  state: JobState;
  /** The dot alone, where the word stands beside it already. */
  isBare?: boolean;
}

export const StateDot = memo(function StateDot({ state, isBare = false }: StateDotProps): JSX.Element {
  return (
    <span className="cloudml-State" data-state={state}>
      <i aria-hidden={!isBare} {...(isBare ? { role: 'img', 'aria-label': stateWord(state) } : {})} />
      {isBare ? null : stateWord(state)}
    </span>
  );
});
