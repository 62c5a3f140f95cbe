/** A job in full: large curves with every point, the whole log, its parameters. */

import { useState } from 'react';
import { CurvePlot, LineKeys } from '../cards/job_charts';
import { JobButtons } from '../cards/job_buttons';
import { Banner, wordsOf } from '../parts/banner';
import { Failure, Warnings } from '../parts/failure';
import { Header, Progress } from '../parts/header';
import { JobLog } from '../parts/job_log';
import { OperationLine } from '../parts/operation_line';
import { ProgressBar } from '../parts/progress_bar';
import { deploymentOf, useJobs } from '../cards/use_job';
import type { JobDocument } from '../documents/generated';
import type { IJobActions } from '../tokens/actions';
import type { IJobStore } from '../tokens/job_store';
import { isFinal } from '../wording';
import { useFullCurves } from './use_full_curves';
import { LogScaleToggle } from '../charts/log_scale_toggle';

export interface JobViewProps {
  id: string;
  store: IJobStore;
  actions: () => IJobActions | null;
  isShown: boolean;
  smoothing: number;
}

export function JobView({ id, store, actions, isShown, smoothing }: JobViewProps): JSX.Element {
  useJobs(store, [id], isShown);
  const [problem, setProblem] = useState<unknown>(null);
  const [isLogarithmic, setLogarithmic] = useState(false);
  const job = store.document(id);
  const curves = useFullCurves(store, id, job);
  const { state, words } = store.health;
  const banner = words && state !== 'unknown' ? <Banner words={words} retry={() => store.refresh()} /> : null;
  if (!job) {
    return (
      <div className="cloudml-Job">
        {banner}
        <p className="cloudml-Note">
          {store.isUnknown(id) ? 'There is no such job here; it may have been deleted.' : 'Loading …'}
        </p>
      </div>
    );
  }
  const todo = actions();
  const deployment = deploymentOf(store, job);
  return (
    <div className="cloudml-Job">
      <Header job={job} clockOffset={store.clockOffset} isShown={isShown}>
        {todo && <JobButtons job={job} store={store} actions={todo} onProblem={setProblem} hasLogs={false} />}
      </Header>
      <ProgressBar state={job.state} fraction={job.fraction} />
      {banner}
      {problem !== null && <Banner words={wordsOf(problem)} dismiss={() => setProblem(null)} />}
      <Progress job={job} />
      {job.failure && <Failure failure={job.failure} onVisit={todo && (() => todo.goToCell(job))} />}
      <Warnings warnings={job.warnings} />
      {deployment && <OperationLine operation={deployment} />}
      {curves.length > 0 && (
        <section className="cloudml-Section" aria-label="Curves">
          <div className="cloudml-Section-head">
            <h2>Curves</h2>
            <span className="cloudml-Legend">
              <LineKeys curves={curves} />
              <LogScaleToggle isOn={isLogarithmic} onChange={setLogarithmic} />
            </span>
          </div>
          <div className="cloudml-Job-curves">
            {curves.map(curve => (
              <CurvePlot
                key={curve.name}
                curve={curve}
                variant="full"
                syncKey={`job-${id}`}
                isLogarithmic={isLogarithmic}
                lastStep={isFinal(job.state) ? null : job.epochs}
                smoothing={smoothing}
              />
            ))}
          </div>
        </section>
      )}
      <Parameters parameters={job.parameters} />
      <section className="cloudml-Section" data-section="log" aria-label="Log">
        <div className="cloudml-Section-head">
          <h2>Log</h2>
        </div>
        <JobLog store={store} id={id} live={job.log} />
      </section>
    </div>
  );
}

function Parameters({ parameters }: { parameters: JobDocument['parameters'] }): JSX.Element | null {
  if (!parameters.length) {
    return null;
  }
  return (
    <section className="cloudml-Section" aria-label="Parameters">
      <div className="cloudml-Section-head">
        <h2>Parameters</h2>
      </div>
      <table className="cloudml-Table cloudml-Parameters">
        <tbody>
          {parameters.map(({ name, value }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
