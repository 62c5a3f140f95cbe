/** What the server pushes over Jupyter's own event stream, read and told apart. */

import type { Event } from '@jupyterlab/services';
import { readDelta } from '../documents/check';
import type { JobDelta } from '../documents/generated';
import type { Operation } from '../server/api';

const ROOT = 'https://cloudml-magic.readthedocs.io/events/';

export type Push =
  | { kind: 'delta'; session: string; delta: JobDelta }
  | { kind: 'operation'; session: string; operation: Operation }
  | { kind: 'jobs'; session: string; jobs: string[] };

/** An event as ours, or null: the stream carries those of every other extension too. */
export function readEvent(event: Event.Emission): Push | null {
  if (!event.schema_id.startsWith(ROOT)) {
    return null;
  }
  const session = event['session'];
  if (typeof session !== 'string') {
    return null;
  }
  switch (event.schema_id.slice(ROOT.length)) {
    case 'job/1': {
      const delta = readDelta(event);
      return delta && { kind: 'delta', session, delta };
    }
    case 'operation/1': {
      const operation = event['operation'] as Operation | undefined;
      return typeof operation?.id === 'string' ? { kind: 'operation', session, operation } : null;
    }
    case 'jobs/1': {
      const jobs = event['jobs'];
      return Array.isArray(jobs) ? { kind: 'jobs', session, jobs: jobs.filter(id => typeof id === 'string') } : null;
    }
    default:
      return null;
  }
}
