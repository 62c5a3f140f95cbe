/** How far a job is, as a line of its own colour. */

import { memo } from 'react';
import type { JobState } from '../wording';

export interface ProgressBarProps {
  state: JobState;
  fraction: number | null;
}

export const ProgressBar = memo(function ProgressBar({ state, fraction }: ProgressBarProps): JSX.Element {
  const done = state === 'SUCCEEDED' ? 1 : (fraction ?? 0);
  return (
    <div
      className="cloudml-Bar"
      data-state={state}
      role="progressbar"
      aria-label="done"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(done * 100)}
    >
      <span style={{ transform: `scaleX(${done})` }} />
    </div>
  );
});
