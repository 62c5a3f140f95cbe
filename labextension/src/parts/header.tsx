/** The first line of a job: state, name, place; how long and how much; what can be done. */

import type { JobDocument } from '../documents/generated';
import { about, isFinal, money } from '../wording';
import { Elapsed } from './elapsed';
import { StateDot } from './state_dot';

export interface HeaderProps {
  job: JobDocument;
  clockOffset: number;
  isShown: boolean;
  children?: React.ReactNode;
}

export function Header({ job, clockOffset, isShown, children }: HeaderProps): JSX.Element {
  const place = [job.where, job.note].filter(Boolean).join(' · ');
  return (
    <header className="cloudml-Header">
      <span aria-live="polite">
        <StateDot state={job.state} />
      </span>
      <b className="cloudml-Name" title={job.name}>
        {job.name}
      </b>
      <span className="cloudml-Muted cloudml-Place" title={place}>
        {place}
      </span>
      <span className="cloudml-Header-right">
        <span className="cloudml-Muted">
          <Elapsed job={job} clockOffset={clockOffset} isShown={isShown} />
          {job.cost && (
            <span className="cloudml-Number">
              {' · '}
              {money(job.cost.amount, job.cost.currency)}
              {isFinal(job.state) ? '' : ' so far'}
            </span>
          )}
        </span>
        {children}
      </span>
    </header>
  );
}

/** `Epoch 13 of 20 · step 41 of 95`, and what is left; the row keeps its place while the job goes on. */
export function Progress({ job }: { job: JobDocument }): JSX.Element | null {
  const isOver = isFinal(job.state);
  const hasEpochs = job.epochs !== null && job.epochs > 0;
  if (isOver && !hasEpochs && !job.rows) {
    return null;
  }
  return (
    <div className="cloudml-Progress cloudml-Number">
      <span>
        {hasEpochs ? (
          <>
            <b>Epoch {job.epoch}</b> of {job.epochs}
            {job.step && job.steps && !isOver ? ` · step ${job.step} of ${job.steps}` : ''}
          </>
        ) : (
          job.rows
        )}
      </span>
      <span className="cloudml-Muted">{job.remaining !== null && !isOver ? about(job.remaining) : ''}</span>
    </div>
  );
}
