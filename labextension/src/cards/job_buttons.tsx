/**
 * What can be done with a job, as buttons: they act on what the server knows, never on what an output claims.
 * They stand at the right, what comes later at their left; who goes leaves an empty place, so that none moves under a hand.
 */

import { useState } from 'react';
import type { Widget } from '@lumino/widgets';
import type { JobDocument } from '../documents/generated';
import type { IJobActions } from '../tokens/actions';
import type { IJobStore } from '../tokens/job_store';
import { isFinal } from '../wording';
import { Button, Buttons } from '../parts/buttons';

export interface JobButtonsProps {
  job: JobDocument;
  store: IJobStore;
  actions: IJobActions;
  /** The widget in whose notebook the cell is looked for first. */
  near?: Widget | undefined;
  /** Hears of what went wrong, and of null when something is tried anew. */
  onProblem: (problem: unknown) => void;
  /** Whether the log is elsewhere than where these buttons stand. */
  hasLogs?: boolean;
}

export function JobButtons({ job, store, actions, near, onProblem, hasLogs = true }: JobButtonsProps): JSX.Element {
  const refusal = refusalOf(job, store);
  const isOver = isFinal(job.state);
  const [hasBegunHere] = useState(!isOver);
  const button = (
    words: string,
    act: (known: JobDocument) => unknown,
    look: 'primary' | 'quiet' | 'plain' = 'plain',
    isPlace = false
  ): JSX.Element => (
    <Button
      key={words}
      look={look}
      isPlace={isPlace}
      refusal={refusal}
      onClick={async () => {
        const known = store.document(job.id);
        if (!known) {
          return;
        }
        onProblem(null);
        try {
          await act(known);
        } catch (problem) {
          onProblem(problem);
        }
      }}
    >
      {words}
    </Button>
  );
  const canDeploy = job.state === 'SUCCEEDED' && job.artifacts.includes('export');
  const canBoard = store.status?.can_tensorboard !== false;
  const hasBoard = canBoard && job.artifacts.includes('tensorboard');
  const hasCell = job.failure !== null && (job.failure.cell_id ?? job.failure.cell ?? job.origin.cell_id) !== null;
  return (
    <Buttons>
      {hasCell && button('Go to cell', known => actions.goToCell(known, near), 'primary')}
      {canDeploy && button('Deploy', known => actions.deploy(known.id))}
      {(hasBoard || (canBoard && hasBegunHere && job.kind === 'training')) &&
        button('TensorBoard', known => actions.tensorboard([known.id]), 'plain', !hasBoard)}
      {hasLogs && button('Logs', known => actions.openLogs(known.id))}
      {button('Copy Python', known => actions.copyPython(known.id), 'quiet')}
      {hasBegunHere && button('Cancel', known => actions.cancel(known.id), 'quiet', isOver || job.state === 'CANCELLING')}
    </Buttons>
  );
}

function refusalOf(job: JobDocument, store: IJobStore): string {
  if (store.document(job.id)) {
    return '';
  }
  if (!job.id) {
    return 'The job is still being sent.';
  }
  if (store.isUnknown(job.id)) {
    return 'This job is not known here.';
  }
  return store.health.words?.what ?? 'The server has not confirmed this job yet.';
}
