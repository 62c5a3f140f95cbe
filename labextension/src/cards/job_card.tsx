/** A job beneath its cell: painted from the output at once, then kept alive by the store. */

import { useState } from 'react';
import type { Widget } from '@lumino/widgets';
import type { JobDocument } from '../documents/generated';
import type { IJobActions } from '../tokens/actions';
import type { IJobStore } from '../tokens/job_store';
import { isFinal } from '../wording';
import { JobButtons } from './job_buttons';
import { JobCharts } from './job_charts';
import { Banner, wordsOf } from '../parts/banner';
import { Failure, Warnings } from '../parts/failure';
import { Header, Progress } from '../parts/header';
import { JobLog } from '../parts/job_log';
import { LogTail } from '../parts/log_tail';
import { OperationLine } from '../parts/operation_line';
import { ProgressBar } from '../parts/progress_bar';
import { deploymentOf, confirmed, useJobs } from './use_job';

export interface JobCardProps {
  /** What the output says; a claim until the server knows the job. */
  payload: JobDocument;
  store: IJobStore;
  actions: IJobActions;
  /** Whether it is on the screen; one that is not neither asks nor draws. */
  isShown: boolean;
  smoothing?: number;
  near?: Widget;
}

export function JobCard({ payload, store, actions, isShown, smoothing = 0, near }: JobCardProps): JSX.Element {
  useJobs(store, [payload.id], isShown);
  const [problem, setProblem] = useState<unknown>(null);
  const { state, words } = store.health;
  const known = store.document(payload.id);
  const job = confirmed(payload, known, store.isWhole(payload.id));
  // From its first picture on, so that nothing jumps when something comes.
  const isReserved = !isFinal(job.state);
  const deployment = deploymentOf(store, job);
  return (
    <article className="cloudml-Card" aria-label={`Job ${job.name}`}>
      <Header job={job} clockOffset={store.clockOffset} isShown={isShown}>
        <JobButtons job={job} store={store} actions={actions} near={near} onProblem={setProblem} />
      </Header>
      <ProgressBar state={job.state} fraction={job.fraction} />
      {words && state !== 'unknown' && <Banner words={words} retry={() => store.refresh()} />}
      {problem !== null && <Banner words={wordsOf(problem)} dismiss={() => setProblem(null)} />}
      {store.isUnknown(payload.id) && <p className="cloudml-Note">This card is from a notebook; the job is not known here.</p>}
      <Progress job={job} />
      {job.failure && <Failure failure={job.failure} onVisit={known && (() => actions.goToCell(known, near))} />}
      <Warnings warnings={job.warnings} />
      {deployment && <OperationLine operation={deployment} />}
      <JobCharts
        curves={job.curves}
        state={job.state}
        epochs={job.epochs}
        isReserved={isReserved && job.kind === 'training'}
        smoothing={smoothing}
      />
      <LogTail
        lines={job.log}
        isReserved={isReserved}
        whole={known && (() => <JobLog store={store} id={known.id} live={job.log} />)}
      />
    </article>
  );
}
