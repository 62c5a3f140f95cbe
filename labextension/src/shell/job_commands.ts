/** The commands on a job: with an id they act on that job, without one they ask which. */

import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { JobDocument } from '../documents/generated';
import type { IJobStore } from '../tokens/job_store';
import { isFinal, stateWord } from '../wording';
import type { IJobActions } from '../tokens/actions';
import { COMMANDS } from '../tokens/command_ids';
import { choose, chooseSeveral } from '../parts/dialogs';

const MOST_COMPARED = 8;

interface JobCommand {
  readonly id: string;
  /** In the menu of a job. */
  readonly label: string;
  /** In the palette, where a dialog asks which job. */
  readonly question: string;
  fits(job: JobDocument): boolean;
  act(job: JobDocument): unknown;
}

export function addJobCommands(commands: CommandRegistry, store: IJobStore, actions: IJobActions): void {
  for (const command of jobCommands(store, actions)) {
    commands.addCommand(command.id, {
      label: args => (idOf(args) ? command.label : command.question),
      isEnabled: args => fitting(store, command, idOf(args)).length > 0,
      execute: async args => {
        const jobs = fitting(store, command, idOf(args));
        const job = idOf(args) || jobs.length < 2 ? jobs[0] : await choose(command.question, jobs, words);
        if (job) {
          await command.act(job);
        }
      }
    });
  }
  addCompare(commands, store, actions);
}

function jobCommands(store: IJobStore, actions: IJobActions): JobCommand[] {
  const hasCell = (job: JobDocument) => job.failure !== null || job.origin.cell_id !== null || job.origin.cell !== null;
  return [
    {
      id: COMMANDS.openJob,
      label: 'Open',
      question: 'Open Job…',
      fits: () => true,
      act: job => actions.open(job.id)
    },
    {
      id: COMMANDS.openLogs,
      label: 'Logs',
      question: 'Show Logs…',
      fits: () => true,
      act: job => actions.openLogs(job.id)
    },
    {
      id: COMMANDS.goToCell,
      label: 'Go to Cell',
      question: 'Go to Cell…',
      fits: hasCell,
      act: job => actions.goToCell(job)
    },
    {
      id: COMMANDS.cancel,
      label: 'Cancel…',
      question: 'Cancel Job…',
      fits: job => !isFinal(job.state) && job.state !== 'CANCELLING',
      act: job => actions.cancel(job.id)
    },
    {
      id: COMMANDS.deploy,
      label: 'Deploy…',
      question: 'Deploy Job…',
      fits: job => job.state === 'SUCCEEDED' && job.artifacts.includes('export'),
      act: job => actions.deploy(job.id)
    },
    {
      id: COMMANDS.tensorboard,
      label: 'TensorBoard',
      question: 'Open TensorBoard…',
      fits: job => store.status?.can_tensorboard === true && job.artifacts.includes('tensorboard'),
      act: job => actions.tensorboard([job.id])
    },
    {
      id: COMMANDS.copyPython,
      label: 'Copy Python',
      question: 'Copy Python of Job…',
      fits: () => true,
      act: job => actions.copyPython(job.id)
    },
    {
      id: COMMANDS.remove,
      label: 'Delete…',
      question: 'Delete Job…',
      fits: job => isFinal(job.state),
      act: job => actions.remove(job.id)
    }
  ];
}

function addCompare(commands: CommandRegistry, store: IJobStore, actions: IJobActions): void {
  const withCurves = () => store.jobs.filter(job => job.curves.length > 0);
  commands.addCommand(COMMANDS.compare, {
    label: 'Compare Jobs…',
    isEnabled: () => withCurves().length > 1,
    execute: async () => {
      const chosen = await chooseSeveral(`Compare 2 to ${MOST_COMPARED} jobs`, withCurves(), words);
      if (chosen && chosen.length > 1) {
        actions.compare(chosen.slice(0, MOST_COMPARED).map(job => job.id));
      }
    }
  });
}

function fitting(store: IJobStore, command: JobCommand, id: string): JobDocument[] {
  const job = id ? store.document(id) : undefined;
  return (id ? (job ? [job] : []) : store.jobs).filter(each => command.fits(each));
}

function idOf(args: ReadonlyPartialJSONObject): string {
  return typeof args['id'] === 'string' ? args['id'] : '';
}

function words(job: JobDocument): string {
  return `${job.name} · ${stateWord(job.state).toLowerCase()} · ${job.where}`;
}
