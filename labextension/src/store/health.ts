/** What an answer, or its absence, says of how the two halves get along. */

import { PACKAGE_VERSION } from '../documents/generated';
import { RequestError } from '../server/requests';
import type { Health } from '../tokens/job_store';

/** After an answer. */
export function healthOfAnswer(serverVersion: string | null): Health {
  if (serverVersion === null || serverVersion === PACKAGE_VERSION) {
    return { state: 'well', words: null };
  }
  return {
    state: 'version-mismatch',
    words: {
      reference: 'version-mismatch',
      what: 'The two halves of cloudml-magic are of different versions.',
      why: `This page has ${PACKAGE_VERSION}, the Jupyter server has ${serverVersion}.`,
      next: 'Run `pip install --upgrade cloudml-magic`, restart the Jupyter server, then reload this page.'
    }
  };
}

/** After a failure. */
export function healthOfFailure(problem: unknown): Health {
  if (problem instanceof RequestError) {
    return { state: problem.isServerMissing ? 'server-missing' : 'unreachable', words: problem.parts };
  }
  const why = problem instanceof Error ? problem.message : String(problem);
  return {
    state: 'unreachable',
    words: {
      reference: 'request-failed',
      what: 'The answer of the Jupyter server could not be read.',
      why,
      next: 'This page asks again by itself.'
    }
  };
}
